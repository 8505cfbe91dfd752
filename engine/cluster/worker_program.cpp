#include "engine/cluster/worker_program.h"

#include "engine/cluster/block_work.h"
#include "engine/cluster/measure.h"

namespace convoy {
namespace {

void grow(FloatBuffer& buffer, std::size_t size) {
  if (buffer.size() < size) buffer.resize(size);
}

// The columns of the part's pictures in maps of the whole batch.
template <class Float>
Rows<Float> part_of(std::span<Float> maps, const LayerPart& part) {
  const auto batch = static_cast<std::size_t>(part.batch);
  return {maps.data() + part.pictures.begin, maps.size() / batch,
          static_cast<std::size_t>(part.pictures.size()), batch};
}

template <class Float>
Rows<Float> all_of(std::span<Float> values) {
  return {values.data(), 1, values.size(), values.size()};
}

}  // namespace

WorkerProgram::WorkerProgram(Device& device, int index, Link* link, const StopToken& halt)
    : device_(device),
      index_(index),
      has_link_(link != nullptr),
      to_worker_(link, Direction::kToWorker),
      to_master_(link, Direction::kToMaster),
      halt_(halt),
      share_(device, index) {}

WorkerReport WorkerProgram::obey(const WorkerCommand& command) {
  WorkerReport report;
  switch (command.kind) {
    case CommandKind::kConfigure:
      configure(command);
      break;
    case CommandKind::kMeasure:
      report.measurement = measure_part(device_, command.part, &halt_);
      break;
    case CommandKind::kForward:
      forward(command, report.slices);
      break;
    case CommandKind::kBackward:
      backward(command, report.slices);
      break;
    case CommandKind::kUpdate:
      update(command.sgd, report.slices);
      break;
    case CommandKind::kPlace:
      place(command);
      break;
    case CommandKind::kFetch:
      fetch(command);
      break;
  }
  return report;
}

void WorkerProgram::Weights::resize(const LayerPart& part) {
  weight.resize(part.problem.weight_size());
  bias.resize(part.fuse_pooling ? static_cast<std::size_t>(part.problem.out_channels) : 0);
}

void WorkerProgram::configure(const WorkerCommand& command) {
  const auto place = static_cast<std::size_t>(command.layer);
  if (layers_.size() <= place) layers_.resize(place + 1);
  Layer& layer = layers_[place];
  layer = {};
  if (command.leave_out) {
    share_.leave_out(command.layer);
    return;
  }
  const LayerPart& part = layer.part = command.part;
  const ConvProblem& problem = part.problem;
  DeviceConvOptions options;
  options.algorithms = command.algorithms;
  options.needs_grad_input = part.needs_grad_input;
  share_.configure(command.layer, problem, options);

  // On the master's own memory only what it does not have needs a place.
  const bool moves = has_link_ || part.pictures.size() < part.batch;
  if (moves || part.fuse_pooling) grow(maps_, problem.output_size());
  if (part.fuse_pooling) {
    if (moves) grow(pooled_, pooled_size(problem));
    layer.choices.resize(pooled_size(problem));
  }
  if (moves) {
    layer.input.resize(problem.input_size());
    if (part.needs_grad_input) grow(grad_input_, problem.input_size());
  }
  if (part.resident) {
    for (Weights* weights : {&layer.value, &layer.velocity, &layer.gradient}) weights->resize(part);
  } else if (has_link_) {
    layer.value.resize(part);
    grow(gradient_.weight, problem.weight_size());
    if (part.fuse_pooling) grow(gradient_.bias, static_cast<std::size_t>(problem.out_channels));
  }
}

WorkerProgram::Layer& WorkerProgram::layer_of(const WorkerCommand& command) {
  return layers_.at(static_cast<std::size_t>(command.layer));
}

void WorkerProgram::forward(const WorkerCommand& command, Slices& slices) {
  Layer& layer = layer_of(command);
  const LayerPart& part = layer.part;
  const Slice what = slice(command.layer, Pass::kForward);
  const float* const input =
      receive(what, part.wire, part_of(command.input, part), layer.input, slices);
  const float* weight = layer.value.weight.data();
  const float* bias = layer.value.bias.data();
  if (!part.resident) {
    weight = receive(what, part.wire, all_of(command.weight), layer.value.weight, slices);
    if (part.fuse_pooling)
      bias = receive(what, WireFormat::kFp32, all_of(command.bias), layer.value.bias, slices);
  }
  const Rows<float> output = part_of(command.output, part);
  float* const result = result_place(part.wire, output, part.fuse_pooling ? pooled_ : maps_);
  share_.forward(command.layer, input, weight, part.fuse_pooling ? maps_.data() : result, &halt_,
                 slices);
  if (part.fuse_pooling)
    compute(what, slices, [&] {
      pool_layer(device_, part.problem, maps_.data(), bias, result,
                 command.training ? layer.choices.data() : nullptr, &halt_);
    });
  send(what, part.wire, result, output, slices);
}

void WorkerProgram::backward(const WorkerCommand& command, Slices& slices) {
  Layer& layer = layer_of(command);
  const LayerPart& part = layer.part;
  const Slice what = slice(command.layer, Pass::kBackwardWeights);
  const float* grad_output = receive(what, part.wire, part_of(command.grad_output, part),
                                     part.fuse_pooling ? pooled_ : maps_, slices);
  Weights& own = part.resident ? layer.gradient : gradient_;
  const Rows<float> weight_rows = all_of(command.grad_weight);
  const Rows<float> bias_rows = all_of(command.grad_bias);
  float* const grad_weight =
      part.resident ? own.weight.data() : result_place(part.wire, weight_rows, own.weight);
  float* const grad_bias =
      part.resident ? own.bias.data() : result_place(WireFormat::kFp32, bias_rows, own.bias);
  if (part.fuse_pooling) {
    compute(what, slices, [&] {
      unpool_layer(device_, part.problem, grad_output, layer.choices.data(), maps_.data(),
                   grad_bias, &halt_);
    });
    grad_output = maps_.data();
  }
  share_.backward_weights(command.layer, grad_output, grad_weight, &halt_, slices);
  const bool needs_grad_input = !command.grad_input.empty();
  const Rows<float> input_rows = part_of(command.grad_input, part);
  float* const grad_input =
      needs_grad_input ? result_place(part.wire, input_rows, grad_input_) : nullptr;
  if (needs_grad_input) share_.backward_data(command.layer, grad_input, &halt_, slices);
  if (!part.resident) {
    send(what, part.wire, grad_weight, weight_rows, slices);
    if (part.fuse_pooling) send(what, WireFormat::kFp32, grad_bias, bias_rows, slices);
  }
  if (needs_grad_input)
    send(slice(command.layer, Pass::kBackwardData), part.wire, grad_input, input_rows, slices);
}

void WorkerProgram::update(const SgdFactors& factors, Slices& slices) {
  for (std::size_t number = 0; number < layers_.size(); ++number) {
    Layer& layer = layers_[number];
    if (!layer.part.resident) continue;
    compute(slice(static_cast<int>(number), Pass::kBackwardWeights), slices, [&] {
      Weights &value = layer.value, &velocity = layer.velocity, &gradient = layer.gradient;
      update_weights(device_, factors, gradient.weight.data(), value.weight.size(),
                     velocity.weight.data(), value.weight.data(), &halt_);
      update_weights(device_, factors, gradient.bias.data(), value.bias.size(),
                     velocity.bias.data(), value.bias.data(), &halt_);
    });
  }
}

WorkerProgram::Weights& WorkerProgram::weights_of(const WorkerCommand& command) {
  Layer& layer = layer_of(command);
  switch (command.state) {
    case WeightState::kValue:
      return layer.value;
    case WeightState::kVelocity:
      return layer.velocity;
    case WeightState::kGradient:
      break;
  }
  return layer.gradient;
}

void WorkerProgram::place(const WorkerCommand& command) {
  Weights& own = weights_of(command);
  if (command.state == WeightState::kValue) {
    Weights& velocity = layer_of(command).velocity;
    velocity.weight.fill_zero();
    velocity.bias.fill_zero();
  }
  to_worker_.move(WireFormat::kFp32, all_of(command.weight), all_of(own.weight.span()), &halt_);
  if (!own.bias.empty())
    to_worker_.move(WireFormat::kFp32, all_of(command.bias), all_of(own.bias.span()), &halt_);
}

void WorkerProgram::fetch(const WorkerCommand& command) {
  const Weights& own = weights_of(command);
  to_master_.move(WireFormat::kFp32, all_of(own.weight.span()), all_of(command.grad_weight),
                  &halt_);
  if (!own.bias.empty())
    to_master_.move(WireFormat::kFp32, all_of(own.bias.span()), all_of(command.grad_bias), &halt_);
}

Slice WorkerProgram::slice(int layer, Pass pass) const {
  Slice slice;
  slice.device = index_;
  slice.layer = layer;
  slice.pass = pass;
  return slice;
}

void WorkerProgram::note(Slice slice, Activity activity, TimePoint begin, std::uint64_t bytes,
                         Slices& slices) {
  slice.activity = activity;
  slice.begin = begin;
  slice.end = SteadyClock::now();
  slice.bytes = bytes;
  slices.push_back(slice);
}

template <class Work>
void WorkerProgram::compute(const Slice& what, Slices& slices, const Work& work) {
  const TimePoint begin = SteadyClock::now();
  work();
  note(what, Activity::kCompute, begin, 0, slices);
}

// What the master's own device copies does not travel: it is work that the split makes.

const float* WorkerProgram::receive(const Slice& what, WireFormat wire,
                                    const Rows<const float>& source, FloatBuffer& own,
                                    Slices& slices) {
  const TimePoint begin = SteadyClock::now();
  const bool in_place = to_worker_.in_place(wire, source);
  if (in_place && !has_link_) return source.data;
  const std::uint64_t bytes = source.size() * wire_size(wire);
  if (!in_place)
    to_worker_.move(wire, source, {own.data(), source.rows, source.columns, source.columns},
                    &halt_);
  note(what, has_link_ ? Activity::kReceive : Activity::kCompute, begin, has_link_ ? bytes : 0,
       slices);
  return in_place ? source.data : own.data();
}

float* WorkerProgram::result_place(WireFormat wire, const Rows<float>& destination,
                                   FloatBuffer& own) const {
  return to_master_.in_place(wire, destination) ? destination.data : own.data();
}

void WorkerProgram::send(const Slice& what, WireFormat wire, const float* source,
                         const Rows<float>& destination, Slices& slices) {
  const TimePoint begin = SteadyClock::now();
  const bool in_place = source == destination.data;
  if (in_place && !has_link_) return;
  const std::uint64_t bytes = destination.size() * wire_size(wire);
  if (!in_place)
    to_master_.move(wire, {source, destination.rows, destination.columns, destination.columns},
                    destination, &halt_);
  note(what, has_link_ ? Activity::kSend : Activity::kCompute, begin, has_link_ ? bytes : 0,
       slices);
}

}  // namespace convoy
