// What a device does with the commands that it is given: the same on the master, in a worker's
// thread and, later, on another machine.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/cluster/device_share.h"
#include "engine/cluster/worker.h"
#include "engine/link/wire_transfer.h"
#include "engine/tensor/buffer.h"

namespace convoy {

// Receives operands over the link into memory of its own, computes there, and sends the results
// back. Used by one thread.
class WorkerProgram {
 public:
  // `index` is the device's place in the experiment. Without a link (the master's own device)
  // nothing is received or sent: it computes on the master's memory, from which only the pictures
  // of a part of the batch are copied. All must outlive the program.
  WorkerProgram(Device& device, int index, Link* link, const StopToken& halt);

  // Throws what the device throws, and Interrupted.
  WorkerReport obey(const WorkerCommand& command);

 private:
  struct Weights {
    FloatBuffer weight, bias;
    void resize(const LayerPart& part);
  };
  // What is kept of a layer from forward to backward, and of a resident one from step to step.
  struct Layer {
    LayerPart part;
    FloatBuffer input;
    Weights value, velocity, gradient;
    std::vector<std::uint8_t> choices;
  };
  using Slices = std::vector<Slice>;

  void configure(const WorkerCommand& command);
  void forward(const WorkerCommand& command, Slices& slices);
  void backward(const WorkerCommand& command, Slices& slices);
  void update(const SgdFactors& factors, Slices& slices);
  void place(const WorkerCommand& command);
  void fetch(const WorkerCommand& command);

  Layer& layer_of(const WorkerCommand& command);
  Weights& weights_of(const WorkerCommand& command);
  // Where an operand lies for the device: in `own` once it has travelled, or still with the master
  // when there is nothing to move.
  const float* receive(const Slice& what, WireFormat wire, const Rows<const float>& source,
                       FloatBuffer& own, Slices& slices);
  // Where the device is to write a result that will be sent to `destination`.
  float* result_place(WireFormat wire, const Rows<float>& destination, FloatBuffer& own) const;
  void send(const Slice& what, WireFormat wire, const float* source, const Rows<float>& destination,
            Slices& slices);
  // Runs `work` as a piece of computing.
  template <class Work>
  void compute(const Slice& what, Slices& slices, const Work& work);
  Slice slice(int layer, Pass pass) const;
  void note(Slice slice, Activity activity, TimePoint begin, std::uint64_t bytes, Slices& slices);

  Device& device_;
  int index_;
  bool has_link_;
  WireTransfer to_worker_, to_master_;
  const StopToken& halt_;
  DeviceShare share_;
  std::vector<Layer> layers_;
  // As large as the largest layer's: maps before and after pooling, then their gradients.
  FloatBuffer maps_, pooled_;
  FloatBuffer grad_input_;
  Weights gradient_;  // of what is not resident
};

}  // namespace convoy
