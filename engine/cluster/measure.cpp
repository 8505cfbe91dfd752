#include "engine/cluster/measure.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "engine/base/rounding.h"
#include "engine/cluster/block_work.h"
#include "engine/device/conv_step.h"
#include "engine/link/wire_transfer.h"

namespace convoy {
namespace {

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Runs once to warm up, which `forget` takes back, then for about `total_ms`, at most `most` times;
// `run` returns the milliseconds of a run. What takes very long is run once.
template <class Run, class Forget>
void run_for_medians(const Run& run, const Forget& forget, double total_ms, int most) {
  // The first run touches memory and, on an OpenCL device, may compile kernels.
  if (run() >= 10e3) return;
  forget();
  const double second_ms = run();
  const int least = second_ms < 1500.0 ? 5 : 3;
  const int runs = std::clamp(static_cast<int>(total_ms / second_ms), least, most);
  for (int i = 1; i < runs; ++i) run();
}

// Pooling there and back, where the convolution does not do it: from the maps that it fills, and to
// those that it reads on the way back.
class PoolingStep {
 public:
  explicit PoolingStep(const ConvProblem& problem)
      : problem_(problem),
        pooled_(problem.pooled_size()),
        bias_(static_cast<std::size_t>(problem.out_channels)),
        choices_(pooled_.size()) {
    bias_.fill_zero();
  }
  double forward_ms(Device& device, const float* maps, const StopToken* stop) {
    const TimePoint begin = SteadyClock::now();
    pool_layer(device, problem_, all(), maps, bias_.data(), pooled_.data(), choices_.data(), stop);
    return milliseconds(SteadyClock::now() - begin);
  }
  double backward_ms(Device& device, float* grad_maps, const StopToken* stop) {
    const TimePoint begin = SteadyClock::now();
    unpool_layer(device, problem_, all(), pooled_.data(), choices_.data(), grad_maps, bias_.data(),
                 stop);
    return milliseconds(SteadyClock::now() - begin);
  }

 private:
  Range all() const { return {0, static_cast<std::size_t>(problem_.batch)}; }

  const ConvProblem problem_;
  FloatBuffer pooled_, bias_;
  std::vector<std::uint8_t> choices_;
};

// A layer's passes with the pooling that belongs to them.
class PartStep {
 public:
  PartStep(Device& device, const LayerPart& part, const DeviceConvOptions& options)
      : device_(device),
        needs_grad_input_(part.needs_grad_input),
        conv_(device.make_conv(part.problem, options)),
        step_(part.problem) {
    if (part.fuse_pooling && !conv_->pools()) pooling_.emplace(part.problem);
  }
  const DeviceConv& conv() const { return *conv_; }

  void forward(const StopToken* stop, std::array<double, 3>& ms) {
    step_.forward(*conv_, stop, {}, ms);
    if (pooling_)
      ms[static_cast<std::size_t>(Pass::kForward)] +=
          pooling_->forward_ms(device_, step_.output(), stop);
  }
  void backward(const StopToken* stop, std::array<double, 3>& ms) {
    const double pooling_ms =
        pooling_ ? pooling_->backward_ms(device_, step_.grad_output(), stop) : 0.0;
    step_.backward(*conv_, needs_grad_input_, stop, {}, ms);
    ms[static_cast<std::size_t>(first_backward(needs_grad_input_))] += pooling_ms;
  }

 private:
  Device& device_;
  bool needs_grad_input_;
  std::unique_ptr<DeviceConv> conv_;
  ConvStep step_;
  std::optional<PoolingStep> pooling_;  // on the device's computer
};

// Stands for the step's other layers between the passes of this one: whatever lay in the caches of
// the device's computer has to come from memory again.
class Turnover {
 public:
  explicit Turnover(const OtherLayers& others)
      : forward_(std::min(others.before_forward, kMostBytes)),
        backward_(std::min(others.before_backward, kMostBytes)),
        memory_(std::max(forward_, backward_) / sizeof(float)) {
    memory_.fill_zero();
  }
  void before_forward(Device& device, const StopToken* stop) { walk(device, forward_, stop); }
  void before_backward(Device& device, const StopToken* stop) { walk(device, backward_, stop); }

 private:
  // Beyond what a core keeps to itself; to fill all of a server's last level takes too long.
  static constexpr std::size_t kMostBytes = std::size_t{64} << 20;

