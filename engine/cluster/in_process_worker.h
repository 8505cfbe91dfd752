// A worker in this process: a thread, a device and a link.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "engine/cluster/device_share.h"
#include "engine/cluster/worker.h"
#include "engine/tensor/buffer.h"

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
  // What the worker keeps of a layer from forward to backward.
  struct Layer {
    FloatBuffer input, weight;
  };

  void thread_main();
  WorkerReport obey(const WorkerCommand& command);
  void configure(const WorkerCommand& command);
  void forward(const WorkerCommand& command, std::vector<Slice>& slices);
  void backward(const WorkerCommand& command, std::vector<Slice>& slices);
  // Where an operand lies for the device: in `own` once it has travelled, or still with the master
  // when the link is in place.
  const float* receive(int layer, Pass pass, std::span<const float> source, FloatBuffer& own,
                       std::vector<Slice>& slices);
  // Where the device is to write a result that will be sent to `destination`.
  float* result_place(std::span<float> destination, FloatBuffer& own) const;
  void send(int layer, Pass pass, const float* source, std::span<float> destination,
            std::vector<Slice>& slices);

  std::unique_ptr<Device> device_;
  int index_;
  std::unique_ptr<Link> link_;
  StopToken& halt_;
  DeviceShare share_;
  std::vector<Layer> layers_;
  FloatBuffer maps_, grad_weight_, grad_input_;  // as large as the largest layer's

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
