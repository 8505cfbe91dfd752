// A worker: a device at the other end of a link, and the few commands that it obeys. The same
// commands serve a worker in this process and one on another machine; nobody above this header
// knows which.
#pragma once

#include <array>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/cluster/batch_ranges.h"
#include "engine/conv/conv_executor.h"
#include "engine/conv/timeline.h"
#include "engine/device/device.h"
#include "engine/link/link.h"
#include "engine/link/wire.h"

namespace convoy {

// What a step's other layers move through the caches of a device's computer, in bytes: between the
// layer's backward pass and the next step's forward pass, and between the two of one step.
struct OtherLayers {
  std::size_t before_forward = 0, before_backward = 0;
};

// A device's part of a layer: some kernels on all pictures, or all kernels on some pictures, and
// what beside the convolution is done there.
struct LayerPart {
  ConvProblem problem;   // with the part's kernels and pictures
  int first_kernel = 0;  // of the layer's
  BatchRange pictures;   // which of the batch
  int batch = 0;         // pictures in the whole batch
  bool needs_grad_input = true;
  bool fuse_pooling = false;
  bool resident = false;  // keeps and updates its weights (and biases with fuse_pooling)
  bool overlap = false;   // what travels does so while the device computes
  ChunkCuts cuts;         // with overlap: of `pictures`, where the device works in parts
  WireFormat wire = WireFormat::kFp32;
  OtherLayers others;  // for kMeasure
  bool empty() const { return problem.out_channels == 0 || problem.batch == 0; }
};

enum class CommandKind {
  kConfigure,  // from now on the device has this part of `layer`; with `leave_out` none
  kMeasure,    // time all passes of `part` on made-up operands (calibration); of a part with cuts
               // only what these cost
  kRehearse,   // time all passes of `step`, the device's part of every layer, as a step runs them
  kForward,    // receive input, and weight and bias unless resident; send output
  kBackward,   // receive grad_output; send grad_input unless its span is empty, and grad_weight and
               // grad_bias unless resident
  kUpdate,     // update the resident weights of all layers by their gradients
  kPlace,      // receive `weight` and `bias` as the `state` of the resident part
  kFetch       // send the `state` of the resident part to `grad_weight` and `grad_bias`
};

// A device's part of a layer, with the algorithms that were measured, by pass in the order of
// kAllPasses; empty where the device is to choose.
struct ChosenPart {
  LayerPart part;
  std::array<std::string, 3> algorithms;
};

// The spans are the master's memory; they stay valid until finish() has returned. Maps are those of
// the part's kernels with all pictures of the batch, of which the worker reads and writes its own;
// output and grad_output are pooled with fuse_pooling. Biases are empty without it.
struct WorkerCommand {
  CommandKind kind = CommandKind::kConfigure;
  int layer = 0;
  LayerPart part;                // of kConfigure and kMeasure
  std::vector<ChosenPart> step;  // of kRehearse, [layer]; empty parts where it has none
  bool leave_out = false;
  // Of kConfigure, by pass in the order of kAllPasses: what was measured; empty where the device is
  // to choose.
  std::array<std::string, 3> algorithms;
  bool training = true;  // of kForward: whether kBackward follows
  WeightState state = WeightState::kValue;
  SgdFactors sgd;
  std::span<const float> input, weight, bias, grad_output;
  std::span<float> output, grad_weight, grad_bias, grad_input;
};

// What forward and backward-data take longer for each cut into chunks, in milliseconds.
struct CutCost {
  double forward = 0.0, backward = 0.0;
};

// The pass that comes first on the way back: the input's gradient travels while the weights' is
// computed.
constexpr Pass first_backward(bool needs_grad_input) {
  return needs_grad_input ? Pass::kBackwardData : Pass::kBackwardWeights;
}

// What a device's computer takes beside the convolutions, in milliseconds for a million numbers; 0
// where that was not measured. Moved numbers are picked, rounded and copied, at both ends, by one
// thread of the worker's.
struct MovingCost {
  std::array<double, 3> move{};  // by WireFormat
  double sum = 0.0;              // adding one share to another, on all of the device's cores
  double update = 0.0;           // updating weights, on all of the device's cores
  int cores = 0;                 // on which it computes as well as moves; 0: it computes elsewhere
  bool operator==(const MovingCost&) const = default;
  // Of a computer that takes so many times as long.
  MovingCost scaled(double factor) const {
    return {{move[0] * factor, move[1] * factor, move[2] * factor},
            sum * factor,
            update * factor,
            cores};
  }
};

// Times of one device alone on its part of a layer: the medians of several runs after a warm-up, by
// pass in the order of kAllPasses; 0 for a pass that was not asked for. With fuse_pooling, pooling
// counts with the forward pass and its way back with the first backward one, which needs it.
struct ConvMeasurement {
  std::array<double, 3> ms{};            // in one piece
  std::array<std::string, 3> algorithm;  // empty like ms
  std::array<ChosenBy, 3> chosen_by{};
  std::size_t scratch_bytes = 0;
  MovingCost moving;
  // Of a part with cuts, where the device works in parts: what each of them adds.
  std::optional<CutCost> cut_ms;
  double total_ms() const { return ms[0] + ms[1] + ms[2]; }
};

struct WorkerReport {
  std::vector<Slice> slices;    // what was received, computed and sent, measured by the worker
  ConvMeasurement measurement;  // of kMeasure
  std::vector<std::array<double, 3>> step_ms;  // of kRehearse, [layer], as ConvMeasurement::ms
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
