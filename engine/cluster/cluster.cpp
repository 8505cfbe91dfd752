#include "engine/cluster/cluster.h"

#include "engine/cluster/in_process_worker.h"
#include "engine/link/memory_link.h"
#include "engine/link/throttled_link.h"

namespace convoy {

Cluster::Cluster(std::vector<ClusterMember> members, const StopToken* stop)
    : halt_(stop),
      master_device_(std::move(members.at(0).device)),
      master_program_(*master_device_, 0, nullptr, halt_) {
  for (std::size_t i = 1; i < members.size(); ++i)
    workers_.push_back(std::make_unique<InProcessWorker>(
        std::move(members[i].device), static_cast<int>(i),
        std::make_unique<ThrottledLink>(std::make_unique<MemoryLink>(), members[i].link), halt_));
}

const DeviceInfo& Cluster::info(int device) const {
  if (device == 0) return master_device_->info();
  return workers_.at(static_cast<std::size_t>(device) - 1)->info();
}

void Cluster::set_link(int device, const LinkSettings& settings) {
  if (device > 0) workers_.at(static_cast<std::size_t>(device) - 1)->set_link(settings);
}

std::vector<WorkerReport> Cluster::exchange(const std::vector<const WorkerCommand*>& commands) {
  std::vector<WorkerReport> reports(commands.size());
  for (std::size_t i = 1; i < commands.size(); ++i)
    if (commands[i]) workers_[i - 1]->start(*commands[i]);

  // Who fails halts the others, whose Interrupted is then only an echo.
  std::exception_ptr failure, echo;
  const auto attempt = [&](auto&& work) {
    try {
      work();
    } catch (const Interrupted&) {
      echo = std::current_exception();
    } catch (...) {
      halt_.request_stop();
      if (!failure) failure = std::current_exception();
    }
  };
  if (commands[0]) attempt([&] { reports[0] = master_program_.obey(*commands[0]); });
  for (std::size_t i = 1; i < commands.size(); ++i)
    if (commands[i]) attempt([&] { reports[i] = workers_[i - 1]->finish(); });
  if (failure) std::rethrow_exception(failure);
  if (echo) std::rethrow_exception(echo);
  return reports;
}

void Cluster::configure(int layer, const ConvProblem& problem, const std::vector<int>& kernels,
                        bool needs_grad_input, const std::vector<ConvMeasurement>& measured) {
  std::vector<WorkerCommand> commands(kernels.size());
  std::vector<const WorkerCommand*> given(kernels.size());
  for (std::size_t i = 0; i < kernels.size(); ++i) {
    WorkerCommand& command = commands[i];
    command.kind = CommandKind::kConfigure;
    command.layer = layer;
    command.leave_out = kernels[i] == 0;
    command.needs_grad_input = needs_grad_input;
    command.problem = problem.with_kernels(kernels[i]);
    if (i < measured.size()) command.algorithms = measured[i].algorithm;
    given[i] = &command;
  }
  exchange(given);
}

std::vector<ConvMeasurement> Cluster::measure(const ConvProblem& problem,
                                              const std::vector<int>& kernels,
                                              bool needs_grad_input) {
  std::vector<WorkerCommand> commands(kernels.size());
  std::vector<const WorkerCommand*> given(kernels.size());
  for (std::size_t i = 0; i < kernels.size(); ++i) {
    if (kernels[i] == 0) continue;
    commands[i].kind = CommandKind::kMeasure;
    commands[i].problem = problem.with_kernels(kernels[i]);
    commands[i].needs_grad_input = needs_grad_input;
    given[i] = &commands[i];
  }
  const auto reports = exchange(given);
  std::vector<ConvMeasurement> measurements;
  for (const WorkerReport& report : reports) measurements.push_back(report.measurement);
  return measurements;
}

}  // namespace convoy
