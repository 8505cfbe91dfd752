#include "engine/cluster/distributed_conv.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/cluster/block_work.h"

namespace convoy {
namespace {

// What the worker sends and receives as the layer's output: pooled maps where it pools.
std::size_t maps_per_kernel(const ConvProblem& problem, bool pooled) {
  const ConvProblem one = problem.with_kernels(1);
  return pooled ? one.pooled_size() : one.output_size();
}

}  // namespace

DistributedConv::DistributedConv(Cluster& cluster, const ClusterPlan& plan,
                                 const DistributionOptions& options, ThreadPool& pool)
    : cluster_(cluster),
      options_(options),
      pool_(pool),
      shares_(static_cast<std::size_t>(cluster.size())) {
  cluster_.set_overlap(options.overlap);
  set_up(plan);
}

void DistributedConv::set_up(const ClusterPlan& plan) {
  layers_.clear();
  slices_.clear();
  time_ = {};
  for (const LayerPlan& from : plan.layers) {
    Layer layer{from.problem, from.split, from.parts(options_)};
    cluster_.configure(static_cast<int>(layers_.size()), layer.parts, from.measured);
    const auto grow = [](FloatBuffer& buffer, std::size_t size) {
      if (buffer.size() < size) buffer.resize(size);
    };
    for (std::size_t device = 0; device < layer.parts.size(); ++device) {
      if (layer.parts[device].empty()) continue;
      Shares& shares = shares_[device];
      if (layer.split == SplitMode::kBatch) {
        grow(shares.grad_weight, from.problem.weight_size());
        grow(shares.grad_bias, static_cast<std::size_t>(from.problem.out_channels));
      } else if (device > 0 && from.needs_grad_input) {
        grow(shares.grad_input, from.problem.input_size());
      }
    }
    layers_.push_back(std::move(layer));
  }
}

void DistributedConv::reconfigure(const ClusterPlan& plan) {
  if (kept_.empty()) fetch_kept();  // else an earlier call failed between taking and giving
  set_up(plan);
  for (std::size_t i = 0; i < kept_.size(); ++i) {
    const int number = static_cast<int>(i);
    if (!keeps_weights(number)) continue;
    Kept& kept = kept_[i];
    place_weights(number, WeightState::kValue, {kept.weight.data(), kept.bias.data()});
    place_weights(number, WeightState::kVelocity,
                  {kept.velocity.data(), kept.bias_velocity.data()});
  }
  kept_.clear();
}

void DistributedConv::fetch_kept() {
  std::vector<Kept> all(layers_.size());
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const int number = static_cast<int>(i);
    if (!keeps_weights(number)) continue;
    const ConvProblem& problem = layers_[i].problem;
    Kept& kept = all[i];
    for (FloatBuffer* values : {&kept.weight, &kept.velocity})
      values->resize(problem.weight_size());
    for (FloatBuffer* values : {&kept.bias, &kept.bias_velocity})
      values->resize(static_cast<std::size_t>(problem.out_channels));
    fetch_weights(number, WeightState::kValue, {kept.weight.data(), kept.bias.data()});
    fetch_weights(number, WeightState::kVelocity,
                  {kept.velocity.data(), kept.bias_velocity.data()});
  }
  kept_ = std::move(all);
}

template <class Describe>
std::vector<WorkerReport> DistributedConv::exchange(int number, CommandKind kind,
                                                    const Describe& describe) {
  const Layer& layer = layers_.at(static_cast<std::size_t>(number));
  std::vector<WorkerCommand> commands(layer.parts.size());
  std::vector<const WorkerCommand*> given(commands.size());
  for (std::size_t device = 0; device < layer.parts.size(); ++device) {
    if (layer.parts[device].empty()) continue;
    commands[device].kind = kind;
    commands[device].layer = number;
    describe(device, layer.parts[device], commands[device]);
    given[device] = &commands[device];
  }
  return cluster_.exchange(given);
}

void DistributedConv::forward(int number, const LayerForward& operands) {
  const TimePoint begin = cluster_.now();
  const ConvProblem& whole = layers_.at(static_cast<std::size_t>(number)).problem;
  const std::size_t maps = maps_per_kernel(whole, options_.fuse_pooling);
  const auto reports =
      exchange(number, CommandKind::kForward,
               [&](std::size_t, const LayerPart& part, WorkerCommand& command) {
                 const auto first = static_cast<std::size_t>(part.first_kernel);
                 const auto kernels = static_cast<std::size_t>(part.problem.out_channels);
                 command.training = operands.training;
                 command.input = {operands.input, whole.input_size()};
                 command.output = {operands.output + first * maps, kernels * maps};
                 if (part.resident) return;
                 command.weight = {operands.weight + first * whole.kernel_elements(),
                                   part.problem.weight_size()};
                 if (part.fuse_pooling) command.bias = {operands.bias + first, kernels};
               });
  record(number, Pass::kForward, begin, cluster_.now(), reports);
}

