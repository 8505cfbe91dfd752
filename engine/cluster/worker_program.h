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
  // The part's pictures, as an exchange works them off.
  struct Chunks {
    std::vector<BatchRange> ranges;
    bool overlap = false;

    int count() const { return static_cast<int>(ranges.size()); }
    Range pictures(int chunk) const {
      const BatchRange& range = ranges.at(static_cast<std::size_t>(chunk));
      return {static_cast<std::size_t>(range.begin), static_cast<std::size_t>(range.end)};
    }
    // To compute: all at once where there is one chunk.
    Range range(int chunk) const { return ranges.size() == 1 ? kAllPictures : pictures(chunk); }
    // For slices: where nothing overlaps there are no chunks.
    int label(int chunk) const { return overlap ? chunk : -1; }
  };
  // What is kept of a layer from forward to backward, and of a resident one from step to step.
  struct Layer {
    LayerPart part;
    // Where the device pools itself, what it computes and takes are pooled maps; else its computer
    // pools (block_work.h).
    bool computer_pools = false;
    Chunks forward, backward;
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
  // Maps in the master's memory and where the device has them: in `own` memory, or still (or
  // already) with the master when there is nothing to move.
  template <class Float>
  struct Moved {
    Moved(const Rows<Float>& rows, float* buffer, const Slice& slice, WireFormat format,
          WireTransfer& over)
        : master(rows),
          in_place(over.in_place(format, rows)),
          memory(buffer),
          own(in_place ? rows.data : buffer),
          what(slice),
          wire(format),
          transfer(over) {}
    Rows<Float> master;
    bool in_place;
    float* memory;
    Float* own;
    Slice what;
    WireFormat wire;
    WireTransfer& transfer;
  };
  // Each stage of a pipeline notes its own.
  struct StageSlices {
    Slices receive, compute, send;
    void append_to(Slices& slices) const;
  };

  bool side_by_side(const LayerPart& part) const;
  // One chunk of maps.
  template <class Float>
  void move(const Moved<Float>& maps, const Chunks& chunks, int chunk, Activity activity,
            Slices& slices, const StopToken& stop);
  // Weights, where they will lie; and where the device is to write what will be sent.
  const float* receive_all(const Slice& what, WireFormat wire, std::span<const float> source,
                           FloatBuffer& own, Slices& slices, const StopToken& stop);
  float* result_place(WireFormat wire, std::span<float> destination, FloatBuffer& own) const;
  void send_all(const Slice& what, WireFormat wire, const float* source,
                std::span<float> destination, Slices& slices, const StopToken& stop);
  // Runs `work` as a piece of computing.
  template <class Work>
  void compute(Slice what, int label, Slices& slices, const Work& work);
  Slice slice(int layer, Pass pass) const;
  void note(Slice slice, Activity activity, TimePoint begin, std::uint64_t bytes,
            Slices& slices) const;

  Device& device_;
  int index_;
  const Link* link_;
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
