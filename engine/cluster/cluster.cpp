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
  if (auto& cut_ms = measurement.cut_ms)
    cut_ms = CutCost{cut_ms->forward * factor, cut_ms->backward * factor};
  measurement.moving = measurement.moving.scaled(factor);
}

}  // namespace

Cluster::Cluster(std::vector<ClusterMember> members, const StopToken* stop, ClockMode clock)
    : halt_(stop),
      stop_(stop),
      available_(members.size(), true),
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
                                        is_virtual ? LinkSettings{} : members[i].link)));
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

LinkSettings Cluster::link(int device) const {
  const std::lock_guard lock(links_mutex_);
  return links_.at(static_cast<std::size_t>(device));
}

std::vector<LinkSettings> Cluster::links() const {
  const std::lock_guard lock(links_mutex_);
  return links_;
}

void Cluster::end_step() {
  if (clock_) clock_->forget();
}

void Cluster::readmit(int device) {
  const auto place = static_cast<std::size_t>(device);
  if (available_.at(place)) return;
  if (!workers_.at(place - 1)->wait_for({}))
    throw Error(ErrorKind::kDevice, info(device).id,
                "still hangs in the call in which it was lost");
  available_[place] = true;
}

// The workers' side of one exchange, from the first command to the last answer.
class Cluster::Exchange {
 public:
  Exchange(Cluster& cluster, const std::vector<const WorkerCommand*>& commands,
           std::vector<WorkerReport>& reports)
      : cluster_(cluster), commands_(commands), reports_(reports) {
    context_->memory = cluster.memory_;
    cluster_.halt_.follow(&context_->halt);
  }
  ~Exchange() { cluster_.halt_.follow(nullptr); }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  void start(std::size_t device) {
    worker(device).start(*commands_[device], context_);
    pending_.push_back({device, 0});
  }
  void halt() { context_->halt.request_stop(); }
  bool halted() const { return context_->halt.stop_requested(); }

  // Until nobody is left who may still answer.
  void await_all() {
    std::optional<TimePoint> stopped;
    while (!pending_.empty()) {
      worker(pending_.front().device).wait_for(kPoll);
      if (!stopped && cluster_.stop_ && cluster_.stop_->stop_requested()) {
        stopped = SteadyClock::now();
        halt();
      }
      const bool no_more_patience = stopped && SteadyClock::now() - *stopped > kStopPatience;
      std::erase_if(pending_, [&](Pending& pending) {
        if (worker(pending.device).wait_for({})) {
          take_answer(pending.device);
          return true;
        }
        if (!no_more_patience && !hangs(pending)) return false;
        lose(pending.device, "did not answer in time", true);
        return true;
      });
    }
  }

  std::vector<LostDevice>& lost() { return lost_; }

 private:
  static constexpr std::chrono::milliseconds kPoll{20};
  static constexpr std::chrono::milliseconds kStopPatience{400};
  // In a row, so that a program that was suspended, and its workers with it, gets going again
  // first.
  static constexpr int kOverduePolls = 10;

  struct Pending {
    std::size_t device;
    int overdue_polls;
  };

  Worker& worker(std::size_t device) { return *cluster_.workers_[device - 1]; }

  void take_answer(std::size_t device) {
    try {
      reports_[device] = worker(device).finish();
    } catch (const Interrupted&) {
      // An echo of another's failure, or of the person's stop.
    } catch (const std::bad_alloc&) {
      lose(device, "out of memory", false);
    } catch (const std::exception& error) {
      lose(device, error.what(), false);
    } catch (...) {
      lose(device, "failed without a word", false);
    }
  }

  bool hangs(Pending& pending) {
    const double speed = cluster_.clock_ ? cluster_.speeds_[pending.device] : 1.0;
    const auto time = std::chrono::duration_cast<SteadyClock::duration>(
        worker(pending.device).device_time() / speed);
    const bool overdue =
        cluster_.overdue_(static_cast<int>(pending.device), *commands_[pending.device], time);
    pending.overdue_polls = overdue ? pending.overdue_polls + 1 : 0;
    return pending.overdue_polls >= kOverduePolls;
  }

  void lose(std::size_t device, const std::string& reason, bool hanging) {
    halt();
    cluster_.available_[device] = false;
    const WorkerCommand& command = *commands_[device];
    lost_.push_back({static_cast<int>(device), command.kind, command.layer, reason, hanging});
  }

  Cluster& cluster_;
  const std::vector<const WorkerCommand*>& commands_;
  std::vector<WorkerReport>& reports_;
  std::shared_ptr<ExchangeContext> context_ = std::make_shared<ExchangeContext>();
  std::vector<Pending> pending_;
  std::vector<LostDevice> lost_;
};

