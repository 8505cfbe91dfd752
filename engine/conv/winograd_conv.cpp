#include "engine/conv/winograd_conv.h"

#include <algorithm>
#include <utility>

#include "engine/conv/conv_cost.h"
#include "engine/conv/spectral_blocking.h"
#include "engine/conv/spectral_plan.h"
#include "engine/conv/winograd_spectrum.h"

namespace convoy {
namespace {

constexpr int kSide = 3;  // of a kernel

// How many taps all outputs of a row have in the input, not in its padding.
double inner_taps(int outputs, int inputs, int padding) {
  int count = 0;
  for (int tap = 0; tap < kSide; ++tap)
    count += std::max(0, std::min(outputs, inputs + padding - tap) - std::max(0, padding - tap));
  return count;
}

}  // namespace

bool WinogradConv::supports(const ConvProblem& p, Pass) const {
  return p.kernel_height == kSide && p.kernel_width == kSide && p.stride_height == 1 &&
         p.stride_width == 1;
}

bool WinogradConv::is_accurate(const ConvProblem& p, Pass pass) const {
  // The transforms round each value a few times, however few products a result sums.
  // tests/conv/accuracy_test.cpp compares them with direct sums.
  constexpr double kLeastTerms = 64, kLeastTermsOfWeights = 128;
  const double places = inner_taps(p.out_height(), p.in_height, p.padding.top) *
                        inner_taps(p.out_width(), p.in_width, p.padding.left);
  switch (pass) {
    case Pass::kForward:
      return p.in_channels * places / p.out_height() / p.out_width() >= kLeastTerms;
    case Pass::kBackwardData:
      return p.out_channels * places / p.in_height / p.in_width >= kLeastTerms;
    case Pass::kBackwardWeights:
      break;
  }
  return p.batch * places / (kSide * kSide) >= kLeastTermsOfWeights;
}

double WinogradConv::estimated_seconds(const ConvProblem& p, Pass pass, int threads) const {
  constexpr double kElementSeconds = 0.25e-9;  // of a spectrum: transformed, written, read again
  const double channels = p.in_channels, kernels = p.out_channels;
  const double columns = static_cast<double>(WinogradSpectrum(p).shape().tiles) * p.batch;
  const double elements = kWinogradPlanes * (channels * kernels + (channels + kernels) * columns);
  const double products = pass == Pass::kForward        ? sgemm_seconds(kernels, columns, channels)
                          : pass == Pass::kBackwardData ? sgemm_seconds(channels, columns, kernels)
                                                        : sgemm_seconds(kernels, channels, columns);
  constexpr double kOverhead = 3e-5;  // phases that wait for all threads
  return kOverhead + (kWinogradPlanes * products + elements * kElementSeconds) / threads;
}

std::unique_ptr<ConvPlan> WinogradConv::plan(const ConvProblem& problem, Pass pass, int threads,
                                             std::size_t scratch_limit, OperandSet shared) const {
  auto spectrum = std::make_unique<WinogradSpectrum>(problem);
  const auto blocking =
      choose_spectral_blocking(spectrum->shape(), problem, pass, threads, scratch_limit, shared);
  if (!blocking) return nullptr;
  return make_spectral_plan(problem, pass, threads, *blocking, std::move(spectrum));
}

}  // namespace convoy
