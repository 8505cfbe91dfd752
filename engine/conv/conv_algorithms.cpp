#include <algorithm>
#include <memory>
#include <utility>

#include "engine/conv/conv_algorithm.h"
#include "engine/conv/direct_conv.h"
#include "engine/conv/fft_conv.h"
#include "engine/conv/gemm_conv.h"
#include "engine/conv/implicit_gemm_conv.h"
#include "engine/conv/polyphase_conv.h"
#include "engine/conv/reference_conv.h"
#include "engine/conv/space_to_depth_conv.h"
#include "engine/conv/winograd_conv.h"

namespace convoy {

const std::vector<const ConvAlgorithm*>& conv_algorithms() {
  static const PolyphaseConv direct(std::make_unique<DirectConv>());
  static const SpaceToDepthConv fft(std::make_unique<FftConv>());
  static const GemmConv gemm;
  static const PolyphaseConv implicit_gemm(std::make_unique<ImplicitGemmConv>());
  static const WinogradConv winograd;
  static const ReferenceConv reference;
  static const std::vector<const ConvAlgorithm*> all = {&direct,        &fft,      &gemm,
                                                        &implicit_gemm, &winograd, &reference};
  return all;
}

const ConvAlgorithm* find_conv_algorithm(const std::string& name) {
  for (const ConvAlgorithm* algorithm : conv_algorithms())
    if (name == algorithm->name()) return algorithm;
  return nullptr;
}

std::vector<const ConvAlgorithm*> ranked_conv_algorithms(const ConvProblem& problem, Pass pass,
                                                         int threads) {
  std::vector<std::pair<double, const ConvAlgorithm*>> estimates;
  for (const ConvAlgorithm* algorithm : conv_algorithms())
    if (algorithm->supports(problem, pass) && algorithm->is_accurate(problem, pass))
      estimates.emplace_back(algorithm->estimated_seconds(problem, pass, threads), algorithm);
  std::stable_sort(estimates.begin(), estimates.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<const ConvAlgorithm*> ranked;
  for (const auto& [seconds, algorithm] : estimates) ranked.push_back(algorithm);
  return ranked;
}

}  // namespace convoy
