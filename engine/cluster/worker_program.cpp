#include "engine/cluster/worker_program.h"

#include "engine/cluster/measure.h"

namespace convoy {
namespace {

void grow(FloatBuffer& buffer, std::size_t size) {
  if (buffer.size() < size) buffer.resize(size);
}

}  // namespace

WorkerProgram::WorkerProgram(Device& device, int index, Link* link, const StopToken& halt)
    : device_(device), index_(index), link_(link), halt_(halt), share_(device, index) {}

WorkerReport WorkerProgram::obey(const WorkerCommand& command) {
  WorkerReport report;
  switch (command.kind) {
    case CommandKind::kConfigure:
      configure(command);
      break;
    case CommandKind::kMeasure:
      report.measurement = measure_conv(device_, command.problem, command.needs_grad_input, &halt_);
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

void WorkerProgram::configure(const WorkerCommand& command) {
  const auto place = static_cast<std::size_t>(command.layer);
  if (layers_.size() <= place) layers_.resize(place + 1);
  Layer& layer = layers_[place];
  if (command.leave_out) {
    share_.leave_out(command.layer);
    layer = {};
    return;
  }
  const ConvProblem& problem = command.problem;
  DeviceConvOptions options;
  options.algorithms = command.algorithms;
  options.needs_grad_input = command.needs_grad_input;
  share_.configure(command.layer, problem, options);
  if (!link_) return;  // nothing arrives
  layer.input.resize(problem.input_size());
  layer.weight.resize(problem.weight_size());
  grow(maps_, problem.output_size());
  grow(grad_weight_, problem.weight_size());
  if (command.needs_grad_input) grow(grad_input_, problem.input_size());
}

void WorkerProgram::forward(const WorkerCommand& command, std::vector<Slice>& slices) {
  const int number = command.layer;
  Layer& layer = layers_.at(static_cast<std::size_t>(number));
  const float* input = receive(number, Pass::kForward, command.input, layer.input, slices);
  const float* weight = receive(number, Pass::kForward, command.weight, layer.weight, slices);
  float* const output = result_place(command.output, maps_);
  share_.forward(number, input, weight, output, &halt_, slices);
  send(number, Pass::kForward, output, command.output, slices);
}

void WorkerProgram::backward(const WorkerCommand& command, std::vector<Slice>& slices) {
  const int number = command.layer;
  const float* grad_output =
      receive(number, Pass::kBackwardWeights, command.grad_output, maps_, slices);
  float* const grad_weight = result_place(command.grad_weight, grad_weight_);
  share_.backward_weights(number, grad_output, grad_weight, &halt_, slices);
  const bool needs_grad_input = !command.grad_input.empty();
  float* const grad_input =
      needs_grad_input ? result_place(command.grad_input, grad_input_) : nullptr;
  if (needs_grad_input) share_.backward_data(number, grad_input, &halt_, slices);
  send(number, Pass::kBackwardWeights, grad_weight, command.grad_weight, slices);
  if (needs_grad_input) send(number, Pass::kBackwardData, grad_input, command.grad_input, slices);
}

const float* WorkerProgram::receive(int layer, Pass pass, std::span<const float> source,
                                    FloatBuffer& own, std::vector<Slice>& slices) {
  if (!link_) return source.data();
  Slice slice{index_, layer, pass, Activity::kReceive, SteadyClock::now(), {}, source.size_bytes()};
  const bool in_place = this->in_place();
  if (!in_place)
    link_->transfer(Direction::kToWorker, std::as_bytes(source),
                    std::as_writable_bytes(own.span().first(source.size())), &halt_);
  slice.end = SteadyClock::now();
  slices.push_back(slice);
  return in_place ? source.data() : own.data();
}

float* WorkerProgram::result_place(std::span<float> destination, FloatBuffer& own) const {
  return in_place() ? destination.data() : own.data();
}

void WorkerProgram::send(int layer, Pass pass, const float* source, std::span<float> destination,
                         std::vector<Slice>& slices) {
  if (!link_) return;
  Slice slice{
      index_, layer, pass, Activity::kSend, SteadyClock::now(), {}, destination.size_bytes()};
  if (source != destination.data())
    link_->transfer(Direction::kToMaster, std::as_bytes(std::span(source, destination.size())),
                    std::as_writable_bytes(destination), &halt_);
  slice.end = SteadyClock::now();
  slices.push_back(slice);
}

}  // namespace convoy