void DistributedConv::backward(int number, const LayerBackward& operands) {
  const TimePoint begin = cluster_.now();
  const Layer& layer = layers_.at(static_cast<std::size_t>(number));
  const ConvProblem& whole = layer.problem;
  const std::size_t maps = maps_per_kernel(whole, options_.fuse_pooling);
  const bool by_batch = layer.split == SplitMode::kBatch;
  const auto reports = exchange(
      number, CommandKind::kBackward,
      [&](std::size_t device, const LayerPart& part, WorkerCommand& command) {
        const auto first = static_cast<std::size_t>(part.first_kernel);
        const auto kernels = static_cast<std::size_t>(part.problem.out_channels);
        Shares& shares = shares_[device];
        command.grad_output = {operands.grad_output + first * maps, kernels * maps};
        if (operands.grad_input)
          command.grad_input = {
              by_batch || device == 0 ? operands.grad_input : shares.grad_input.data(),
              whole.input_size()};
        if (part.resident) return;
        command.grad_weight = {by_batch ? shares.grad_weight.data()
                                        : operands.grad_weight + first * whole.kernel_elements(),
                               part.problem.weight_size()};
        if (part.fuse_pooling)
          command.grad_bias = {by_batch ? shares.grad_bias.data() : operands.grad_bias + first,
                               kernels};
      });
  if (by_batch) {
    sum_shares(layer, operands.grad_weight, whole.weight_size(), &Shares::grad_weight);
    if (options_.fuse_pooling)
      sum_shares(layer, operands.grad_bias, static_cast<std::size_t>(whole.out_channels),
                 &Shares::grad_bias);
  } else if (operands.grad_input) {
    sum_shares(layer, operands.grad_input, whole.input_size(), &Shares::grad_input);
  }
  record(number, operands.grad_input ? Pass::kBackwardData : Pass::kBackwardWeights, begin,
         cluster_.now(), reports);
}

void DistributedConv::sum_shares(const Layer& layer, float* sum, std::size_t size,
                                 FloatBuffer Shares::*what) {
  // The first share may be in its place already.
  std::vector<const float*> shares;
  bool started = false;
  for (std::size_t device = 0; device < layer.parts.size(); ++device) {
    if (layer.parts[device].empty()) continue;
    const FloatBuffer& share = shares_[device].*what;
    if (device == 0 && share.empty())
      started = true;
    else
      shares.push_back(share.data());
  }
  if (shares.empty()) return;
  constexpr std::size_t kGrain = 4096;  // floats; a page each
  pool_.parallel_ranges(size, kGrain, [&](std::size_t begin, std::size_t end, int) {
    // By blocks that stay in the first-level cache over all shares.
    for (std::size_t at = begin; at < end; at += kGrain) {
      const std::size_t count = std::min(kGrain, end - at);
      float* const block = sum + at;
      bool any = started;
      for (const float* share : shares) {
        if (!std::exchange(any, true))
          std::memcpy(block, share + at, count * sizeof(float));
        else
          for (std::size_t i = 0; i < count; ++i) block[i] += share[at + i];
      }
    }
  });
}

bool DistributedConv::keeps_weights(int number) const {
  return options_.resident_kernels &&
         layers_.at(static_cast<std::size_t>(number)).split == SplitMode::kKernels;
}

void DistributedConv::update(const SgdFactors& factors) {
  std::vector<WorkerCommand> commands(shares_.size());
  std::vector<const WorkerCommand*> given(commands.size());
  for (const Layer& layer : layers_)
    for (std::size_t device = 0; device < layer.parts.size(); ++device) {
      if (layer.parts[device].empty() || !layer.parts[device].resident) continue;
      commands[device].kind = CommandKind::kUpdate;
      commands[device].sgd = factors;
      given[device] = &commands[device];
    }
  if (std::all_of(given.begin(), given.end(), [](const auto* command) { return !command; })) return;
  const TimePoint begin = cluster_.now();
  const auto reports = cluster_.exchange(given);
  record(0, Pass::kBackwardWeights, begin, cluster_.now(), reports);
}

void DistributedConv::move_weights(CommandKind kind, int number, WeightState state,
                                   const LayerWeights& whole) {
  exchange(number, kind, [&](std::size_t, const LayerPart& part, WorkerCommand& command) {
    const auto first = static_cast<std::size_t>(part.first_kernel);
    const auto kernels = static_cast<std::size_t>(part.problem.out_channels);
    command.state = state;
    command.grad_weight = {whole.weight + first * part.problem.kernel_elements(),
                           part.problem.weight_size()};
    if (part.fuse_pooling) command.grad_bias = {whole.bias + first, kernels};
    command.weight = command.grad_weight;
    command.bias = command.grad_bias;
  });
}

void DistributedConv::place_weights(int number, WeightState state, const LayerWeights& from) {
  move_weights(CommandKind::kPlace, number, state, from);
}

void DistributedConv::fetch_weights(int number, WeightState state, const LayerWeights& to) {
  move_weights(CommandKind::kFetch, number, state, to);
}

void DistributedConv::record(int number, Pass wait_pass, TimePoint begin, TimePoint end,
                             const std::vector<WorkerReport>& reports) {
  time_ += end - begin;
  const Layer& layer = layers_.at(static_cast<std::size_t>(number));
  for (std::size_t device = 0; device < layer.parts.size(); ++device) {
    if (layer.parts[device].empty()) continue;
    TimePoint last = begin;
    for (const Slice& slice : reports[device].slices) {
      slices_.push_back(slice);
      last = std::max(last, slice.end);
    }
    // From its last piece of work to the end of the layer: waiting for the others and for the sum.
    Slice wait;
    wait.device = static_cast<int>(device);
    wait.layer = number;
    wait.pass = wait_pass;
    wait.activity = Activity::kWait;
    wait.begin = last;
    wait.end = end;
    slices_.push_back(wait);
  }
}

std::vector<Slice> DistributedConv::take_slices() {
  return std::exchange(slices_, {});
}

SteadyClock::duration DistributedConv::take_time() {
  return std::exchange(time_, {});
}

}  // namespace convoy
