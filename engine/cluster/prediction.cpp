#include "engine/cluster/prediction.h"

#include <algorithm>

#include "engine/cluster/batch_ranges.h"
#include "engine/cluster/schedule.h"
#include "engine/cluster/traffic.h"

namespace convoy {
namespace {

constexpr auto kForward = static_cast<std::size_t>(Pass::kForward);
constexpr auto kBackwardData = static_cast<std::size_t>(Pass::kBackwardData);
constexpr auto kBackwardWeights = static_cast<std::size_t>(Pass::kBackwardWeights);

bool left_out(const PartWork& part) {
  return part.problem.out_channels == 0 || part.problem.batch == 0;
}

// What the device's computer works for each byte that travels, in milliseconds.
struct ByteCost {
  double maps = 0.0, weights = 0.0;
};

// fp32 lies ready at either end, but for a part of a batch, which is picked out of the rows: on the
// master too.
ByteCost byte_cost(const LayerWork& layer, const PartWork& part, bool has_link, WireFormat wire) {
  const auto parts = layer.parts.size() - static_cast<std::size_t>(std::count_if(
                                              layer.parts.begin(), layer.parts.end(), left_out));
  const bool picks = layer.split == SplitMode::kBatch && (has_link || parts > 1);
  const bool rounds = has_link && wire != WireFormat::kFp32;
  const WireFormat format = has_link ? wire : WireFormat::kFp32;
  const double ms = part.moving.move[static_cast<std::size_t>(format)] / 1e6 /
                    static_cast<double>(wire_size(wire));
  return {picks || rounds ? ms : 0.0, rounds ? ms : 0.0};
}

// The pieces of one exchange on one device, in the order in which a worker does them.
class Pieces {
 public:
  Pieces(bool has_link, const ByteCost& cost) : has_link_(has_link), cost_(cost) {}

  void move_maps(Activity activity, Pass pass, std::uint64_t bytes, int chunk) {
    move(activity, pass, bytes, cost_.maps, chunk);
  }
  void move_weights(Activity activity, Pass pass, std::uint64_t weight, std::uint64_t bias) {
    move(activity, pass, weight, cost_.weights, -1);
    move(activity, pass, bias, 0.0, -1);
  }
  void compute(Pass pass, double ms, int chunk = -1) {
    if (ms > 0.0) pieces_.push_back({Activity::kCompute, pass, ms, 0, chunk});
  }
  std::vector<Piece> take() { return std::move(pieces_); }

 private:
  void move(Activity activity, Pass pass, std::uint64_t bytes, double byte_ms, int chunk) {
    const double ms = byte_ms * static_cast<double>(bytes);
    if (!has_link_)
      compute(pass, ms, chunk);
    else if (bytes > 0)
      pieces_.push_back({activity, pass, ms, bytes, chunk});
  }

