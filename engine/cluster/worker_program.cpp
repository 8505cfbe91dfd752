#include "engine/cluster/worker_program.h"

#include <type_traits>

#include "engine/cluster/block_work.h"
#include "engine/cluster/measure.h"
#include "engine/cluster/pipeline.h"

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
      link_(link),
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
      if (command.part.cuts.any())
        report.measurement.cut_ms = measure_cuts(device_, command.part, &halt_);
      else
        report.measurement = measure_part(device_, command.part, &halt_);
      break;
    case CommandKind::kRehearse:
      report.step_ms = measure_step(device_, command.step, &halt_);
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
  options.pooling = part.fuse_pooling;
  options.in_parts = part.cuts.any();
  share_.configure(command.layer, problem, options);
  layer.computer_pools = part.fuse_pooling && !share_.pools(command.layer);
  const BatchRange all{0, problem.batch};
  const ChunkCuts cuts =
      options.in_parts && share_.works_in_parts(command.layer) ? part.cuts : ChunkCuts{};
  layer.forward = {batch_chunks(all, cuts.forward), part.overlap};
  layer.backward = {batch_chunks(all, cuts.backward), part.overlap};

  // On the master's own memory only what it does not have needs a place.
  const bool moves = link_ || part.pictures.size() < part.batch;
  if (layer.computer_pools || (moves && !part.fuse_pooling)) grow(maps_, problem.output_size());
  if (moves && part.fuse_pooling) grow(pooled_, problem.pooled_size());
  if (layer.computer_pools) layer.choices.resize(problem.pooled_size());
  if (moves) {
    layer.input.resize(problem.input_size());
    if (part.needs_grad_input) grow(grad_input_, problem.input_size());
  }
  if (part.resident) {
    for (Weights* weights : {&layer.value, &layer.velocity, &layer.gradient}) weights->resize(part);
  } else if (link_) {
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
  const Chunks& chunks = layer.forward;
  const int number = command.layer;
  const Moved<const float> input{part_of(command.input, part), layer.input.data(),
                                 slice(number, Pass::kForward), part.wire, to_worker_};
  const Moved<float> output{part_of(command.output, part),
                            (part.fuse_pooling ? pooled_ : maps_).data(),
                            slice(number, Pass::kForward), part.wire, to_master_};
  const float* weight = layer.value.weight.data();
  const float* bias = layer.value.bias.data();
  float* const maps = layer.computer_pools ? maps_.data() : output.own;
  const auto receive_weights = [&](Slices& noted, const StopToken& stop) {
    if (part.resident) return;
    weight = receive_all(input.what, part.wire, command.weight, layer.value.weight, noted, stop);
    if (part.fuse_pooling)
      bias =
          receive_all(input.what, WireFormat::kFp32, command.bias, layer.value.bias, noted, stop);
  };
  StageSlices noted;
  run_pipeline(
      chunks.count(), side_by_side(part),
      [&](int chunk, const StopToken& stop) {
        if (chunk == 0) receive_weights(noted.receive, stop);
        move(input, chunks, chunk, Activity::kReceive, noted.receive, stop);
      },
      [&](int chunk, const StopToken& stop) {
        if (chunk == 0) {
          share_.set_forward(number, input.own, weight);
          if (share_.pools(number)) share_.set_bias(number, bias, command.training);
        }
        share_.forward(number, chunks.range(chunk), chunks.label(chunk), maps, &stop,
                       noted.compute);
        if (!layer.computer_pools) return;
        compute(input.what, chunks.label(chunk), noted.compute, [&] {
          pool_layer(device_, part.problem, chunks.pictures(chunk), maps, bias, output.own,
                     command.training ? layer.choices.data() : nullptr, &stop);
        });
      },
      [&](int chunk, const StopToken& stop) {
        move(output, chunks, chunk, Activity::kSend, noted.send, stop);
      },
      halt_);
  noted.append_to(slices);
}

