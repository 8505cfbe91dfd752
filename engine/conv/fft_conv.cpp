#include "engine/conv/fft_conv.h"

#include <algorithm>
#include <cstring>

#include "engine/base/error.h"
#include "engine/conv/conv_cost.h"
#include "engine/conv/fft_blocking.h"
#include "engine/conv/fft_product.h"
#include "engine/conv/fft_spectrum.h"
#include "engine/conv/im2col.h"

namespace convoy {
namespace {

constexpr double kTransformFlopsPerSecond = 30e9;  // of the transforms' short sums, one thread

constexpr double kProductSeconds = 1e-6;  // of a product of next to nothing

Range block_range(std::size_t count, std::size_t block, std::size_t index) {
  return {std::min(count, index * block), std::min(count, (index + 1) * block)};
}

class FftPlan : public ConvPlan {
 public:
  FftPlan(const ConvProblem& problem, Pass pass, int threads, const FftBlocking& blocking)
      : p_(problem),
        pass_(pass),
        threads_(threads),
        blocking_(blocking),
        spectrum_(problem, blocking.geometry),
        points_(fft_points(blocking.geometry.vertical.size, blocking.geometry.horizontal.size)) {}

  std::size_t scratch_bytes() const override { return blocking_.scratch_bytes(threads_); }
  double executed_flops() const override {
    return 2 * blocking_.geometry.products() * p_.in_channels * p_.out_channels *
           blocking_.geometry.tiles() * p_.batch;
  }

  void run(const ConvOperands& operands, std::span<std::byte> scratch, ThreadPool& pool,
           const StopToken* stop) const override {
    if (pool.size() > threads_ || scratch.size() < scratch_bytes())
      throw Error(ErrorKind::kRun, "fft convolution",
                  "planned for " + std::to_string(threads_) + " threads and " +
                      std::to_string(scratch_bytes()) + " bytes of scratch, run with " +
                      std::to_string(pool.size()) + " and " + std::to_string(scratch.size()));
    Space space;
    space.input = reinterpret_cast<float*>(scratch.data());
    space.weight = space.input + blocking_.input_floats();
    space.output = space.weight + blocking_.weight_floats();
    space.threads = space.output + blocking_.output_floats();
    const Run run{operands, space, pool, stop};
    switch (pass_) {
      case Pass::kForward:
        return forward(run);
      case Pass::kBackwardData:
        return backward_data(run);
      case Pass::kBackwardWeights:
        return backward_weights(run);
    }
  }

 private:
  struct Space {
    float *input, *weight, *output, *threads;
  };
  struct Run {
    const ConvOperands& operands;
    Space space;
    ThreadPool& pool;
    const StopToken* stop;
  };

  std::size_t kernels() const { return static_cast<std::size_t>(p_.out_channels); }
  std::size_t columns() const {
    return static_cast<std::size_t>(blocking_.geometry.tiles()) *
           static_cast<std::size_t>(p_.batch);
  }
  template <class Work>
  void for_column_blocks(const Work& work) const {
    for (std::size_t n = 0; n * blocking_.columns < columns(); ++n)
      work(block_range(columns(), blocking_.columns, n));
  }
  template <class Work>
  void for_kernel_blocks(const Work& work) const {
    for (std::size_t n = 0; n * blocking_.kernels < kernels(); ++n)
      work(block_range(kernels(), blocking_.kernels, n));
  }

  void forward(const Run& r) const {
    for_column_blocks([&](Range columns) {
      transform_maps(r, MapRole::kInput, r.operands.input, channels(), columns, r.space.input);
      for_kernel_blocks([&](Range kernels) {
        transform_weights(r, kernels);
        multiply(r, kernels, columns, false);
        restore_maps(r, MapRole::kOutput, kernels, columns, r.space.output);
      });
    });
  }

