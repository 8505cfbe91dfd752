// A worker in this process: a thread, a device and a link.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "engine/cluster/worker.h"
#include "engine/cluster/worker_program.h"

namespace convoy {

// Its thread stands for the worker's computer: it stays on the device's own cores, receives over
// the link into memory of its own, computes there, and sends the results back.
class InProcessWorker : public Worker {
 public:
  // `index` is the device's place in the experiment. `halt` ends every wait of the worker, which
  // requests it itself when its device fails, so that the others need not finish. It must outlive
  // the worker.
  InProcessWorker(std::unique_ptr<Device> device, int index, std::unique_ptr<Link> link,
                  StopToken& halt);
  ~InProcessWorker() override;

  const DeviceInfo& info() const override { return device_->info(); }
  void start(const WorkerCommand& command) override;
  WorkerReport finish() override;
  void set_link(const LinkSettings& settings) override { link_->set_settings(settings); }

 private:
  void thread_main();

  std::unique_ptr<Device> device_;
  int index_;
  std::unique_ptr<Link> link_;
  StopToken& halt_;
  WorkerProgram program_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<WorkerCommand> command_;  // set by start(), taken back by finish()
  bool done_ = false;
  bool quit_ = false;
  WorkerReport report_;
  std::exception_ptr error_;
  std::thread thread_;
};

}  // namespace convoy
