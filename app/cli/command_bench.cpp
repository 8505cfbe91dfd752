// convoy bench conv: the three passes of one layer, as a training step runs them.
#include <array>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/cli/bench_report.h"
#include "app/cli/commands.h"
#include "app/cli/conv_options.h"
#include "app/cli/device_argument.h"
#include "app/cli/interrupt.h"
#include "app/cli/text_table.h"
#include "engine/conv/timeline.h"

namespace convoy::cli {
namespace {

struct Options {
  std::string device = "cpu", algorithm;
  int batch = 0, in_channels = 0, out_channels = 0;
  std::string size, kernel_size = "5", padding = "0", stride = "1";
  double scratch_limit_mb = 0.0;
  int repetitions = 5;
  bool json = false;
};

ConvProblem problem_of(const Options& options) {
  ConvProblem problem;
  problem.batch = options.batch;
  problem.in_channels = options.in_channels;
  problem.out_channels = options.out_channels;
  std::tie(problem.in_height, problem.in_width) = parse_pair("--size", options.size, 1);
  std::tie(problem.kernel_height, problem.kernel_width) =
      parse_pair("--kernel-size", options.kernel_size, 1);
  std::tie(problem.stride_height, problem.stride_width) = parse_pair("--stride", options.stride, 1);
  problem.padding =
      PaddingOption(options.padding).of_kernel(problem.kernel_height, problem.kernel_width);
  problem.validate();
  return problem;
}

struct Result {
  Measurements step;
  std::array<Measurements, 3> passes;  // in the order of kAllPasses
};

// One layer with its operands. Handing an operand over belongs to the first pass that reads it:
// what the passes share is done once, as in training.
class Layer {
 public:
  Layer(DeviceConv& conv, const ConvProblem& problem)
      : conv_(conv),
        input_(random_buffer(problem.input_size(), 1)),
        weight_(random_buffer(problem.weight_size(), 2)),
        grad_output_(random_buffer(problem.output_size(), 3)),
        output_(problem.output_size()),
        grad_input_(problem.input_size()),
        grad_weight_(problem.weight_size()) {}

  // The times of the passes in the order of kAllPasses.
  std::array<double, 3> step(const StopToken& stop) {
    const TimePoint begin = SteadyClock::now();
    conv_.set_operand(Operand::kInput, input_.data());
    conv_.set_operand(Operand::kWeight, weight_.data());
    conv_.run(Pass::kForward, output_.data(), &stop);
    const TimePoint forward = SteadyClock::now();
    conv_.set_operand(Operand::kGradOutput, grad_output_.data());
    conv_.run(Pass::kBackwardWeights, grad_weight_.data(), &stop);
    const TimePoint weights = SteadyClock::now();
    conv_.run(Pass::kBackwardData, grad_input_.data(), &stop);
    const TimePoint data = SteadyClock::now();
    return {milliseconds(forward - begin), milliseconds(data - weights),
            milliseconds(weights - forward)};
  }