  void backward_data(const Run& r) const {
    if (blocking_.geometry.tiles() > 1)  // tiles overlap and are added up
      r.pool.parallel_ranges(p_.input_size(), 1024, [&](std::size_t begin, std::size_t end, int) {
        std::fill(r.operands.result + begin, r.operands.result + end, 0.0f);
      });
    for_column_blocks([&](Range columns) {
      for_kernel_blocks([&](Range kernels) {
        transform_weights(r, kernels);
        transform_maps(r, MapRole::kOutput, r.operands.grad_output, kernels, columns,
                       r.space.output);
        multiply(r, kernels, columns, kernels.begin > 0);
      });
      restore_maps(r, MapRole::kInput, channels(), columns, r.space.input);
    });
  }

  void backward_weights(const Run& r) const {
    const bool keeps_input = blocking_.column_blocks == 1;
    for_kernel_blocks([&](Range kernels) {
      for_column_blocks([&](Range columns) {
        if (kernels.begin == 0 || !keeps_input)
          transform_maps(r, MapRole::kInput, r.operands.input, channels(), columns, r.space.input);
        transform_maps(r, MapRole::kOutput, r.operands.grad_output, kernels, columns,
                       r.space.output);
        multiply(r, kernels, columns, columns.begin > 0);
      });
      const std::size_t parts = spectrum_.weight_parts();
      r.pool.parallel_for(
          kernels.size() * parts,
          [&](std::size_t n, int thread) {
            spectrum_.restore_weights(r.space.weight, weight_stride(kernels), n / parts, n % parts,
                                      kernels.begin, r.operands.result, work(r, thread));
          },
          r.stop);
    });
  }

  Range channels() const { return {0, static_cast<std::size_t>(p_.in_channels)}; }
  std::size_t weight_stride(Range kernels) const {
    return FftBlocking::plane_stride(kernels.size() * blocking_.channels);
  }
  float* work(const Run& r, int thread) const {
    return r.space.threads + static_cast<std::size_t>(thread) * blocking_.thread_floats;
  }

  void transform_maps(const Run& r, MapRole role, const float* maps, Range range, Range columns,
                      float* planes) const {
    r.pool.parallel_for(
        range.size(),
        [&](std::size_t n, int thread) {
          spectrum_.transform_map(role, maps, range.begin + n, columns, planes + n * columns.size(),
                                  FftBlocking::plane_stride(range.size() * columns.size()),
                                  work(r, thread));
        },
        r.stop);
  }
  void restore_maps(const Run& r, MapRole role, Range range, Range columns,
                    const float* planes) const {
    r.pool.parallel_for(
        range.size(),
        [&](std::size_t n, int thread) {
          spectrum_.restore_map(role, planes + n * columns.size(),
                                FftBlocking::plane_stride(range.size() * columns.size()),
                                range.begin + n, columns, r.operands.result, work(r, thread));
        },
        r.stop);
  }
  void transform_weights(const Run& r, Range kernels) const {
    const std::size_t parts = spectrum_.weight_parts();
    r.pool.parallel_for(
        kernels.size() * parts,
        [&](std::size_t n, int thread) {
          spectrum_.transform_weights(r.operands.weight, kernels.begin, n / parts, n % parts,
                                      r.space.weight, weight_stride(kernels), work(r, thread));
        },
        r.stop);
  }

  // The product of one point of the spectrum, whole.
  FftProduct point_product(const Run& r, const FftPoint& point, Range kernels,
                           Range columns) const {
    const std::size_t channels = blocking_.channels;
    struct Planes {
      float *real, *imaginary;
      std::size_t leading;
    };
    const auto planes = [&](float* base, std::size_t rows, std::size_t leading) {
      const std::size_t stride = FftBlocking::plane_stride(rows * leading);
      return Planes{base + point.real * stride, base + point.imaginary * stride, leading};
    };
    const Planes input = planes(r.space.input, channels, columns.size());
    const Planes weight = planes(r.space.weight, kernels.size(), channels);
    const Planes output = planes(r.space.output, kernels.size(), columns.size());
    const auto plain = [](const Planes& m, Transpose t) {
      return FftFactor{m.real, m.imaginary, m.leading, t};
    };
    // For a conjugate product b's parts and the result's are exchanged; see fft_multiply().
    const auto exchanged = [&](const Planes& m, Transpose t) {
      if (point.is_real) return FftFactor{m.real, nullptr, m.leading, t};
      return FftFactor{m.imaginary, m.real, m.leading, t};
    };
    const auto no = Transpose::kNo, yes = Transpose::kYes;
    switch (pass_) {
      case Pass::kForward:
        return {kernels.size(),       columns.size(), channels,         plain(weight, no),
                exchanged(input, no), output.real,    output.imaginary, output.leading};
      case Pass::kBackwardData:
        if (point.is_real)
          return {channels,          columns.size(), kernels.size(), plain(weight, yes),
                  plain(output, no), input.real,     nullptr,        input.leading};
        return {channels,          columns.size(),  kernels.size(), plain(weight, yes),
                plain(output, no), input.imaginary, input.real,     input.leading};
      case Pass::kBackwardWeights:
        break;
    }
    return {kernels.size(),        channels,    columns.size(),   plain(output, no),
            exchanged(input, yes), weight.real, weight.imaginary, weight.leading};
  }

