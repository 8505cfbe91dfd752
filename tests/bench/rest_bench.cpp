// convoy_rest_bench: how near to the memory's bandwidth everything of a training step but the
// convolutions comes. The real model runs; only its convolutions are left out.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "engine/base/random.h"
#include "engine/device/discovery.h"
#include "engine/network/model.h"
#include "tests/bench/idle_convolutions.h"
#include "tests/bench/memory_bandwidth.h"
#include "tests/bench/step_traffic.h"

namespace convoy::bench {
namespace {

struct Options {
  std::vector<std::string> networks = {"300,1000", "500,1500"};
  int batch = 128, kernel_size = 5, repetitions = 15;
  std::string cores;
  bool json = false;
};

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  return values.size() % 2 != 0 ? values[half] : (values[half - 1] + values[half]) / 2;
}

struct Piece {
  std::string name;
  std::vector<double> ms;
};

struct Result {
  NetworkSpec spec;
  std::vector<Piece> pieces;  // in the order of the step
  std::vector<double> page_faults;

  const Piece& piece(const std::string& name) const {
    const auto found = std::ranges::find(pieces, name, &Piece::name);
    if (found == pieces.end())
      throw Error(ErrorKind::kRun, "rest", "the model reports no piece \"" + name + "\"");
    return *found;
  }
};

Result measure(const NetworkDesign& design, const Options& options, ThreadPool& pool) {
  Result result;
  result.spec.design = design;
  const std::vector<ConvProblem> problems = result.spec.conv_problems(options.batch);
  Model model(result.spec, options.batch, pool);
  model.parameters() = Parameters::he(result.spec, 1);
  IdleConvolutions convolutions(problems, pool);
  FloatBuffer images(problems.front().input_size());
  images.fill_zero();  // nobody reads them
  Random random(3);
  std::vector<std::uint16_t> labels(static_cast<std::size_t>(options.batch));
  for (std::uint16_t& label : labels)
    label =
        static_cast<std::uint16_t>(random.below(static_cast<std::uint64_t>(result.spec.classes)));
  // So slow that the weights stay finite.
  const SgdSettings sgd{1e-6, 0.9, 1e-4};

  for (int repetition = 0; repetition <= options.repetitions; ++repetition) {
    convolutions.take_page_faults();
    const StepResult step = model.train_step(images.data(), labels.data(), sgd, convolutions);
    const long faults = convolutions.take_page_faults();
    if (repetition == 0) {  // warms up
      for (const MasterSlice& slice : step.slices) result.pieces.push_back({slice.name, {}});
      continue;
    }
    for (std::size_t i = 0; i < step.slices.size(); ++i)
      result.pieces[i].ms.push_back(milliseconds(step.slices[i].end - step.slices[i].begin));
    result.page_faults.push_back(static_cast<double>(faults));
  }
  return result;
}

void print_bandwidths(const std::vector<Bandwidth>& bandwidths) {
  std::printf("%-24s %-13s %8s %24s\n", "memory bandwidth", "stores", "GB/s",
              "with ownership reads");
  for (const Bandwidth& bandwidth : bandwidths)
    std::printf("%-24s %-13s %8.1f %24.1f\n", bandwidth.name.c_str(),
                bandwidth.mix.writes == 0             ? "-"
                : bandwidth.stores == Stores::kCached ? "cached"
                                                      : "non-temporal",
                bandwidth.bytes_per_second / 1e9, bandwidth.with_ownership() / 1e9);
}

void print(const Result& result, const Options& options, const std::vector<Bandwidth>& bandwidths) {
  std::printf("\n%s, batch %d; medians of %d\n", network_name(result.spec.design).c_str(),
              options.batch, options.repetitions);
  std::printf("%-34s %8s %8s %8s %8s %10s %8s %10s %8s\n", "piece", "ms", "min", "MB read",
              "MB writ.", "MB owner.", "GB/s", "at most", "share");
  double total = 0.0, least_possible = 0.0;
  for (const Traffic& traffic : step_traffic(result.spec, options.batch)) {
    const std::vector<double>& ms = result.piece(traffic.piece).ms;
    const double rate = traffic.bytes() / median(ms) / 1e6;
    const double most = best_of(bandwidths, traffic.mix).bytes_per_second / 1e9;
    std::printf("%-34s %8.3f %8.3f %8.1f %8.1f %10.1f %8.1f %10.1f %7.0f%%\n",
                traffic.piece.c_str(), median(ms), *std::ranges::min_element(ms),
                traffic.read_bytes / 1e6, traffic.written_bytes / 1e6,
                traffic.ownership_bytes / 1e6, rate, most, 100 * rate / most);
    total += median(ms);
    least_possible += traffic.bytes() / most / 1e6;
  }
  const double softmax = median(result.piece("softmax").ms);
  std::printf("%-34s %8.3f\n", "softmax", softmax);
  std::printf("%-34s %8.3f; at the memory's bandwidth %.3f\n", "sum", total + softmax,
              least_possible);
  std::printf("page faults a step: %.0f\n", median(result.page_faults));
}

nlohmann::ordered_json json_of(const std::vector<Bandwidth>& bandwidths) {
  auto list = nlohmann::ordered_json::array();
  for (const Bandwidth& bandwidth : bandwidths)
    list.push_back({{"mix", bandwidth.name},
                    {"non_temporal", bandwidth.stores == Stores::kNonTemporal},
                    {"bytes_per_second", bandwidth.bytes_per_second},
                    {"bytes_per_second_with_ownership", bandwidth.with_ownership()}});
  return list;
}

nlohmann::ordered_json json_of(const Result& result, const Options& options,
                               const std::vector<Bandwidth>& bandwidths) {
  nlohmann::ordered_json root;
  root["kernels"] = result.spec.design.kernels;
  root["kernel_size"] = options.kernel_size;
  root["batch"] = options.batch;
  root["repetitions"] = options.repetitions;
  const std::vector<Traffic> all = step_traffic(result.spec, options.batch);
  double total = 0.0, least_possible = 0.0;
  for (const Piece& piece : result.pieces) {
    nlohmann::ordered_json entry = {{"piece", piece.name},
                                    {"ms", median(piece.ms)},
                                    {"ms_min", *std::ranges::min_element(piece.ms)},
                                    {"ms_max", *std::ranges::max_element(piece.ms)}};
    total += median(piece.ms);
    const auto traffic = std::ranges::find(all, piece.name, &Traffic::piece);
    if (traffic != all.end()) {
      const double rate = traffic->bytes() / median(piece.ms) * 1e3;
      const Bandwidth& most = best_of(bandwidths, traffic->mix);
      least_possible += traffic->bytes() / most.bytes_per_second * 1e3;
      entry["read_bytes"] = traffic->read_bytes;
      entry["written_bytes"] = traffic->written_bytes;
      entry["ownership_bytes"] = traffic->ownership_bytes;
      entry["bytes_per_second"] = rate;
      entry["mix"] = most.name;
      entry["share_of_bandwidth"] = rate / most.bytes_per_second;
    }
    root["pieces"].push_back(entry);
  }
  root["sum_ms"] = total;
  root["sum_ms_at_bandwidth"] = least_possible;
  root["page_faults"] = median(result.page_faults);
  return root;
}

NetworkDesign design_of(const std::string& text, int kernel_size) {
  NetworkDesign design;
  design.kernels.clear();
  for (const std::string& number : CLI::detail::split(text, ','))
    if (int kernels = 0; CLI::detail::lexical_cast(number, kernels))
      design.kernels.push_back(kernels);
    else
      throw Error(ErrorKind::kUsage, "--network",
                  "\"" + text + "\" is no list of numbers of kernels such as \"500,1500\"");
  design.kernel_size = kernel_size;
  return design;
}

void run(const Options& options) {
  ThreadPool pool(options.cores.empty() ? available_cores() : parse_core_list(options.cores));
  std::vector<NetworkDesign> designs;
  for (const std::string& text : options.networks)
    designs.push_back(design_of(text, options.kernel_size));
  const std::vector<Bandwidth> bandwidths = measure_bandwidths(pool, options.repetitions);
  nlohmann::ordered_json root;
  root["cores"] = core_list_text(pool.cores());
  root["bandwidth"] = json_of(bandwidths);
  if (!options.json) {
    std::printf("cores %s\n\n", core_list_text(pool.cores()).c_str());
    print_bandwidths(bandwidths);
  }
  for (const NetworkDesign& design : designs) {
    const Result result = measure(design, options, pool);
    if (options.json)
      root["networks"].push_back(json_of(result, options, bandwidths));
    else
      print(result, options, bandwidths);
  }
  if (options.json) std::cout << root.dump(2) << "\n";
}

}  // namespace
}  // namespace convoy::bench

int main(int argc, char** argv) {
  convoy::bench::Options options;
  CLI::App app(
      "Times everything of a training step but the convolutions beside the memory's "
      "bandwidth");
  app.add_option("--network", options.networks,
                 "Kernels of each layer, such as 500,1500; may be given several times")
      ->delimiter(' ')
      ->capture_default_str();
  app.add_option("--batch", options.batch)->check(CLI::Range(1, 65536))->capture_default_str();
  app.add_option("--kernel-size", options.kernel_size)
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--cores", options.cores, "Such as 0-3,6; all when not given");
  app.add_option("--repetitions", options.repetitions, "Medians are of so many")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_flag("--json", options.json, "JSON instead of tables");
  CLI11_PARSE(app, argc, argv);
  try {
    convoy::bench::run(options);
    return 0;
  } catch (const convoy::Error& error) {
    std::cerr << "convoy_rest_bench: " << error.what() << "\n";
    return convoy::exit_code(error.kind());
  }
}
