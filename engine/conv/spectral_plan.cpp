#include "engine/conv/spectral_plan.h"

#include <algorithm>
#include <string>
#include <utility>

#include "engine/base/error.h"
#include "engine/conv/im2col.h"
#include "engine/conv/spectral_product.h"
#include "engine/conv/timeline.h"

namespace convoy {
namespace {

// A spectrum that no cache keeps until it is read is written around them.
constexpr std::size_t kStreamedBytes = std::size_t{16} << 20;

Range block_range(std::size_t count, std::size_t block, std::size_t index) {
  return {std::min(count, index * block), std::min(count, (index + 1) * block)};
}

class SpectralPlan : public ConvPlan {
 public:
  SpectralPlan(const ConvProblem& problem, Pass pass, int threads, const SpectralBlocking& blocking,
               std::unique_ptr<const ConvSpectrum> spectrum)
      : p_(problem),
        pass_(pass),
        threads_(threads),
        blocking_(blocking),
        spectrum_(std::move(spectrum)),
        points_(spectrum_->points()) {}

  std::size_t scratch_bytes() const override { return blocking_.scratch_bytes(threads_); }
  std::size_t shared_floats(Operand operand) const override {
    return blocking_.shared_floats(operand);
  }
  // Tiles of one picture lie far apart, and a scratch of parts has no place for the others'.
  bool works_in_parts() const override {
    return pass_ != Pass::kBackwardWeights && blocking_.shape.tiles == 1 &&
           blocking_.column_blocks == 1;
  }
  double executed_flops() const override {
    return 2 * blocking_.shape.products * p_.in_channels * p_.out_channels * blocking_.shape.tiles *
           p_.batch;
  }

  void run(const ConvOperands& operands, std::span<std::byte> scratch, ThreadPool& pool,
           const StopToken* stop, ConvPhases* phases) const override {
    if (pool.size() > threads_ || scratch.size() < scratch_bytes())
      throw Error(ErrorKind::kRun, subject(),
                  "planned for " + std::to_string(threads_) + " threads and " +
                      std::to_string(scratch_bytes()) + " bytes of scratch, run with " +
                      std::to_string(pool.size()) + " and " + std::to_string(scratch.size()));
    const bool whole = operands.pictures.size() == 0;
    if (!whole && !works_in_parts())
      throw Error(ErrorKind::kRun, subject(), "run in parts, which this plan does not do");
    ConvPhases unasked;
    Run r{operands,
          pool,
          stop,
          phases ? *phases : unasked,
          {},
          nullptr,
          whole ? Range{0, columns()} : operands.pictures};
    float* next = reinterpret_cast<float*>(scratch.data());
    const auto place = [&](Operand operand, std::size_t floats) {
      Spectrum& spectrum = r.spectra[static_cast<std::size_t>(operand)];
      if (blocking_.shared[static_cast<std::size_t>(operand)]) {
        spectrum.form = operands.shared[static_cast<std::size_t>(operand)];
        if (!spectrum.form || spectrum.form->memory.size() < blocking_.shared_floats(operand))
          throw Error(ErrorKind::kRun, subject(), "run without what it was to share");
        spectrum.data = spectrum.form->memory.data();
        // Only those of kernels come in blocks of them.
        spectrum.block_floats = operand == Operand::kInput ? 0 : floats;
      } else {
        spectrum.data = next;
        next += floats;
      }
    };
    place(Operand::kInput, blocking_.input_floats());
    place(Operand::kWeight, blocking_.weight_floats());
    place(Operand::kGradOutput, blocking_.output_floats());
    r.threads = next;
    switch (pass_) {
      case Pass::kForward:
        forward(r);
        break;
      case Pass::kBackwardData:
        backward_data(r);
        break;
      case Pass::kBackwardWeights:
        backward_weights(r);
        break;
    }
    for (const Operand operand : kAllOperands) {
      SharedForm* const form = r.spectra[static_cast<std::size_t>(operand)].form;
      if (!form) continue;
      // The weights have no pictures.
      form->made_pictures = operand == Operand::kWeight ? columns() : r.columns.end;
      form->made = form->made || form->made_pictures == columns();
    }
  }

