#include "engine/cluster/distributed_conv.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace convoy {

DistributedConv::DistributedConv(Cluster& cluster, const ClusterPlan& plan, ThreadPool& pool)
    : cluster_(cluster), pool_(pool), grad_inputs_(static_cast<std::size_t>(cluster.size())) {
  reconfigure(plan);
}

void DistributedConv::reconfigure(const ClusterPlan& plan) {
  layers_.clear();
  slices_.clear();
  time_ = {};
  for (const LayerPlan& from : plan.layers) {
    const int number = static_cast<int>(layers_.size());
    cluster_.configure(number, from.problem, from.kernels, from.needs_grad_input, from.measured);
    Layer layer{from.problem, {}};
    std::size_t first = 0;
    for (std::size_t device = 0; device < from.kernels.size(); ++device) {
      const int kernels = from.kernels[device];
      if (kernels == 0) continue;
      layer.parts.push_back({static_cast<int>(device), first, from.problem.with_kernels(kernels)});
      first += static_cast<std::size_t>(kernels);
      FloatBuffer& share = grad_inputs_[device];
      if (device > 0 && from.needs_grad_input && share.size() < from.problem.input_size())
        share.resize(from.problem.input_size());
    }
    layers_.push_back(std::move(layer));
  }
}

template <class Describe>
std::vector<WorkerReport> DistributedConv::exchange(int number, CommandKind kind,
                                                    const Describe& describe) {
  const Layer& layer = layers_.at(static_cast<std::size_t>(number));
  std::vector<WorkerCommand> commands(static_cast<std::size_t>(cluster_.size()));
  std::vector<const WorkerCommand*> given(commands.size());
  for (const Part& part : layer.parts) {
    const auto device = static_cast<std::size_t>(part.device);
    WorkerCommand& command = commands[device];
    command.kind = kind;
    command.layer = number;
    const std::size_t maps = part.problem.output_size() / part.problem.out_channels;
    describe(part,
             Places{part.first_kernel * maps, part.first_kernel * part.problem.kernel_elements()},
             command);
    given[device] = &command;
  }
  return cluster_.exchange(given);
}

void DistributedConv::forward(int number, const float* input, const float* weight, float* output) {
  const TimePoint begin = cluster_.now();
  const auto reports = exchange(number, CommandKind::kForward,
                                [&](const Part& part, const Places& at, WorkerCommand& command) {
                                  command.input = {input, part.problem.input_size()};
                                  command.weight = {weight + at.weight, part.problem.weight_size()};
                                  command.output = {output + at.output, part.problem.output_size()};
                                });
  record(number, Pass::kForward, begin, cluster_.now(), reports);
}

void DistributedConv::backward(int number, const float* grad_output, float* grad_weight,
                               float* grad_input) {
  const TimePoint begin = cluster_.now();
  const auto reports =
      exchange(number, CommandKind::kBackward,
               [&](const Part& part, const Places& at, WorkerCommand& command) {
                 command.grad_output = {grad_output + at.output, part.problem.output_size()};
                 command.grad_weight = {grad_weight + at.weight, part.problem.weight_size()};
                 if (!grad_input) return;
                 FloatBuffer& share = grad_inputs_[static_cast<std::size_t>(part.device)];
                 command.grad_input = {part.device == 0 ? grad_input : share.data(),
                                       part.problem.input_size()};
               });
  if (grad_input) sum_grad_input(number, grad_input);
  record(number, grad_input ? Pass::kBackwardData : Pass::kBackwardWeights, begin, cluster_.now(),
         reports);
}

void DistributedConv::sum_grad_input(int number, float* grad_input) {
  const Layer& layer = layers_.at(static_cast<std::size_t>(number));
  const bool master_has_part = layer.parts.front().device == 0;
  if (master_has_part && layer.parts.size() == 1) return;
  constexpr std::size_t kGrain = 4096;  // floats; a page each
  pool_.parallel_ranges(layer.problem.input_size(), kGrain,
                        [&](std::size_t begin, std::size_t end, int) {
                          // By blocks that stay in the first-level cache over all shares.
                          for (std::size_t at = begin; at < end; at += kGrain) {
                            const std::size_t count = std::min(kGrain, end - at);
                            float* const sum = grad_input + at;
                            bool started = master_has_part;
                            for (const Part& part : layer.parts) {
                              if (part.device == 0) continue;
                              const float* const share =
                                  grad_inputs_[static_cast<std::size_t>(part.device)].data() + at;
                              if (!std::exchange(started, true))
                                std::memcpy(sum, share, count * sizeof(float));
                              else
                                for (std::size_t i = 0; i < count; ++i) sum[i] += share[i];
                            }
                          }
                        });
}

void DistributedConv::record(int number, Pass wait_pass, TimePoint begin, TimePoint end,
                             const std::vector<WorkerReport>& reports) {
  time_ += end - begin;
  for (const Part& part : layers_.at(static_cast<std::size_t>(number)).parts) {
    const auto& own = reports[static_cast<std::size_t>(part.device)].slices;
    TimePoint last = begin;
    for (const Slice& slice : own) {
      slices_.push_back(slice);
      last = std::max(last, slice.end);
    }
    // From its last piece of work to the end of the layer: waiting for the others and for the sum.
    slices_.push_back({part.device, number, wait_pass, Activity::kWait, last, end, 0, -1});
  }
}

std::vector<Slice> DistributedConv::take_slices() {
  return std::exchange(slices_, {});
}

SteadyClock::duration DistributedConv::take_time() {
  return std::exchange(time_, {});
}

}  // namespace convoy
