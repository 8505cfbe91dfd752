// The devices of one run: the master's own, computed on by the calling thread, and the workers, one
// thread each, beyond their links.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/cluster/deadline.h"
#include "engine/cluster/device_lost.h"
#include "engine/cluster/virtual_clock.h"
#include "engine/cluster/worker.h"
#include "engine/cluster/worker_program.h"

namespace convoy {

// One device as the run is set up with it. The first has no link.
struct ClusterMember {
  std::unique_ptr<Device> device;
  LinkSettings link;
  // On the virtual clock: the computer that it stands for is so much faster. (On the wall clock an
  // emulated slower device has its speed in itself.)
  double speed = 1.0;
  // Members with the same text here are one and the same device; empty: like no other.
  std::string hardware = {};
};

// Used by one thread, except set_link().
//
// On the virtual clock the devices of an exchange obey one after another, so that each computes as
// if it were alone, and links let everything through at once. What was measured, divided by each
// device's speed, and the bytes that each link would have carried, make the schedule
// (schedule.h) that all times of the reports are taken from. Devices of the same hardware share one
// measurement in measure().
class Cluster {
 public:
  // `members` must not be empty. `stop` must outlive the cluster.
  Cluster(std::vector<ClusterMember> members, const StopToken* stop,
          ClockMode clock = ClockMode::kWall);

  int size() const { return static_cast<int>(workers_.size()) + 1; }
  const DeviceInfo& info(int device) const;
  // The master's device is 0; workers are 1 and up.
  Device& master_device() { return *master_device_; }
  WorkerProgram& master_program() { return master_program_; }
  // Thread-safe. Has no meaning for device 0.
  void set_link(int device, const LinkSettings& settings);
  LinkSettings link(int device) const;
  std::vector<LinkSettings> links() const;  // [device]
  const StopToken* stop() const { return &halt_; }
  // From now on the person's stop does not count: for what must be fetched when it has been heard.
  void outlive_stop() {
    stop_ = nullptr;
    halt_.forget_parent();
  }
  // The run's time: real time, or the virtual clock's.
  TimePoint now() const { return at(SteadyClock::now()); }
  // The run's time at a real time since the exchange before the last end_step().
  TimePoint at(TimePoint real) const { return clock_ ? clock_->at(real) : real; }
  // Whoever takes times has taken those of this step.
  void end_step();
  // Whether a device works off an exchange in chunks, transfers beside computing; only the virtual
  // clock's schedule asks.
  void set_overlap(bool overlap) { overlap_ = overlap; }

  // A worker that fails or hangs is quarantined: it gets no command any more until it is let in
  // again, and the exchange throws DeviceLost. Only what it keeps can still be fetched from one
  // that does not hang.
  const std::vector<bool>& available() const { return available_; }  // [device]
  // Ends the quarantine. Throws Error(kDevice) while the device has not come back from the call in
  // which it hangs.
  void readmit(int device);
  // Who decides that a device hangs; overdue_uncalibrated() at first.
  void set_overdue(Overdue overdue) { overdue_ = std::move(overdue); }
  // What the spans of all coming commands lie in. Should a device hang, `memory` lives until it
  // comes back, and whoever gave it must use it no more: a late result may be written there.
  void keep_alive(std::shared_ptr<const void> memory) { memory_ = std::move(memory); }

  // One exchange: every device of `commands` (by index, [device]) obeys at the same time; nullptr
  // leaves a device out. The master's own device obeys in this thread. Returns the reports [device]
  // when all are done. Where anything fails, the others are halted and waited for. Throws
  // what the master's device throws; Interrupted, within half a second of a stop; DeviceLost. After
  // that the cluster is ready for the next exchange.
  std::vector<WorkerReport> exchange(const std::vector<const WorkerCommand*>& commands);

  // Sets up a layer on all available devices: parts[device], those that are empty left out, with
  // the algorithms that were measured. Without measurements the devices choose. Unavailable ones
  // must have no part.
  void configure(int layer, const std::vector<LayerPart>& parts,
                 const std::vector<ConvMeasurement>& measured = {});
  // All devices whose parts[device] is not empty measure it at the same time, as they will compute
  // it in a step. Entries of the others are zero.
  std::vector<ConvMeasurement> measure(const std::vector<LayerPart>& parts);
  // Every device that has a part in any layer of steps[device] rehearses them, all at the same
  // time. [device][layer]; empty for those without a part.
  std::vector<std::vector<std::array<double, 3>>> rehearse(
      const std::vector<std::vector<ChosenPart>>& steps);

 private:
  // Which device measures for this one: on the virtual clock what is known of a device is known of
  // all that are the same, where `same(other, device)` says that they have the same to do.
  template <class Same>
  std::size_t measured_by(std::size_t device, const Same& same) const;
  // Moves the reports' slices to where the schedule has them, from `begin` on; returns its length.
  SteadyClock::duration reschedule(std::vector<WorkerReport>& reports, TimePoint begin) const;

  class Exchange;

  StopToken halt_;         // the person's stop, and the exchange's halt
  const StopToken* stop_;  // the person's; may be null
  std::shared_ptr<const void> memory_;
  Overdue overdue_ = overdue_uncalibrated;
  std::vector<bool> available_;        // [device]
  std::optional<VirtualClock> clock_;  // none: the wall clock
  bool overlap_ = false;
  std::vector<double> speeds_;         // [device]
  std::vector<std::string> hardware_;  // [device]
  mutable std::mutex links_mutex_;
  std::vector<LinkSettings> links_;  // [device], as they are set now
  std::unique_ptr<Device> master_device_;
  WorkerProgram master_program_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace convoy
