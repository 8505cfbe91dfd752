// A worker in this process: a thread, a device and a link.
#pragma once

#include <memory>
#include <thread>

#include "engine/cluster/worker.h"

namespace convoy {

// Its thread stands for the worker's computer: it stays on the device's own cores, receives over
// the link into memory of its own, computes there, and sends the results back.
//
// No thread can be ended from outside. Where the device hangs, the destructor leaves the thread
// behind with all that it may still touch (device, link, buffers, the exchange's context); should
// it ever come back, it cleans up and ends.
class InProcessWorker : public Worker {
 public:
  // `index` is the device's place in the experiment. Where the device fails, the worker halts the
  // others of the exchange.
  InProcessWorker(std::unique_ptr<Device> device, int index, std::unique_ptr<Link> link);
  ~InProcessWorker() override;

  const DeviceInfo& info() const override;
  void start(const WorkerCommand& command, std::shared_ptr<ExchangeContext> context) override;
  bool wait_for(SteadyClock::duration time) override;
  WorkerReport finish() override;
  SteadyClock::duration device_time() const override;
  void set_link(const LinkSettings& settings) override;

 private:
  struct State;
  static void thread_main(State& state);

  std::shared_ptr<State> state_;  // the thread's too
  std::thread thread_;
};

// Threads of this process that were left behind and have not come back. They may be within a
// driver: with any left, end the process by std::_Exit rather than run destructors under them.
int threads_left_behind();

}  // namespace convoy