  void walk(Device& device, std::size_t bytes, const StopToken* stop) {
    constexpr std::size_t kPiece = std::size_t{1} << 16;
    const std::size_t floats = bytes / sizeof(float), pieces = ceil_div(floats, kPiece);
    if (pieces == 0) return;
    const auto walk_piece = [&](std::size_t piece) {
      const std::size_t end = std::min(floats, (piece + 1) * kPiece);
      for (std::size_t i = piece * kPiece; i < end; ++i) memory_[i] += 1.0f;
    };
    // Not by for_each(): a device that is slowed on purpose need not be slow in this.
    if (ThreadPool* const pool = device.host_pool()) {
      pool->parallel_for(
          pieces, [&](std::size_t piece, int) { walk_piece(piece); }, stop);
      return;
    }
    for (std::size_t piece = 0; piece < pieces; ++piece) {
      if (stop) stop->throw_if_stopped();
      walk_piece(piece);
    }
  }

  std::size_t forward_, backward_;
  FloatBuffer memory_;
};

}  // namespace

ConvMeasurement measure_part(Device& device, const LayerPart& part, const StopToken* stop) {
  DeviceConvOptions options;
  options.measure = true;
  options.needs_grad_input = part.needs_grad_input;
  options.pooling = part.fuse_pooling;
  options.stop = stop;
  PartStep step(device, part, options);

  Turnover turnover(part.others);
  std::array<std::vector<double>, 3> times;
  const auto run_all = [&] {
    std::array<double, 3> ms{};
    turnover.before_forward(device, stop);
    step.forward(stop, ms);
    turnover.before_backward(device, stop);
    step.backward(stop, ms);
    for (std::size_t i = 0; i < ms.size(); ++i) times[i].push_back(ms[i]);
    return ms[0] + ms[1] + ms[2];
  };
  const auto forget = [&] {
    for (auto& pass : times) pass.clear();
  };
  run_for_medians(run_all, forget, 2000.0, 50);
  ConvMeasurement measurement;
  for (const Pass pass : kAllPasses) {
    if (pass == Pass::kBackwardData && !part.needs_grad_input) continue;
    const auto i = static_cast<std::size_t>(pass);
    measurement.ms[i] = median(times[i]);
    measurement.algorithm[i] = step.conv().algorithm(pass);
    measurement.chosen_by[i] = step.conv().chosen_by(pass);
  }
  measurement.scratch_bytes = step.conv().scratch_bytes();
  measurement.moving = measure_moving(device, part, stop);
  return measurement;
}

std::vector<std::array<double, 3>> measure_step(Device& device, const std::vector<ChosenPart>& step,
                                                const StopToken* stop) {
  std::vector<std::unique_ptr<PartStep>> layers;  // null where the device has no part
  for (const ChosenPart& layer : step) {
    DeviceConvOptions options;
    options.algorithms = layer.algorithms;
    options.needs_grad_input = layer.part.needs_grad_input;
    options.pooling = layer.part.fuse_pooling;
    options.stop = stop;
    layers.push_back(layer.part.empty() ? nullptr
                                        : std::make_unique<PartStep>(device, layer.part, options));
  }
  std::vector<std::array<std::vector<double>, 3>> times(step.size());
  const auto run_all = [&] {
    const TimePoint begin = SteadyClock::now();
    std::vector<std::array<double, 3>> ms(layers.size());
    for (std::size_t i = 0; i < layers.size(); ++i)
      if (layers[i]) layers[i]->forward(stop, ms[i]);
    for (std::size_t i = layers.size(); i-- > 0;)
      if (layers[i]) layers[i]->backward(stop, ms[i]);
    for (std::size_t i = 0; i < layers.size(); ++i)
      for (std::size_t pass = 0; pass < 3; ++pass) times[i][pass].push_back(ms[i][pass]);
    return milliseconds(SteadyClock::now() - begin);
  };
  const auto forget = [&] {
    for (auto& layer : times)
      for (auto& pass : layer) pass.clear();
  };
  run_for_medians(run_all, forget, 1000.0, 30);
  std::vector<std::array<double, 3>> medians;
  for (auto& layer : times) {
    auto& ms = medians.emplace_back();
    for (std::size_t pass = 0; pass < 3; ++pass) ms[pass] = median(layer[pass]);
  }
  return medians;
}

MovingCost measure_moving(Device& device, const LayerPart& part, const StopToken* stop) {
  // Beyond the caches, where the part's maps are; more would tell no more.
  constexpr std::size_t kMost = std::size_t{1} << 22;
  const std::size_t maps = std::max(part.problem.input_size(), part.problem.output_size() / 4);
  const auto pictures = static_cast<std::size_t>(part.problem.batch);
  const auto batch = std::max(pictures, static_cast<std::size_t>(part.batch));
  const std::size_t rows = std::max<std::size_t>(1, std::min(maps, kMost) / pictures);
  FloatBuffer whole(rows * batch), own(rows * pictures), third(rows * pictures);
  for (std::size_t i = 0; i < whole.size(); ++i)
    whole[i] = static_cast<float>(i * 2654435761u % 1021) - 510.0f;
  own.fill_zero();
  third.fill_zero();
  const auto median_ms = [&](const auto& work) {
    std::vector<double> times;
    for (int run = 0; run < 6; ++run) {
      if (stop) stop->throw_if_stopped();
      const TimePoint begin = SteadyClock::now();
      work();
      if (run > 0) times.push_back(milliseconds(SteadyClock::now() - begin));
    }
    return median(times) * 1e6 / static_cast<double>(own.size());
  };
  MovingCost cost;
  for (const WireFormat format : {WireFormat::kFp32, WireFormat::kFp16, WireFormat::kBf16}) {
    WireTransfer transfer(nullptr, Direction::kToWorker);
    cost.move[static_cast<std::size_t>(format)] = median_ms([&] {
      transfer.move(format, {whole.data(), rows, pictures, batch},
                    Rows<float>{own.data(), rows, pictures, pictures}, stop);
    });
  }
  constexpr std::size_t kPiece = std::size_t{1} << 16;
  cost.sum = median_ms([&] {
    device.for_each(
        ceil_div(own.size(), kPiece),
        [&](std::size_t piece) {
          const std::size_t end = std::min(own.size(), (piece + 1) * kPiece);
          for (std::size_t i = piece * kPiece; i < end; ++i) third[i] += own[i];
        },
        stop);
  });
  cost.update = median_ms([&] {
    update_weights(device, {}, whole.data(), own.size(), third.data(), own.data(), stop);
  });
  cost.cores = static_cast<int>(device.info().cores.size());
  return cost;
}

std::optional<CutCost> measure_cuts(Device& device, const LayerPart& part, const StopToken* stop) {
  const ConvProblem& problem = part.problem;
  DeviceConvOptions options;
  options.measure = true;
  options.needs_grad_input = part.needs_grad_input;
  options.in_parts = true;
  options.stop = stop;
  const auto conv = device.make_conv(problem, options);
  std::vector<Range> chunks;
  for (const BatchRange& chunk :
       batch_chunks({0, problem.batch}, part.cuts.forward | part.cuts.backward))
    chunks.push_back({static_cast<std::size_t>(chunk.begin), static_cast<std::size_t>(chunk.end)});
  if (!conv->works_in_parts() || chunks.size() < 2) return std::nullopt;
  ConvStep step(problem);
  constexpr auto kForward = static_cast<std::size_t>(Pass::kForward);
  constexpr auto kBackwardData = static_cast<std::size_t>(Pass::kBackwardData);
  std::vector<double> forward, backward;
  // In turns: what disturbs the machine disturbs both.
  const auto run_both = [&] {
    const TimePoint begin = SteadyClock::now();
    const auto whole = step.run(*conv, part.needs_grad_input, stop);
    const auto cut = step.run(*conv, part.needs_grad_input, stop, chunks);
    const auto cuts = static_cast<double>(chunks.size() - 1);
    forward.push_back((cut[kForward] - whole[kForward]) / cuts);
    backward.push_back((cut[kBackwardData] - whole[kBackwardData]) / cuts);
    return milliseconds(SteadyClock::now() - begin);
  };
  run_both();  // touches memory
  forward.clear();
  backward.clear();
  const int runs = std::clamp(static_cast<int>(2000.0 / run_both()), 3, 25);
  for (int run = 1; run < runs; ++run) run_both();
  return CutCost{std::max(0.0, median(forward)), std::max(0.0, median(backward))};
}

}  // namespace convoy