 private:
  // A spectrum in the scratch, one block at a time, or a shared one with all its blocks.
  struct Spectrum {
    float* data = nullptr;
    std::size_t block_floats = 0;
    SharedForm* form = nullptr;
    bool made() const { return form && form->made; }
  };
  struct Run {
    const ConvOperands& operands;
    ThreadPool& pool;
    const StopToken* stop;
    ConvPhases& phases;
    std::array<Spectrum, std::size(kAllOperands)> spectra;
    float* threads;
    Range columns;  // what is run, of all

    const Spectrum& input() const { return spectra[0]; }
    const Spectrum& weight() const { return spectra[1]; }
    const Spectrum& output() const { return spectra[2]; }
  };

  std::string subject() const { return std::string(spectrum_->name()) + " convolution"; }
  std::size_t kernels() const { return static_cast<std::size_t>(p_.out_channels); }
  std::size_t columns() const { return blocking_.shape.tiles * static_cast<std::size_t>(p_.batch); }
  // Columns of a block: some where the plan is run in parts, else all.
  struct Columns {
    Range block, range;
    std::size_t size() const { return range.size(); }
    std::size_t first() const { return range.begin - block.begin; }
  };
  template <class Work>
  void for_column_blocks(const Run& r, const Work& work) const {
    for (std::size_t n = 0; n * blocking_.columns < columns(); ++n) {
      const Range block = block_range(columns(), blocking_.columns, n);
      work(Columns{block,
                   {std::max(block.begin, r.columns.begin), std::min(block.end, r.columns.end)}});
    }
  }
  template <class Work>
  void for_kernel_blocks(const Work& work) const {
    for (std::size_t n = 0; n * blocking_.kernels < kernels(); ++n)
      work(block_range(kernels(), blocking_.kernels, n));
  }
  // The planes of a block of kernels.
  float* planes(const Spectrum& spectrum, Range kernels) const {
    return spectrum.data + kernels.begin / blocking_.kernels * spectrum.block_floats;
  }

  // Calls work(index, thread) for every index on all threads; its wall time counts to a phase.
  template <class Work>
  static void run_phase(const Run& r, double& phase_ms, std::size_t count, const Work& work) {
    const TimePoint start = SteadyClock::now();
    r.pool.parallel_for(count, work, r.stop);
    phase_ms += milliseconds(SteadyClock::now() - start);
  }

  void forward(const Run& r) const {
    for_column_blocks(r, [&](const Columns& columns) {
      if (!r.input().made()) transform_input(r, columns);
      for_kernel_blocks([&](Range kernels) {
        if (!r.weight().made()) transform_weights(r, kernels);
        multiply(r, kernels, columns, false);
        restore_maps(r, MapRole::kOutput, kernels, columns, planes(r.output(), kernels));
      });
    });
  }

  void backward_data(const Run& r) const {
    // What is restored at once; elsewhere tiles overlap and are added up.
    if (spectrum_->adds_to_input({0, blocking_.columns}))
      r.pool.parallel_ranges(p_.input_size(), 1024, [&](std::size_t begin, std::size_t end, int) {
        std::fill(r.operands.result + begin, r.operands.result + end, 0.0f);
      });
    for_column_blocks(r, [&](const Columns& columns) {
      for_kernel_blocks([&](Range kernels) {
        if (!r.weight().made()) transform_weights(r, kernels);
        if (!r.output().made()) transform_grad_output(r, kernels, columns);
        multiply(r, kernels, columns, kernels.begin > 0);
      });
      restore_maps(r, MapRole::kInput, channels(), columns, r.input().data);
    });
  }

  void backward_weights(const Run& r) const {
    const bool keeps_input = blocking_.column_blocks == 1;
    for_kernel_blocks([&](Range kernels) {
      for_column_blocks(r, [&](const Columns& columns) {
        if (!r.input().made() && (kernels.begin == 0 || !keeps_input)) transform_input(r, columns);
        if (!r.output().made()) transform_grad_output(r, kernels, columns);
        multiply(r, kernels, columns, columns.range.begin > 0);
      });
      restore_weights(r, kernels);
    });
  }