 private:
  DeviceConv& conv_;
  FloatBuffer input_, weight_, grad_output_, output_, grad_input_, grad_weight_;
};

Result measure(DeviceConv& conv, const ConvProblem& problem, int repetitions,
               const StopToken& stop) {
  Layer layer(conv, problem);
  layer.step(stop);  // warms up caches, threads and lazily compiled kernels
  Result result;
  for (int i = 0; i < repetitions; ++i) {
    const auto times = layer.step(stop);
    for (std::size_t pass = 0; pass < 3; ++pass) result.passes[pass].add(times[pass]);
    result.step.add(times[0] + times[1] + times[2]);
  }
  return result;
}

nlohmann::ordered_json problem_json(const ConvProblem& p) {
  return {{"batch", p.batch},
          {"in_channels", p.in_channels},
          {"out_channels", p.out_channels},
          {"in_height", p.in_height},
          {"in_width", p.in_width},
          {"kernel_height", p.kernel_height},
          {"kernel_width", p.kernel_width},
          {"padding", {p.padding.top, p.padding.left, p.padding.bottom, p.padding.right}},
          {"stride_height", p.stride_height},
          {"stride_width", p.stride_width}};
}

constexpr const char* kKeys[] = {"forward", "backward_data", "backward_weights"};

double executed_flops(const DeviceConv& conv) {
  double flops = 0;
  for (const Pass pass : kAllPasses) flops += conv.executed_flops(pass);
  return flops;
}

std::string json_text(const Options& options, const Device& device, const DeviceConv& conv,
                      const Result& result) {
  const ConvProblem& problem = conv.problem();
  nlohmann::ordered_json root;
  root["device"] = device.info().id;
  root["device_name"] = device.info().name;
  root["problem"] = problem_json(problem);
  root["repetitions"] = options.repetitions;
  result.step.put(root, "step");
  for (std::size_t i = 0; i < 3; ++i) result.passes[i].put(root, kKeys[i]);
  for (std::size_t i = 0; i < 3; ++i) root["algorithm"][kKeys[i]] = conv.algorithm(kAllPasses[i]);
  for (std::size_t i = 0; i < 3; ++i)
    root["chosen_by"][kKeys[i]] = chosen_by_name(conv.chosen_by(kAllPasses[i]));
  for (std::size_t i = 0; i < 3; ++i)
    if (const ConvPhases phases = conv.phases(kAllPasses[i]); phases.product_ms > 0)
      root["phases_ms"][kKeys[i]] = {{"transform", phases.transform_ms},
                                     {"product", phases.product_ms},
                                     {"inverse", phases.inverse_ms}};
  root["gflops"] = 3 * problem.flops() / result.step.median() / 1e6;
  root["executed_gflops"] = executed_flops(conv) / result.step.median() / 1e6;
  root["scratch_bytes"] = conv.scratch_bytes();
  root["peak_memory_bytes"] = peak_memory_bytes();
  return root.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string plain_text(const Options& options, const Device& device, const DeviceConv& conv,
                       const Result& result) {
  const ConvProblem& problem = conv.problem();
  std::string text = problem.describe() + " on " + device.info().id + " (" + device.info().name +
                     "), medians of " + std::to_string(options.repetitions) + "\n";
  text += time_line("step", result.step) + "\n";
  for (std::size_t i = 0; i < 3; ++i)
    text += time_line(pass_name(kAllPasses[i]), result.passes[i]) + "  " +
            conv.algorithm(kAllPasses[i]) + "\n";
  text += "rate              " + fixed(3 * problem.flops() / result.step.median() / 1e6, 1) +
          " GFLOP/s direct-equivalent, " +
          fixed(executed_flops(conv) / result.step.median() / 1e6, 1) + " executed\n";
  text += "memory            " + bytes_text(static_cast<double>(conv.scratch_bytes())) +
          " scratch, " + bytes_text(peak_memory_bytes()) + " peak of the process\n";
  return text;
}

int run(const Options& options) {
  const ConvProblem problem = problem_of(options);
  StopToken stop;
  const InterruptGuard interrupt(stop);
  const auto device = open_device_aloud(options.device);
  DeviceConvOptions choice;
  choice.algorithm = options.algorithm;
  choice.scratch_limit = static_cast<std::size_t>(std::ceil(options.scratch_limit_mb * 1e6));
  choice.measure = true;
  choice.stop = &stop;
  const auto conv = device->make_conv(problem, choice);
  const Result result = measure(*conv, problem, options.repetitions, stop);
  std::cout << (options.json ? json_text(options, *device, *conv, result)
                             : plain_text(options, *device, *conv, result));
  return 0;
}

void add_bench_conv(CLI::App& bench, Action& action) {
  CLI::App* command = bench.add_subcommand("conv", "The three passes of one convolutional layer");
  const auto options = std::make_shared<Options>();
  command->add_option("--device", options->device, "Device id")
      ->type_name("ID")
      ->capture_default_str();
  command->add_option("--batch", options->batch, "Pictures")->required();
  command->add_option("--in-channels", options->in_channels, "Channels of the input")->required();
  command->add_option("--out-channels", options->out_channels, "Kernels")->required();
  command->add_option("--size", options->size, "H or HxW of the input")
      ->type_name("HxW")
      ->required();
  command->add_option("--kernel-size", options->kernel_size, "K or KHxKW")
      ->type_name("KHxKW")
      ->capture_default_str();
  command->add_option("--padding", options->padding, kPaddingHelp)
      ->type_name("P")
      ->capture_default_str();
  command->add_option("--stride", options->stride, "S or SHxSW")
      ->type_name("S")
      ->capture_default_str();
  command
      ->add_option("--algorithm", options->algorithm,
                   "By name; else the fastest by measurement, which is remembered")
      ->type_name("NAME");
  command
      ->add_option("--scratch-limit", options->scratch_limit_mb,
                   "10^6 bytes beside the operands; else a quarter of the device's memory")
      ->check(CLI::Range(1e-6, 1e9));
  command->add_option("--repetitions", options->repetitions, "After one to warm up")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  command->add_flag("--json", options->json, "As JSON");
  command->footer(
      "Times are medians, with the least and the most. GFLOP/s direct-equivalent counts what the\n"
      "direct method would compute, executed what the algorithm really computes.");
  choose(*command, action, options, run);
}

}  // namespace

void add_bench_command(CLI::App& app, Action& action) {
  CLI::App* bench = app.add_subcommand("bench", "Measure this machine");
  bench->require_subcommand(1);
  add_bench_conv(*bench, action);
  add_bench_step_command(*bench, action);
}

}  // namespace convoy::cli
