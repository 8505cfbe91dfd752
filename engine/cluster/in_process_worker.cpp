#include "engine/cluster/in_process_worker.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>

#include "engine/cluster/measure.h"

namespace convoy {
namespace {

void stay_on(const std::vector<int>& cores) {
  if (cores.empty()) return;  // a GPU's thread may be anywhere
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int core : cores) CPU_SET(core, &set);
  // Costs speed only, when it fails: the device's own threads were pinned, or refused, before.
  pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

void grow(FloatBuffer& buffer, std::size_t size) {
  if (buffer.size() < size) buffer.resize(size);
}

}  // namespace

InProcessWorker::InProcessWorker(std::unique_ptr<Device> device, int index,
                                 std::unique_ptr<Link> link, StopToken& halt)
    : device_(std::move(device)),
      index_(index),
      link_(std::move(link)),
      halt_(halt),
      share_(*device_, index),
      thread_([this] { thread_main(); }) {}

InProcessWorker::~InProcessWorker() {
  {
    std::lock_guard lock(mutex_);
    quit_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void InProcessWorker::start(const WorkerCommand& command) {
  {
    std::lock_guard lock(mutex_);
    command_ = command;
    done_ = false;
    error_ = nullptr;
    report_ = {};
  }
  changed_.notify_all();
}

WorkerReport InProcessWorker::finish() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return done_; });
  command_.reset();
  if (error_) std::rethrow_exception(error_);
  return std::move(report_);
}

void InProcessWorker::thread_main() {
  pthread_setname_np(pthread_self(), ("worker " + std::to_string(index_)).c_str());
  stay_on(device_->info().cores);
  for (;;) {
    WorkerCommand command;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return quit_ || (command_ && !done_); });
      if (quit_) return;
      command = *command_;
    }
    WorkerReport report;
    std::exception_ptr error;
    try {
      report = obey(command);
    } catch (const Interrupted&) {
      error = std::current_exception();
    } catch (...) {
      error = std::current_exception();
      halt_.request_stop();
    }
    {
      std::lock_guard lock(mutex_);
      report_ = std::move(report);
      error_ = error;
      done_ = true;
    }
    changed_.notify_all();
  }
}

WorkerReport InProcessWorker::obey(const WorkerCommand& command) {
  WorkerReport report;
  switch (command.kind) {
    case CommandKind::kConfigure:
      configure(command);
      break;
    case CommandKind::kMeasure:
      report.measurement =
          measure_conv(*device_, command.problem, command.needs_grad_input, &halt_);
      break;
    case CommandKind::kForward:
      forward(command, report.slices);
      break;
    case CommandKind::kBackward:
      backward(command, report.slices);
      break;
  }
  return report;
}

void InProcessWorker::configure(const WorkerCommand& command) {
  const auto place = static_cast<std::size_t>(command.layer);
  if (layers_.size() <= place) layers_.resize(place + 1);
  Layer& layer = layers_[place];
  if (command.leave_out) {
    share_.leave_out(command.layer);
    layer = {};
    return;
  }
  const ConvProblem& problem = command.problem;
  share_.configure(command.layer, problem);
  layer.input.resize(problem.input_size());
  layer.weight.resize(problem.weight_size());
  grow(maps_, problem.output_size());
  grow(grad_weight_, problem.weight_size());
  if (command.needs_grad_input) grow(grad_input_, problem.input_size());
}

void InProcessWorker::forward(const WorkerCommand& command, std::vector<Slice>& slices) {
  Layer& layer = layers_.at(static_cast<std::size_t>(command.layer));
  receive(command.layer, Pass::kForward, command.input, layer.input.span(), slices);
  receive(command.layer, Pass::kForward, command.weight, layer.weight.span(), slices);
  share_.forward(command.layer, layer.input.data(), layer.weight.data(), maps_.data(), &halt_,
                 slices);
  send(command.layer, Pass::kForward, maps_.span().first(command.output.size()), command.output,
       slices);
}

void InProcessWorker::backward(const WorkerCommand& command, std::vector<Slice>& slices) {
  receive(command.layer, Pass::kBackwardWeights, command.grad_output,
          maps_.span().first(command.grad_output.size()), slices);
  share_.backward_weights(command.layer, maps_.data(), grad_weight_.data(), &halt_, slices);
  const bool needs_grad_input = !command.grad_input.empty();
  if (needs_grad_input) share_.backward_data(command.layer, grad_input_.data(), &halt_, slices);
  send(command.layer, Pass::kBackwardWeights, grad_weight_.span().first(command.grad_weight.size()),
       command.grad_weight, slices);
  if (needs_grad_input)
    send(command.layer, Pass::kBackwardData, grad_input_.span().first(command.grad_input.size()),
         command.grad_input, slices);
}

void InProcessWorker::receive(int layer, Pass pass, std::span<const float> source,
                              std::span<float> destination, std::vector<Slice>& slices) {
  Slice slice{index_, layer, pass, Activity::kReceive, SteadyClock::now(), {}, source.size_bytes()};
  link_->transfer(Direction::kToWorker, std::as_bytes(source), std::as_writable_bytes(destination),
                  &halt_);
  slice.end = SteadyClock::now();
  slices.push_back(slice);
}

void InProcessWorker::send(int layer, Pass pass, std::span<const float> source,
                           std::span<float> destination, std::vector<Slice>& slices) {
  Slice slice{index_, layer, pass, Activity::kSend, SteadyClock::now(), {}, source.size_bytes()};
  link_->transfer(Direction::kToMaster, std::as_bytes(source), std::as_writable_bytes(destination),
                  &halt_);
  slice.end = SteadyClock::now();
  slices.push_back(slice);
}

}  // namespace convoy
