#include "engine/cluster/deadline.h"

#include "engine/cluster/layer_plan.h"

namespace convoy {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr Seconds kFirstCommand{600.0};
constexpr double kFirstRuns = 30.0;
constexpr double kLeastFlops = 1e9;  // a second
constexpr double kPatience = 10.0;
constexpr Seconds kSlack{10.0};

}  // namespace

bool overdue_uncalibrated(int, const WorkerCommand& command, SteadyClock::duration device_time) {
  switch (command.kind) {
    case CommandKind::kConfigure:
      return device_time > kFirstCommand;
    case CommandKind::kMeasure: {
      const double flops = kFirstRuns * 3.0 * command.part.problem.flops();
      return device_time > kFirstCommand + Seconds(flops / kLeastFlops);
    }
    case CommandKind::kRehearse: {
      double flops = 0.0;
      for (const ChosenPart& layer : command.step)
        if (!layer.part.empty()) flops += kFirstRuns * 3.0 * layer.part.problem.flops();
      return device_time > kFirstCommand + Seconds(flops / kLeastFlops);
    }
    case CommandKind::kForward:
    case CommandKind::kBackward:
    case CommandKind::kUpdate:
    case CommandKind::kPlace:
    case CommandKind::kFetch:
      break;
  }
  return false;
}

Overdue overdue_by(const ClusterPlan& plan) {
  std::vector<std::vector<Seconds>> allowed;  // [layer][device]
  for (const LayerPlan& layer : plan.layers) {
    auto& row = allowed.emplace_back();
    for (std::size_t device = 0; device < layer.counts().size(); ++device)
      row.push_back(
          layer.counts()[device] == 0
              ? kFirstCommand
              : kPatience * Seconds(layer.cost[device].ms(layer.counts()[device]) * 1e-3) + kSlack);
  }
  return [allowed](int device, const WorkerCommand& command, SteadyClock::duration device_time) {
    if (command.kind != CommandKind::kForward && command.kind != CommandKind::kBackward)
      return overdue_uncalibrated(device, command, device_time);
    return device_time >
           allowed.at(static_cast<std::size_t>(command.layer)).at(static_cast<std::size_t>(device));
  };
}

}  // namespace convoy