  Range channels() const { return {0, static_cast<std::size_t>(p_.in_channels)}; }
  std::size_t weight_stride(Range kernels) const {
    return SpectralBlocking::plane_stride(kernels.size(), blocking_.channels);
  }
  float* work(const Run& r, int thread) const {
    return r.threads + static_cast<std::size_t>(thread) * blocking_.thread_floats;
  }
  // How far on a thread's next of `count` tasks is, when all take as long.
  static std::size_t ahead(const Run& r, std::size_t n, std::size_t count) {
    const auto threads = static_cast<std::size_t>(r.pool.size());
    return n + threads < count ? threads : 0;
  }
  bool is_streamed(std::size_t plane_stride) const {
    return blocking_.shape.planes * plane_stride * sizeof(float) > kStreamedBytes;
  }

  void transform_input(const Run& r, const Columns& columns) const {
    transform_maps(r, MapRole::kInput, r.operands.input, channels(), columns, r.input().data);
  }
  void transform_grad_output(const Run& r, Range kernels, const Columns& columns) const {
    transform_maps(r, MapRole::kOutput, r.operands.grad_output, kernels, columns,
                   planes(r.output(), kernels));
  }
  void transform_maps(const Run& r, MapRole role, const float* maps, Range range,
                      const Columns& columns, float* planes) const {
    const std::size_t row = SpectralBlocking::row_stride(columns.block.size());
    const std::size_t stride = SpectralBlocking::plane_stride(range.size(), columns.block.size());
    planes += columns.first();
    run_phase(r, r.phases.transform_ms, range.size(), [&](std::size_t n, int thread) {
      spectrum_->transform_map(role, maps, range.begin + n, ahead(r, n, range.size()),
                               columns.range, planes + n * row, stride, is_streamed(stride),
                               work(r, thread));
    });
  }
  void restore_maps(const Run& r, MapRole role, Range range, const Columns& columns,
                    const float* planes) const {
    const std::size_t row = SpectralBlocking::row_stride(columns.block.size());
    const std::size_t stride = SpectralBlocking::plane_stride(range.size(), columns.block.size());
    planes += columns.first();
    const bool streamed =
        sizeof(float) * (role == MapRole::kInput ? p_.input_size() : p_.output_size()) >
        kStreamedBytes;
    run_phase(r, r.phases.inverse_ms, range.size(), [&](std::size_t n, int thread) {
      spectrum_->restore_map(role, planes + n * row, stride, range.begin + n,
                             ahead(r, n, range.size()), columns.range, r.operands.result, streamed,
                             work(r, thread));
    });
  }
  void transform_weights(const Run& r, Range kernels) const {
    const std::size_t parts = spectrum_->weight_parts(), stride = weight_stride(kernels);
    const std::size_t row = SpectralBlocking::row_stride(blocking_.channels);
    run_phase(r, r.phases.transform_ms, kernels.size() * parts, [&](std::size_t n, int thread) {
      spectrum_->transform_weights(r.operands.weight, kernels.begin + n / parts, n % parts,
                                   planes(r.weight(), kernels) + n / parts * row, stride,
                                   is_streamed(stride), work(r, thread));
    });
  }
  void restore_weights(const Run& r, Range kernels) const {
    const std::size_t parts = spectrum_->weight_parts(), stride = weight_stride(kernels);
    const std::size_t row = SpectralBlocking::row_stride(blocking_.channels);
    run_phase(r, r.phases.inverse_ms, kernels.size() * parts, [&](std::size_t n, int thread) {
      spectrum_->restore_weights(
          planes(r.weight(), kernels) + n / parts * row, stride, kernels.begin + n / parts,
          n % parts, ahead(r, n, kernels.size() * parts), r.operands.result, work(r, thread));
    });
  }

