#include "engine/cluster/prediction.h"

#include <algorithm>

#include "engine/cluster/batch_ranges.h"
#include "engine/cluster/schedule.h"
#include "engine/cluster/traffic.h"

namespace convoy {
namespace {

constexpr auto kForward = static_cast<std::size_t>(Pass::kForward);
constexpr auto kBackwardData = static_cast<std::size_t>(Pass::kBackwardData);
constexpr auto kBackwardWeights = static_cast<std::size_t>(Pass::kBackwardWeights);

bool left_out(const PartWork& part) {
  return part.problem.out_channels == 0 || part.problem.batch == 0;
}

// The pieces of one exchange on one device, in the order in which a worker does them.
class Pieces {
 public:
  explicit Pieces(bool has_link) : has_link_(has_link) {}

  void receive(Pass pass, std::uint64_t bytes, int chunk = -1) {
    move(Activity::kReceive, pass, bytes, chunk);
  }
  void send(Pass pass, std::uint64_t bytes, int chunk = -1) {
    move(Activity::kSend, pass, bytes, chunk);
  }
  void compute(Pass pass, double ms, int chunk = -1) {
    if (ms > 0.0) pieces_.push_back({Activity::kCompute, pass, ms, 0, chunk});
  }
  std::vector<Piece> take() { return std::move(pieces_); }

 private:
  void move(Activity activity, Pass pass, std::uint64_t bytes, int chunk) {
    if (has_link_ && bytes > 0) pieces_.push_back({activity, pass, 0.0, bytes, chunk});
  }

  bool has_link_;
  std::vector<Piece> pieces_;
};

// The part of all pictures that each chunk has, all in one where nothing overlaps.
struct Chunk {
  int number;  // -1: all of it
  std::uint64_t pictures, of;
  std::uint64_t bytes(std::uint64_t all) const { return all / of * pictures; }
  double ms(double all) const {
    return all * static_cast<double>(pictures) / static_cast<double>(of);
  }
};

std::vector<Chunk> chunks_of(const PartWork& part, bool overlap) {
  const BatchRange whole{0, part.problem.batch};
  const auto all = static_cast<std::uint64_t>(whole.size());
  if (!overlap) return {{-1, all, all}};
  std::vector<Chunk> chunks;
  for (const BatchRange& range : part.in_parts ? batch_chunks(whole) : std::vector{whole})
    chunks.push_back(
        {static_cast<int>(chunks.size()), static_cast<std::uint64_t>(range.size()), all});
  return chunks;
}

std::vector<Piece> forward_pieces(const PartWork& part, const PartTraffic& traffic, bool has_link,
                                  bool overlap) {
  Pieces pieces(has_link);
  pieces.receive(Pass::kForward, traffic.weight);
  pieces.receive(Pass::kForward, traffic.bias);
  for (const Chunk& chunk : chunks_of(part, overlap)) {
    pieces.receive(Pass::kForward, chunk.bytes(traffic.input), chunk.number);
    pieces.compute(Pass::kForward, chunk.ms(part.ms[kForward]), chunk.number);
    pieces.send(Pass::kForward, chunk.bytes(traffic.output), chunk.number);
  }
  return pieces.take();
}

// The weights' gradient comes last, so that the input's travels meanwhile.
std::vector<Piece> backward_pieces(const PartWork& part, const PartTraffic& traffic, bool has_link,
                                   bool overlap) {
  Pieces pieces(has_link);
  for (const Chunk& chunk : chunks_of(part, overlap)) {
    pieces.receive(Pass::kBackwardWeights, chunk.bytes(traffic.grad_output), chunk.number);
    pieces.compute(Pass::kBackwardData, chunk.ms(part.ms[kBackwardData]), chunk.number);
    pieces.send(Pass::kBackwardData, chunk.bytes(traffic.grad_input), chunk.number);
  }
  pieces.compute(Pass::kBackwardWeights, part.ms[kBackwardWeights]);
  pieces.send(Pass::kBackwardWeights, traffic.grad_weight);
  pieces.send(Pass::kBackwardWeights, traffic.grad_bias);
  return pieces.take();
}

}  // namespace

StepPrediction predict_step(const std::vector<LayerWork>& layers,
                            const std::vector<LinkSettings>& links,
                            const DistributionOptions& options, double comp_ms) {
  StepPrediction step;
  step.comp_ms = comp_ms;
  step.device_bytes.resize(links.size());
  std::vector<double> compute_ms(links.size()), update_ms(links.size());
  double layers_ms = 0.0;
  for (const LayerWork& layer : layers) {
    StepPrediction::Layer& result = step.layers.emplace_back();
    std::vector<DeviceWorkload> forward(links.size()), backward(links.size());
    for (std::size_t i = 0; i < links.size(); ++i) {
      const PartWork& part = layer.parts.at(i);
      if (left_out(part)) continue;
      const bool has_link = i > 0;
      if (has_link) forward[i].link = backward[i].link = links[i];
      const PartTraffic traffic =
          part_traffic(part.problem, layer.split, layer.needs_grad_input, options);
      forward[i].pieces = forward_pieces(part, traffic, has_link, options.overlap);
      backward[i].pieces = backward_pieces(part, traffic, has_link, options.overlap);
      compute_ms[i] += part.ms[0] + part.ms[1] + part.ms[2] + part.update_ms;
      update_ms[i] += part.update_ms;
      if (!has_link) continue;
      step.device_bytes[i] += traffic.received() + traffic.sent();
      result.bytes += traffic.received() + traffic.sent();
    }
    result.forward_ms = place_exchange(forward, options.overlap).ms;
    result.backward_ms = place_exchange(backward, options.overlap).ms;
    layers_ms += result.forward_ms + result.backward_ms;
    step.bytes += result.bytes;
  }
  // Resident weights are updated side by side, when all gradients are there.
  layers_ms += *std::max_element(update_ms.begin(), update_ms.end());
  step.conv_ms = *std::max_element(compute_ms.begin(), compute_ms.end());
  step.comm_ms = layers_ms - step.conv_ms;
  step.step_ms = layers_ms + comp_ms;
  return step;
}

bool works_in_parts(const std::array<std::string, 3>& algorithms) {
  return algorithms[kForward] == "fft" &&
         (algorithms[kBackwardData].empty() || algorithms[kBackwardData] == "fft");
}

std::vector<LayerWork> planned_work(const ClusterPlan& plan) {
  std::vector<LayerWork> layers;
  for (const LayerPlan& from : plan.layers) {
    LayerWork& layer = layers.emplace_back();
    layer.split = from.split;
    layer.needs_grad_input = from.needs_grad_input;
    const std::vector<LayerPart> parts = from.parts({});
    for (std::size_t i = 0; i < parts.size(); ++i) {
      PartWork part;
      part.problem = parts[i].problem;
      part.in_parts = parts[i].in_chunks && works_in_parts(from.measured[i].algorithm);
      const int count = from.counts()[i];
      for (std::size_t pass = 0; count > 0 && pass < part.ms.size(); ++pass)
        part.ms[pass] =
            from.cost[i].ms(count) * from.measured[i].ms[pass] / from.measured[i].total_ms();
      layer.parts.push_back(part);
    }
  }
  return layers;
}

}  // namespace convoy