  void multiply(const Run& r, Range kernels, Range columns, bool add) const {
    const FftProduct any = point_product(r, points_.front(), kernels, columns);
    const std::size_t row_parts = (any.rows + blocking_.product_rows - 1) / blocking_.product_rows;
    const std::size_t column_parts =
        (any.columns + blocking_.product_columns - 1) / blocking_.product_columns;
    const std::size_t parts = row_parts * column_parts;
    r.pool.parallel_for(
        points_.size() * parts,
        [&](std::size_t n, int thread) {
          const FftPoint& point = points_[n / parts];
          FftProduct whole = point_product(r, point, kernels, columns);
          whole.add = add;
          const Range row = block_range(whole.rows, blocking_.product_rows, n % parts % row_parts);
          const Range column =
              block_range(whole.columns, blocking_.product_columns, n % parts / row_parts);
          const FftProduct part = whole.part(row.begin, row.size(), column.begin, column.size());
          if (point.is_real)
            fft_multiply_real(part, work(r, thread));
          else
            fft_multiply(part, work(r, thread));
        },
        r.stop);
  }

  const ConvProblem p_;
  const Pass pass_;
  const int threads_;
  const FftBlocking blocking_;
  const FftSpectrum spectrum_;
  const std::vector<FftPoint> points_;
};

}  // namespace

bool FftConv::supports(const ConvProblem& p, Pass) const {
  return p.stride_height == 1 && p.stride_width == 1 && p.kernel_height <= kLargestFftKernel &&
         p.kernel_width <= kLargestFftKernel;
}

double FftConv::estimated_seconds(const ConvProblem& p, Pass pass, int threads) const {
  const FftGeometry geometry = choose_fft_geometry(p);
  const double channels = p.in_channels, kernels = p.out_channels;
  const double columns = 1.0 * geometry.tiles() * p.batch;
  const double planes = static_cast<double>(geometry.planes());
  const double weights = channels * kernels, maps = (channels + kernels) * columns;
  const double arithmetic =
      2 * planes * (geometry.vertical.size + geometry.horizontal.size) * (weights + maps);
  // Every spectrum goes out to memory and comes back.
  const double bytes = sizeof(float) * planes * (2 * weights + 2 * maps);
  const double products = pass == Pass::kForward        ? sgemm_seconds(kernels, columns, channels)
                          : pass == Pass::kBackwardData ? sgemm_seconds(channels, columns, kernels)
                                                        : sgemm_seconds(kernels, channels, columns);
  // Many phases that wait for all threads, and many products.
  const double overhead = 1e-4 + geometry.products() * kProductSeconds;
  return overhead + (geometry.products() * products + arithmetic / kTransformFlopsPerSecond +
                     bytes / kCopyBytesPerSecond) /
                        threads;
}

std::unique_ptr<ConvPlan> FftConv::plan(const ConvProblem& problem, Pass pass, int threads,
                                        std::size_t scratch_limit) const {
  const auto blocking = choose_fft_blocking(problem, pass, threads, scratch_limit);
  if (!blocking) return nullptr;
  return std::make_unique<FftPlan>(problem, pass, threads, *blocking);
}

}  // namespace convoy