  // The product of one point of the spectrum, whole.
  SpectralProduct point_product(const Run& r, const SpectrumPoint& point, Range kernels,
                                const Columns& columns) const {
    const std::size_t channels = blocking_.channels;
    struct Planes {
      float *real, *imaginary;
      std::size_t leading;
      bool streamed;
    };
    const auto planes_of = [&](const Spectrum& spectrum, std::size_t rows, std::size_t width,
                               std::size_t first) {
      const std::size_t stride = SpectralBlocking::plane_stride(rows, width);
      float* const base = planes(spectrum, kernels) + first;
      return Planes{base + point.real * stride, base + point.imaginary * stride,
                    SpectralBlocking::row_stride(width), is_streamed(stride)};
    };
    const Planes input = planes_of(r.input(), channels, columns.block.size(), columns.first());
    const Planes weight = planes_of(r.weight(), kernels.size(), channels, 0);
    const Planes output =
        planes_of(r.output(), kernels.size(), columns.block.size(), columns.first());
    const auto plain = [](const Planes& m, Transpose t) {
      return Factor{m.real, m.imaginary, m.leading, t};
    };
    // For a conjugate product b's parts and the result's are exchanged; see multiply_spectra().
    const auto exchanged = [&](const Planes& m, Transpose t) {
      if (point.is_real) return Factor{m.real, nullptr, m.leading, t};
      return Factor{m.imaginary, m.real, m.leading, t};
    };
    SpectralProduct product;
    const auto set_result = [&](const Planes& m, bool exchange) {
      product.first = exchange ? m.imaginary : m.real;
      product.second = point.is_real ? nullptr : exchange ? m.real : m.imaginary;
      product.leading = m.leading;
      product.stream = m.streamed;
    };
    const auto set_sides = [&](std::size_t rows, std::size_t width, std::size_t inner) {
      product.rows = rows;
      product.columns = width;
      product.inner = inner;
    };
    const auto no = Transpose::kNo, yes = Transpose::kYes;
    switch (pass_) {
      case Pass::kForward:
        set_sides(kernels.size(), columns.size(), channels);
        product.a = plain(weight, no);
        product.b = exchanged(input, no);
        set_result(output, false);
        break;
      case Pass::kBackwardData:
        set_sides(channels, columns.size(), kernels.size());
        product.a = plain(weight, yes);
        product.b = plain(output, no);
        set_result(input, !point.is_real);
        break;
      case Pass::kBackwardWeights:
        set_sides(kernels.size(), channels, columns.size());
        product.a = plain(output, no);
        product.b = exchanged(input, yes);
        set_result(weight, false);
        product.run = blocking_.shape.gradient_run;
        break;
    }
    return product;
  }

  void multiply(const Run& r, Range kernels, const Columns& columns, bool add) const {
    const SpectralProduct any = point_product(r, points_.front(), kernels, columns);
    const std::size_t row_parts = (any.rows + blocking_.product_rows - 1) / blocking_.product_rows;
    const std::size_t column_parts =
        (any.columns + blocking_.product_columns - 1) / blocking_.product_columns;
    const std::size_t parts = row_parts * column_parts;
    const auto multiply_part = [&](std::size_t n, int thread) {
      const SpectrumPoint& point = points_[n / parts];
      SpectralProduct whole = point_product(r, point, kernels, columns);
      whole.add = add;
      const Range row = block_range(whole.rows, blocking_.product_rows, n % parts % row_parts);
      const Range column =
          block_range(whole.columns, blocking_.product_columns, n % parts / row_parts);
      const SpectralProduct part = whole.part(row.begin, row.size(), column.begin, column.size());
      if (point.is_real)
        multiply_real_spectra(part, work(r, thread));
      else
        multiply_spectra(part, work(r, thread));
    };
    run_phase(r, r.phases.product_ms, points_.size() * parts, multiply_part);
  }

  const ConvProblem p_;
  const Pass pass_;
  const int threads_;
  const SpectralBlocking blocking_;
  const std::unique_ptr<const ConvSpectrum> spectrum_;
  const std::vector<SpectrumPoint> points_;
};

}  // namespace

std::unique_ptr<ConvPlan> make_spectral_plan(const ConvProblem& problem, Pass pass, int threads,
                                             const SpectralBlocking& blocking,
                                             std::unique_ptr<const ConvSpectrum> spectrum) {
  return std::make_unique<SpectralPlan>(problem, pass, threads, blocking, std::move(spectrum));
}

}  // namespace convoy
