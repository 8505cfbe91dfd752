#include "engine/network/sgd.h"

#include <algorithm>

#include "engine/tensor/elementwise.h"

namespace convoy {

namespace {

// A piece of one tensor. Pieces of all tensors are handed out together, so that the many small
// tensors cost no thread start each.
struct Piece {
  const float* gradient;
  float* velocity;
  float* weight;
  std::size_t count;
};
constexpr std::size_t kPieceSize = std::size_t{1} << 16;

void add_pieces(const FloatBuffer& gradient, FloatBuffer& velocity, FloatBuffer& weight,
                std::vector<Piece>& pieces) {
  for (std::size_t begin = 0; begin < weight.size(); begin += kPieceSize)
    pieces.push_back({gradient.data() + begin, velocity.data() + begin, weight.data() + begin,
                      std::min(kPieceSize, weight.size() - begin)});
}

}  // namespace

Sgd::Sgd(const NetworkSpec& spec) : velocity_(Parameters::zeros(spec)) {}

SgdFactors factors_of(const SgdSettings& settings) {
  return {static_cast<float>(settings.learning_rate), static_cast<float>(settings.momentum),
          static_cast<float>(settings.weight_decay)};
}

void Sgd::update(const SgdFactors& factors, const Parameters& gradients,
                 const ConvExecutor& convolutions, Parameters& parameters, ThreadPool& pool) {
  std::vector<Piece> pieces;
  for (std::size_t layer = 0; layer < parameters.conv.size(); ++layer) {
    ConvParameters& velocity = velocity_.conv[layer];
    ConvParameters& own = parameters.conv[layer];
    const bool kept = convolutions.keeps_weights(static_cast<int>(layer));
    if (!kept) add_pieces(gradients.conv[layer].weight, velocity.weight, own.weight, pieces);
    if (!kept || !convolutions.pools())
      add_pieces(gradients.conv[layer].bias, velocity.bias, own.bias, pieces);
  }
  add_pieces(gradients.fc_weight, velocity_.fc_weight, parameters.fc_weight, pieces);
  add_pieces(gradients.fc_bias, velocity_.fc_bias, parameters.fc_bias, pieces);
  pool.parallel_for(pieces.size(), [&](std::size_t index, int) {
    const Piece& piece = pieces[index];
    sgd_update(factors, piece.gradient, piece.count, piece.velocity, piece.weight);
  });
}

}  // namespace convoy