void WorkerProgram::backward(const WorkerCommand& command, Slices& slices) {
  Layer& layer = layer_of(command);
  const LayerPart& part = layer.part;
  const Chunks& chunks = layer.backward;
  const int number = command.layer;
  const bool needs_grad_input = !command.grad_input.empty();
  const Slice what = slice(number, Pass::kBackwardWeights);
  const Moved<const float> grad_output{part_of(command.grad_output, part),
                                       (part.fuse_pooling ? pooled_ : maps_).data(), what,
                                       part.wire, to_worker_};
  const Moved<float> grad_input{part_of(command.grad_input, part), grad_input_.data(),
                                slice(number, Pass::kBackwardData), part.wire, to_master_};
  Weights& own = part.resident ? layer.gradient : gradient_;
  float* const grad_weight =
      part.resident ? own.weight.data() : result_place(part.wire, command.grad_weight, own.weight);
  float* const grad_bias = part.resident
                               ? own.bias.data()
                               : result_place(WireFormat::kFp32, command.grad_bias, own.bias);
  const float* const grad_maps = layer.computer_pools ? maps_.data() : grad_output.own;

  // The weights' gradient comes last, as a chunk more, so that grad_input travels meanwhile.
  const int count = chunks.count();
  StageSlices noted;
  run_pipeline(
      count + 1, side_by_side(part),
      [&](int chunk, const StopToken& stop) {
        if (chunk < count)
          move(grad_output, chunks, chunk, Activity::kReceive, noted.receive, stop);
      },
      [&](int chunk, const StopToken& stop) {
        if (chunk == count) {
          if (share_.pools(number)) share_.set_grad_bias(number, grad_bias);
          share_.backward_weights(number, grad_weight, &stop, noted.compute);
          return;
        }
        if (layer.computer_pools)
          compute(what, chunks.label(chunk), noted.compute, [&] {
            unpool_layer(device_, part.problem, chunks.pictures(chunk), grad_output.own,
                         layer.choices.data(), maps_.data(), grad_bias, &stop);
          });
        if (chunk == 0) share_.set_backward(number, grad_maps);
        if (needs_grad_input)
          share_.backward_data(number, chunks.range(chunk), chunks.label(chunk), grad_input.own,
                               &stop, noted.compute);
      },
      [&](int chunk, const StopToken& stop) {
        if (chunk < count) {
          if (needs_grad_input) move(grad_input, chunks, chunk, Activity::kSend, noted.send, stop);
        } else if (!part.resident) {
          send_all(what, part.wire, grad_weight, command.grad_weight, noted.send, stop);
          if (part.fuse_pooling)
            send_all(what, WireFormat::kFp32, grad_bias, command.grad_bias, noted.send, stop);
        }
      },
      halt_);
  noted.append_to(slices);
}

void WorkerProgram::update(const SgdFactors& factors, Slices& slices) {
  for (std::size_t number = 0; number < layers_.size(); ++number) {
    Layer& layer = layers_[number];
    if (!layer.part.resident) continue;
    compute(slice(static_cast<int>(number), Pass::kBackwardWeights), -1, slices, [&] {
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

bool WorkerProgram::side_by_side(const LayerPart& part) const {
  return part.overlap && link_ && !link_->in_place();
}

void WorkerProgram::note(Slice slice, Activity activity, TimePoint begin, std::uint64_t bytes,
                         Slices& slices) const {
  // What the master's own device copies does not travel: it is work that the split makes.
  slice.activity = link_ ? activity : Activity::kCompute;
  slice.begin = begin;
  slice.end = SteadyClock::now();
  slice.bytes = link_ ? bytes : 0;
  slices.push_back(slice);
}

template <class Work>
void WorkerProgram::compute(Slice what, int label, Slices& slices, const Work& work) {
  what.activity = Activity::kCompute;
  what.chunk = label;
  what.begin = SteadyClock::now();
  work();
  what.end = SteadyClock::now();
  slices.push_back(what);
}

template <class Float>
void WorkerProgram::move(const Moved<Float>& maps, const Chunks& chunks, int chunk,
                         Activity activity, Slices& slices, const StopToken& stop) {
  if (maps.in_place && !link_) return;
  const TimePoint begin = SteadyClock::now();
  const Range pictures = chunks.pictures(chunk);
  Rows<Float> master = maps.master;
  const Rows<float> own{maps.memory + pictures.begin, master.rows, pictures.size(), master.columns};
  master.data += pictures.begin;
  master.columns = pictures.size();
  if (!maps.in_place) {
    if constexpr (std::is_const_v<Float>)
      maps.transfer.move(maps.wire, master, own, &stop);
    else
      maps.transfer.move(maps.wire, own, master, &stop);
  }
  Slice what = maps.what;
  what.chunk = chunks.label(chunk);
  note(what, activity, begin, own.size() * wire_size(maps.wire), slices);
}

const float* WorkerProgram::receive_all(const Slice& what, WireFormat wire,
                                        std::span<const float> source, FloatBuffer& own,
                                        Slices& slices, const StopToken& stop) {
  const TimePoint begin = SteadyClock::now();
  const Rows<const float> rows = all_of(source);
  const bool in_place = to_worker_.in_place(wire, rows);
  if (in_place && !link_) return source.data();
  if (!in_place) to_worker_.move(wire, rows, all_of(own.span().first(source.size())), &stop);
  note(what, Activity::kReceive, begin, source.size() * wire_size(wire), slices);
  return in_place ? source.data() : own.data();
}

float* WorkerProgram::result_place(WireFormat wire, std::span<float> destination,
                                   FloatBuffer& own) const {
  return to_master_.in_place(wire, all_of(destination)) ? destination.data() : own.data();
}

void WorkerProgram::send_all(const Slice& what, WireFormat wire, const float* source,
                             std::span<float> destination, Slices& slices, const StopToken& stop) {
  const TimePoint begin = SteadyClock::now();
  const bool in_place = source == destination.data();
  if (in_place && !link_) return;
  if (!in_place)
    to_master_.move(wire, all_of(std::span(source, destination.size())), all_of(destination),
                    &stop);
  note(what, Activity::kSend, begin, destination.size() * wire_size(wire), slices);
}

void WorkerProgram::StageSlices::append_to(Slices& slices) const {
  for (const Slices* stage : {&receive, &compute, &send})
    slices.insert(slices.end(), stage->begin(), stage->end());
}

}  // namespace convoy
