// What a device does with the commands that it is given: the same on the master, in a worker's
// thread and, later, on another machine.
#pragma once

#include <vector>

#include "engine/cluster/device_share.h"
#include "engine/cluster/worker.h"
#include "engine/tensor/buffer.h"

namespace convoy {

// Receives operands over the link into memory of its own, computes there, and sends the results
// back. Used by one thread.
class WorkerProgram {
 public:
  // `index` is the device's place in the experiment. Without a link (the master's own device) it
  // computes on the master's memory, and nothing is received or sent. All must outlive the program.
  WorkerProgram(Device& device, int index, Link* link, const StopToken& halt);

  // Throws what the device throws, and Interrupted.
  WorkerReport obey(const WorkerCommand& command);

 private:
  // What is kept of a layer from forward to backward.
  struct Layer {
    FloatBuffer input, weight;
  };

  void configure(const WorkerCommand& command);
  void forward(const WorkerCommand& command, std::vector<Slice>& slices);
  void backward(const WorkerCommand& command, std::vector<Slice>& slices);
  bool in_place() const { return !link_ || link_->in_place(); }
  // Where an operand lies for the device: in `own` once it has travelled, or still with the master
  // when the link is in place.
  const float* receive(int layer, Pass pass, std::span<const float> source, FloatBuffer& own,
                       std::vector<Slice>& slices);
  // Where the device is to write a result that will be sent to `destination`.
  float* result_place(std::span<float> destination, FloatBuffer& own) const;
  void send(int layer, Pass pass, const float* source, std::span<float> destination,
            std::vector<Slice>& slices);

  Device& device_;
  int index_;
  Link* link_;
  const StopToken& halt_;
  DeviceShare share_;
  std::vector<Layer> layers_;
  FloatBuffer maps_, grad_weight_, grad_input_;  // as large as the largest layer's
};

}  // namespace convoy
