// A worker: a device at the other end of a link, and the few commands that it obeys. The same
// commands serve a worker in this process and one on another machine; nobody above this header
// knows which.
#pragma once

#include <array>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/conv/timeline.h"
#include "engine/device/device.h"
#include "engine/link/link.h"

namespace convoy {

enum class CommandKind {
  kConfigure,  // from now on `layer` has `problem`; with `leave_out` no kernel of it
  kMeasure,    // time all passes of `problem` on made-up operands (calibration)
  kForward,    // receive input and weight, keep both, send output
  kBackward,   // receive grad_output, send grad_weight and, unless its span is empty, grad_input
};

// The spans are the master's memory; they stay valid until finish() has returned. Shapes as in
// ConvProblem, with the worker's own number of kernels.
struct WorkerCommand {
  CommandKind kind = CommandKind::kConfigure;
  int layer = 0;
  ConvProblem problem;
  bool leave_out = false;
  bool needs_grad_input = true;
  // Of kConfigure, by pass in the order of kAllPasses: what was measured; empty where the device is
  // to choose.
  std::array<std::string, 3> algorithms;
  std::span<const float> input, weight, grad_output;
  std::span<float> output, grad_weight, grad_input;
};

// Times of one device alone on one problem: the medians of several runs after a warm-up, by pass in
// the order of kAllPasses; 0 for a pass that was not asked for.
struct ConvMeasurement {
  std::array<double, 3> ms{};
  std::array<std::string, 3> algorithm;  // empty like ms
  std::array<ChosenBy, 3> chosen_by{};
  std::size_t scratch_bytes = 0;
  double total_ms() const { return ms[0] + ms[1] + ms[2]; }
};

struct WorkerReport {
  std::vector<Slice> slices;    // what was received, computed and sent, measured by the worker
  ConvMeasurement measurement;  // of kMeasure
};

// What everybody shares who obeys in one exchange. A worker that hangs may come back long after the
// exchange, the run and all their memory are gone: it touches nothing of the master's but what it
// holds by this.
struct ExchangeContext {
  StopToken halt;                      // ends every wait; who fails requests it for all
  std::shared_ptr<const void> memory;  // what the commands' spans lie in
};

// One command at a time: start() returns at once, wait_for() says whether it has ended, finish()
// then tells how: it throws what the device threw, or Interrupted. All are called by one thread.
class Worker {
 public:
  virtual ~Worker() = default;
  virtual const DeviceInfo& info() const = 0;
  virtual void start(const WorkerCommand& command, std::shared_ptr<ExchangeContext> context) = 0;
  // Returns when the command has ended, or after `time`. True as well when there is none.
  virtual bool wait_for(SteadyClock::duration time) = 0;
  virtual WorkerReport finish() = 0;
  // Since start(), without the time in which bytes were on the link: what the device itself takes.
  virtual SteadyClock::duration device_time() const = 0;
  // Thread-safe; acts within a running transfer.
  virtual void set_link(const LinkSettings& settings) = 0;
};

}  // namespace convoy