std::vector<WorkerReport> Cluster::exchange(const std::vector<const WorkerCommand*>& commands) {
  const TimePoint begin = SteadyClock::now();
  std::vector<WorkerReport> reports(commands.size());
  for (std::size_t i = 1; i < commands.size(); ++i)
    if (commands[i] && !available_[i] &&
        (commands[i]->kind != CommandKind::kFetch || !workers_[i - 1]->wait_for({})))
      throw Error(ErrorKind::kDevice, info(static_cast<int>(i)).id,
                  "is in quarantine, and what only it keeps is lost");
  Exchange exchange(*this, commands, reports);
  for (std::size_t i = 1; i < commands.size(); ++i)
    if (commands[i] && !clock_) exchange.start(i);

  std::exception_ptr failure;
  try {
    if (commands[0]) reports[0] = master_program_.obey(*commands[0]);
  } catch (const Interrupted&) {
    exchange.halt();
  } catch (...) {
    failure = std::current_exception();
    exchange.halt();
  }
  exchange.await_all();
  for (std::size_t i = 1; i < commands.size(); ++i)
    if (commands[i] && clock_ && !exchange.halted()) {
      exchange.start(i);  // its turn
      exchange.await_all();
    }
  if (failure) std::rethrow_exception(failure);
  if (stop_) stop_->throw_if_stopped();
  if (!exchange.lost().empty()) throw DeviceLost(std::move(exchange.lost()));
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
    if (const auto cores = info(static_cast<int>(i)).cores.size(); i > 0 && cores > 0)
      devices[i].lost_to_transfers = 1.0 / static_cast<double>(cores);
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

void Cluster::configure(int layer, const std::vector<LayerPart>& parts,
                        const std::vector<ConvMeasurement>& measured) {
  std::vector<WorkerCommand> commands(parts.size());
  std::vector<const WorkerCommand*> given(parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    WorkerCommand& command = commands[i];
    command.kind = CommandKind::kConfigure;
    command.layer = layer;
    command.leave_out = parts[i].empty();
    command.part = parts[i];
    if (i < measured.size()) command.algorithms = measured[i].algorithm;
    if (available_[i]) given[i] = &command;
  }
  exchange(given);
}

template <class Same>
std::size_t Cluster::measured_by(std::size_t device, const Same& same) const {
  std::size_t by = device;
  for (std::size_t other = device; clock_ && !hardware_[device].empty() && other-- > 0;)
    if (hardware_[other] == hardware_[device] && same(other, device)) by = other;
  return by;
}

std::vector<ConvMeasurement> Cluster::measure(const std::vector<LayerPart>& parts) {
  std::vector<WorkerCommand> commands(parts.size());
  std::vector<const WorkerCommand*> given(parts.size());
  std::vector<std::size_t> by(parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].empty()) continue;
    by[i] = measured_by(i, [&](std::size_t a, std::size_t b) {
      return parts[a].problem == parts[b].problem && parts[a].cuts == parts[b].cuts;
    });
    if (by[i] != i) continue;
    commands[i].kind = CommandKind::kMeasure;
    commands[i].part = parts[i];
    given[i] = &commands[i];
  }
  std::vector<ConvMeasurement> measurements;
  const auto reports = exchange(given);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    measurements.push_back(parts[i].empty() ? ConvMeasurement() : reports[by[i]].measurement);
    if (clock_) scale(measurements.back(), 1.0 / speeds_[i]);
  }
  return measurements;
}

std::vector<std::vector<std::array<double, 3>>> Cluster::rehearse(
    const std::vector<std::vector<ChosenPart>>& steps) {
  const auto same = [&](std::size_t a, std::size_t b) {
    return std::equal(steps[a].begin(), steps[a].end(), steps[b].begin(), steps[b].end(),
                      [](const ChosenPart& one, const ChosenPart& other) {
                        return one.part.problem == other.part.problem;
                      });
  };
  std::vector<WorkerCommand> commands(steps.size());
  std::vector<const WorkerCommand*> given(steps.size());
  std::vector<std::size_t> by(steps.size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    by[i] = i;
    if (std::all_of(steps[i].begin(), steps[i].end(),
                    [](const ChosenPart& layer) { return layer.part.empty(); }))
      continue;
    by[i] = measured_by(i, same);
    if (by[i] != i) continue;
    commands[i].kind = CommandKind::kRehearse;
    commands[i].step = steps[i];
    given[i] = &commands[i];
  }
  const auto reports = exchange(given);
  std::vector<std::vector<std::array<double, 3>>> times;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    times.push_back(reports[by[i]].step_ms);
    if (!clock_) continue;
    for (auto& layer : times.back())
      for (double& ms : layer) ms /= speeds_[i];
  }
  return times;
}

}  // namespace convoy