  bool has_link_;
  ByteCost cost_;
  std::vector<Piece> pieces_;
};

// The part of all pictures that each chunk has, all in one where nothing overlaps.
struct Chunk {
  int number;  // -1: all of it
  std::uint64_t pictures, of;
  int cuts;  // between all chunks
  std::uint64_t bytes(std::uint64_t all) const { return all / of * pictures; }
  // Of a pass that takes `all` together with its cuts: what each costs is part of every chunk, and
  // the remainder goes by pictures.
  double ms(double all, double cut_ms) const {
    const double fixed = std::min(cut_ms, all / (cuts + 1));
    return fixed +
           (all - fixed * (cuts + 1)) * static_cast<double>(pictures) / static_cast<double>(of);
  }
};

std::vector<Chunk> chunks_of(const PartWork& part, Cuts cuts, bool overlap) {
  const BatchRange whole{0, part.problem.batch};
  const auto all = static_cast<std::uint64_t>(whole.size());
  if (!overlap) return {{-1, all, all, 0}};
  std::vector<Chunk> chunks;
  const std::vector<BatchRange> ranges = batch_chunks(whole, part.cut_ms ? cuts : kNoCuts);
  for (const BatchRange& range : ranges)
    chunks.push_back({static_cast<int>(chunks.size()), static_cast<std::uint64_t>(range.size()),
                      all, static_cast<int>(ranges.size()) - 1});
  return chunks;
}

std::vector<Piece> forward_pieces(const PartWork& part, const PartTraffic& traffic, Pieces pieces,
                                  bool overlap) {
  pieces.move_weights(Activity::kReceive, Pass::kForward, traffic.weight, traffic.bias);
  const double cut_ms = part.cut_ms.value_or(CutCost{}).forward;
  for (const Chunk& chunk : chunks_of(part, part.cuts.forward, overlap)) {
    pieces.move_maps(Activity::kReceive, Pass::kForward, chunk.bytes(traffic.input), chunk.number);
    pieces.compute(Pass::kForward, chunk.ms(part.ms[kForward], cut_ms), chunk.number);
    pieces.move_maps(Activity::kSend, Pass::kForward, chunk.bytes(traffic.output), chunk.number);
  }
  return pieces.take();
}

// The weights' gradient comes last, so that the input's travels meanwhile.
std::vector<Piece> backward_pieces(const PartWork& part, const PartTraffic& traffic, Pieces pieces,
                                   bool overlap) {
  const double cut_ms = part.cut_ms.value_or(CutCost{}).backward;
  for (const Chunk& chunk : chunks_of(part, part.cuts.backward, overlap)) {
    pieces.move_maps(Activity::kReceive, Pass::kBackwardWeights, chunk.bytes(traffic.grad_output),
                     chunk.number);
    pieces.compute(Pass::kBackwardData, chunk.ms(part.ms[kBackwardData], cut_ms), chunk.number);
    pieces.move_maps(Activity::kSend, Pass::kBackwardData, chunk.bytes(traffic.grad_input),
                     chunk.number);
  }
  pieces.compute(Pass::kBackwardWeights, part.ms[kBackwardWeights]);
  pieces.move_weights(Activity::kSend, Pass::kBackwardWeights, traffic.grad_weight,
                      traffic.grad_bias);
  return pieces.take();
}

// What one device does in the two exchanges of a layer.
struct Workloads {
  DeviceWorkload forward, backward;
};

// `link` null: the master's own device.
Workloads workloads(const LayerWork& layer, const PartWork& part, const LinkSettings* link,
                    const DistributionOptions& options) {
  const PartTraffic traffic =
      part_traffic(part.problem, layer.split, layer.needs_grad_input, options);
  const Pieces pieces(link, byte_cost(layer, part, link, options.wire));
  DeviceWorkload none;
  if (link) {
    none.link = *link;
    if (part.moving.cores > 0) none.lost_to_transfers = 1.0 / part.moving.cores;
  }
  Workloads both{none, none};
  both.forward.pieces = forward_pieces(part, traffic, pieces, options.overlap);
  both.backward.pieces = backward_pieces(part, traffic, pieces, options.overlap);
  return both;
}

// The master's sum of the shares of what is a partial sum on each device: of the input's gradient,
// or of the weights'. It reads them all and writes one, where adding one to one reads two.
double sum_ms(const LayerWork& layer) {
  const bool by_batch = layer.split == SplitMode::kBatch;
  if (!by_batch && !layer.needs_grad_input) return 0.0;
  std::size_t size = 0, shares = 0;
  for (const PartWork& part : layer.parts) {
    if (left_out(part)) continue;
    size = by_batch ? part.problem.weight_size() : part.problem.input_size();
    ++shares;
  }
  if (shares < 2) return 0.0;
  return layer.parts[0].moving.sum / 1e6 * static_cast<double>(size) *
         static_cast<double>(shares + 1) / 3.0;
}

}  // namespace

PartWork with_cuts(PartWork part, ChunkCuts cuts) {
  if (!part.cut_ms) return part;
  const BatchRange all{0, part.problem.batch};
  const auto more = [&](Cuts now, Cuts then) {
    return std::ssize(batch_chunks(all, then)) - std::ssize(batch_chunks(all, now));
  };
  const auto change = [](double& ms, double by) { ms = std::max(0.0, ms + by); };
  change(part.ms[kForward],
         part.cut_ms->forward * static_cast<double>(more(part.cuts.forward, cuts.forward)));
  change(part.ms[kBackwardData],
         part.cut_ms->backward * static_cast<double>(more(part.cuts.backward, cuts.backward)));
  part.cuts = cuts;
  return part;
}

double resident_update_ms(const PartWork& part, double whole_ms, int kernels) {
  if (part.moving.update > 0.0)
    return part.moving.update / 1e6 * static_cast<double>(part.problem.weight_size());
  return whole_ms * part.problem.out_channels / kernels;
}

ExchangeTimes exchange_times(const LayerWork& layer, const PartWork& part, const LinkSettings* link,
                             const DistributionOptions& options) {
  const Workloads both = workloads(layer, part, link, options);
  return {place_exchange({both.forward}, options.overlap).ms,
          place_exchange({both.backward}, options.overlap).ms};
}

StepPrediction predict_step(const std::vector<LayerWork>& layers,
                            const std::vector<LinkSettings>& links,
                            const DistributionOptions& options, double comp_ms) {
  StepPrediction step;
  step.comp_ms = comp_ms;
  step.device_bytes.resize(links.size());
  std::vector<double> compute_ms(links.size()), update_ms(links.size());
  double layers_ms = 0.0;
  for (const LayerWork& layer : layers) {
    StepPrediction::Layer& result = step.layers.emplace_back();
    std::vector<DeviceWorkload> forward(links.size()), backward(links.size());
    for (std::size_t i = 0; i < links.size(); ++i) {
      const PartWork& part = layer.parts.at(i);
      if (left_out(part)) continue;
      const bool has_link = i > 0;
      const PartTraffic traffic =
          part_traffic(part.problem, layer.split, layer.needs_grad_input, options);
      const Workloads both = workloads(layer, part, has_link ? &links[i] : nullptr, options);
      forward[i] = both.forward;
      backward[i] = both.backward;
      compute_ms[i] += part.ms[0] + part.ms[1] + part.ms[2] + part.update_ms;
      update_ms[i] += part.update_ms;
      if (!has_link) continue;
      step.device_bytes[i] += traffic.received() + traffic.sent();
      result.bytes += traffic.received() + traffic.sent();
    }
    result.forward_ms = place_exchange(forward, options.overlap).ms;
    result.backward_ms = place_exchange(backward, options.overlap).ms + sum_ms(layer);
    layers_ms += result.forward_ms + result.backward_ms;
    step.bytes += result.bytes;
  }
  // Resident weights are updated side by side, when all gradients are there.
  layers_ms += *std::max_element(update_ms.begin(), update_ms.end());
  step.conv_ms = *std::max_element(compute_ms.begin(), compute_ms.end());
  step.comm_ms = std::max(0.0, layers_ms - step.conv_ms);  // rounding may leave less
  step.step_ms = layers_ms + comp_ms;
  return step;
}

bool works_in_parts(const std::array<std::string, 3>& algorithms) {
  const auto works = [](const std::string& name) {
    if (name.find('+') == std::string::npos) return name == "fft";
    return !name.ends_with("+clblast");  // of an OpenCL device
  };
  return works(algorithms[kForward]) &&
         (algorithms[kBackwardData].empty() || works(algorithms[kBackwardData]));
}

namespace {

std::optional<CutCost> cut_cost(const LayerPlan& layer, std::size_t device) {
  if (!layer.cut_ms.empty()) return layer.cut_ms[device];
  if (works_in_parts(layer.measured[device].algorithm)) return CutCost{};
  return std::nullopt;
}

}  // namespace

PartWork planned_part(const LayerPlan& layer, std::size_t device, int count) {
  DistributionOptions with_cuts;  // which count where transfers overlap
  with_cuts.overlap = true;
  PartWork part;
  const LayerPart planned = layer.part(device, 0, count, with_cuts);
  const ConvMeasurement& measured = layer.measured[device];
  part.problem = planned.problem;
  part.moving = measured.moving;
  part.cuts = planned.cuts;
  if (device > 0) part.cut_ms = cut_cost(layer, device);
  for (std::size_t pass = 0; count > 0 && pass < part.ms.size(); ++pass)
    part.ms[pass] = layer.cost[device].ms(count) * measured.ms[pass] / measured.total_ms();
  return part;
}

std::vector<LayerWork> planned_work(const ClusterPlan& plan) {
  std::vector<LayerWork> layers;
  for (const LayerPlan& from : plan.layers) {
    LayerWork& layer = layers.emplace_back();
    layer.split = from.split;
    layer.needs_grad_input = from.needs_grad_input;
    for (std::size_t i = 0; i < from.counts().size(); ++i)
      layer.parts.push_back(planned_part(from, i, from.counts()[i]));
  }
  return layers;
}

}  // namespace convoy
