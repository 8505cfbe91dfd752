#include "engine/conv/fft_conv.h"

#include "engine/base/rounding.h"
#include "engine/conv/conv_cost.h"
#include "engine/conv/fft_spectrum.h"
#include "engine/conv/spectral_blocking.h"
#include "engine/conv/spectral_plan.h"

namespace convoy {
namespace {

constexpr double kTransformFlopsPerSecond = 100e9;  // of the transforms' short sums, one thread

constexpr double kSpectrumBytesPerSecond = 15e9;  // written and read again, one thread
constexpr double kProductSeconds = 3e-7;          // of a product of next to nothing

}  // namespace

bool FftConv::supports(const ConvProblem& p, Pass) const {
  return p.stride_height == 1 && p.stride_width == 1 && p.kernel_height <= kLargestFftKernel &&
         p.kernel_width <= kLargestFftKernel;
}

bool FftConv::is_accurate(const ConvProblem& p, Pass pass) const {
  // The transforms round each value a few times, however few products a result sums; a direct sum's
  // error grows with their number. tests/conv/accuracy_test.cpp compares the two.
  constexpr double kLeastTerms = 128;
  const double taps = 1.0 * p.kernel_height * p.kernel_width;
  switch (pass) {
    case Pass::kForward:
      return p.in_channels * taps >= kLeastTerms;
    case Pass::kBackwardData:
      return p.out_channels * taps >= kLeastTerms;
    case Pass::kBackwardWeights:
      break;
  }
  return 1.0 * p.batch * p.out_height() * p.out_width() >= kLeastTerms;
}

double FftConv::estimated_seconds(const ConvProblem& p, Pass pass, int threads) const {
  const FftGeometry geometry = choose_fft_geometry(p);
  const double channels = p.in_channels, kernels = p.out_channels;
  const auto lanes = static_cast<double>(fft_lanes_of_map(p.batch, geometry.tiles()));
  const double columns = 1.0 * geometry.tiles() * p.batch;
  const double planes = static_cast<double>(geometry.planes());
  const double weights = channels * kernels, maps = (channels + kernels) * lanes;
  const double arithmetic =
      2 * planes * (geometry.vertical.size + geometry.horizontal.size) * (weights + maps);
  // Every spectrum goes out to memory and comes back.
  const double bytes = sizeof(float) * planes * (2 * weights + 2 * maps);
  const double products = pass == Pass::kForward        ? sgemm_seconds(kernels, columns, channels)
                          : pass == Pass::kBackwardData ? sgemm_seconds(channels, columns, kernels)
                                                        : sgemm_seconds(kernels, channels, columns);
  // Many phases that wait for all threads, and many products.
  const double overhead = 5e-5 + geometry.products() * kProductSeconds;
  return overhead + (geometry.products() * products + arithmetic / kTransformFlopsPerSecond +
                     bytes / kSpectrumBytesPerSecond) /
                        threads;
}

std::unique_ptr<ConvPlan> FftConv::plan(const ConvProblem& problem, Pass pass, int threads,
                                        std::size_t scratch_limit, OperandSet shared) const {
  auto spectrum = std::make_unique<FftSpectrum>(problem, choose_fft_geometry(problem));
  const auto blocking =
      choose_spectral_blocking(spectrum->shape(), problem, pass, threads, scratch_limit, shared);
  if (!blocking) return nullptr;
  return make_spectral_plan(problem, pass, threads, *blocking, std::move(spectrum));
}

}  // namespace convoy
