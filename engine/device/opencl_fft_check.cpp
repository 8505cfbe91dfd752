// Whether transforms are right on a device.

#include "engine/conv/fft_geometry.h"
#include "engine/device/opencl_conv_check.h"
#include "engine/device/opencl_fft_conv.h"

namespace convoy {

std::string checked_fft(const std::string& product, const ConvProblem& problem,
                        const OpenClLimits& limits, const std::shared_ptr<OpenClContext>& context) {
  // The same sizes and tiles, for which programs are made.
  ConvProblem small = problem.with_batch(3).with_kernels(2);
  small.in_channels = 2;
  const FftGeometry geometry = choose_fft_geometry(problem, false);
  // Neither memory nor Stop are to be checked.
  OpenClLimits plenty = limits;
  plenty.total = context->entry().info.memory_bytes / 4;
  const std::string key = "fft+" + product + " " + geometry_text(small) + ", transforms " +
                          std::to_string(geometry.vertical.size) + "x" +
                          std::to_string(geometry.horizontal.size);
  constexpr double kRounding = 1e-5;  // single precision leaves some 1e-7
  return checked_conv(key, "fft_transform.cl", kRounding, *context, [&] {
    return std::make_unique<OpenClFftConv>(context, small, geometry, product, plenty);
  });
}

}  // namespace convoy
