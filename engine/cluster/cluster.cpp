#include "engine/cluster/cluster.h"

#include <algorithm>

#include "engine/cluster/in_process_worker.h"
#include "engine/cluster/schedule.h"
#include "engine/link/memory_link.h"
#include "engine/link/throttled_link.h"

namespace convoy {
namespace {

SteadyClock::duration duration_of(double ms) {
  return std::chrono::duration_cast<SteadyClock::duration>(
      std::chrono::duration<double, std::milli>(ms));
}

// The measurement as a device of other speed would have made it.
void scale(ConvMeasurement& measurement, double factor) {
  for (double& ms : measurement.ms) ms *= factor;
}

}  // namespace

Cluster::Cluster(std::vector<ClusterMember> members, const StopToken* stop, ClockMode clock)
    : halt_(stop),
      master_device_(std::move(members.at(0).device)),
      master_program_(*master_device_, 0, nullptr, halt_) {
  const bool is_virtual = clock == ClockMode::kVirtual;
  if (is_virtual) clock_.emplace(members[0].speed);
  for (const ClusterMember& member : members) {
    speeds_.push_back(member.speed);
    hardware_.push_back(member.hardware);
    links_.push_back(member.link);
  }
  for (std::size_t i = 1; i < members.size(); ++i)
    workers_.push_back(std::make_unique<InProcessWorker>(
        std::move(members[i].device), static_cast<int>(i),
        std::make_unique<ThrottledLink>(std::make_unique<MemoryLink>(),
                                        is_virtual ? LinkSettings{} : members[i].link),
        halt_));
}

const DeviceInfo& Cluster::info(int device) const {
  if (device == 0) return master_device_->info();
  return workers_.at(static_cast<std::size_t>(device) - 1)->info();
}

void Cluster::set_link(int device, const LinkSettings& settings) {
  const auto place = static_cast<std::size_t>(device);
  {
    const std::lock_guard lock(links_mutex_);
    links_.at(place) = settings;
  }
  if (device > 0 && !clock_) workers_.at(place - 1)->set_link(settings);
}

void Cluster::end_step() {
  if (clock_) clock_->forget();
}

std::vector<WorkerReport> Cluster::exchange(const std::vector<const WorkerCommand*>& commands) {
  const TimePoint begin = SteadyClock::now();
  std::vector<WorkerReport> reports(commands.size());
  for (std::size_t i = 1; i < commands.size(); ++i)
    if (commands[i] && !clock_) workers_[i - 1]->start(*commands[i]);

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
    if (commands[i])
      attempt([&] {
        if (clock_) workers_[i - 1]->start(*commands[i]);  // its turn
        reports[i] = workers_[i - 1]->finish();
      });
  if (failure) std::rethrow_exception(failure);
  if (echo) std::rethrow_exception(echo);
  if (clock_) clock_->replace(begin, SteadyClock::now(), reschedule(reports, clock_->at(begin)));
  return reports;
}

SteadyClock::duration Cluster::reschedule(std::vector<WorkerReport>& reports,
                                          TimePoint begin) const {
  std::vector<DeviceWorkload> devices(reports.size());
  for (std::size_t i = 0; i < reports.size(); ++i) {
    // In the order of what depends on what: work ends after what it waited for.
    std::vector<Slice>& slices = reports[i].slices;
    std::stable_sort(slices.begin(), slices.end(),
                     [](const Slice& a, const Slice& b) { return a.end < b.end; });
    for (const Slice& slice : slices)
      devices[i].pieces.push_back({slice.activity, slice.pass,
                                   milliseconds(slice.end - slice.begin) / speeds_[i], slice.bytes,
                                   slice.chunk});
    const std::lock_guard lock(links_mutex_);
    if (i > 0) devices[i].link = links_[i];
  }
  const PlacedExchange placed = place_exchange(devices, overlap_);
  for (std::size_t i = 0; i < reports.size(); ++i)
    for (std::size_t k = 0; k < reports[i].slices.size(); ++k) {
      Slice& slice = reports[i].slices[k];
      slice.begin = begin + duration_of(placed.devices[i][k].begin_ms);
      slice.end = begin + duration_of(placed.devices[i][k].end_ms);
    }
  return duration_of(placed.ms);
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
  // On the virtual clock what is known of a device is known of all that are the same.
  std::vector<std::size_t> measured_by(kernels.size());
  for (std::size_t i = 0; i < kernels.size(); ++i) {
    if (kernels[i] == 0) continue;
    measured_by[i] = i;
    for (std::size_t k = i; clock_ && !hardware_[i].empty() && k-- > 0;)
      if (hardware_[k] == hardware_[i] && kernels[k] == kernels[i]) measured_by[i] = k;
    if (measured_by[i] != i) continue;
    commands[i].kind = CommandKind::kMeasure;
    commands[i].problem = problem.with_kernels(kernels[i]);
    commands[i].needs_grad_input = needs_grad_input;
    given[i] = &commands[i];
  }
  const auto reports = exchange(given);
  std::vector<ConvMeasurement> measurements;
  for (std::size_t i = 0; i < kernels.size(); ++i) {
    measurements.push_back(kernels[i] > 0 ? reports[measured_by[i]].measurement
                                          : ConvMeasurement());
    if (clock_) scale(measurements.back(), 1.0 / speeds_[i]);
  }
  return measurements;
}

}  // namespace convoy
