// convoy bench step: a whole training step on one device.
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/cli/bench_report.h"
#include "app/cli/commands.h"
#include "app/cli/conv_options.h"
#include "app/cli/device_argument.h"
#include "app/cli/interrupt.h"
#include "app/cli/text_table.h"
#include "engine/base/random.h"
#include "engine/cluster/single_device.h"
#include "engine/conv/timeline.h"
#include "engine/device/discovery.h"
#include "engine/network/model.h"

namespace convoy::cli {
namespace {

struct Options {
  std::string device = "cpu";
  std::vector<int> kernels;
  int batch = 0, kernel_size = 5, channels = 3, classes = 10;
  std::string padding = "valid", size = "32";
  int repetitions = 5;
  bool json = false;
};

NetworkSpec spec_of(const Options& options) {
  NetworkSpec spec;
  spec.design.kernels = options.kernels;
  spec.design.kernel_size = options.kernel_size;
  spec.design.padding = options.padding == "same" ? PaddingMode::kSame : PaddingMode::kValid;
  spec.in_channels = options.channels;
  spec.classes = options.classes;
  std::tie(spec.in_height, spec.in_width) = parse_pair("--size", options.size, 1);
  return spec;
}

struct Result {
  Measurements step, conv, comp;
  double conv_flops = 0;  // of a step, done directly
};

// The first layer needs no gradient of its input.
double conv_flops(const std::vector<ConvProblem>& problems) {
  double flops = 0;
  for (const ConvProblem& problem : problems)
    flops += (&problem == &problems.front() ? 2 : 3) * problem.flops();
  return flops;
}

Result measure(const Options& options, Device& device, const StopToken& stop) {
  const NetworkSpec spec = spec_of(options);
  const std::vector<ConvProblem> problems = spec.conv_problems(options.batch);
  for (const ConvProblem& problem : problems) problem.validate();
  // First the convolutions: what they measure needs memory that the model then takes.
  SingleDevice convolutions(device, problems, true, &stop);
  // As in a run: everything but the convolutions uses the master's cores.
  std::optional<ThreadPool> all_cores;
  if (!device.host_pool()) all_cores.emplace(available_cores());
  Model model(spec, options.batch, all_cores ? *all_cores : *device.host_pool());
  model.parameters() = Parameters::he(spec, 1);
  const FloatBuffer images = random_buffer(problems.front().input_size(), 2);
  std::vector<std::uint16_t> labels(static_cast<std::size_t>(options.batch));
  Random random(3);
  for (std::uint16_t& label : labels)
    label = static_cast<std::uint16_t>(random.below(static_cast<std::uint64_t>(options.classes)));
  // Times do not depend on the values as long as these stay finite; random labels teach nothing.
  const SgdSettings sgd{1e-6, 0.9, 0.0};

  Result result;
  result.conv_flops = conv_flops(problems);
  for (int i = 0; i <= options.repetitions; ++i) {
    stop.throw_if_stopped();
    convolutions.take_conv_ms();
    const TimePoint begin = SteadyClock::now();
    model.train_step(images.data(), labels.data(), sgd, convolutions);
    const double step_ms = milliseconds(SteadyClock::now() - begin);
    const double conv_ms = convolutions.take_conv_ms();
    if (i == 0) continue;  // warms up
    result.step.add(step_ms);
    result.conv.add(conv_ms);
    result.comp.add(step_ms - conv_ms);
  }
  return result;
}

std::string json_text(const Options& options, const Device& device, const Result& result) {
  nlohmann::ordered_json root;
  root["device"] = device.info().id;
  root["device_name"] = device.info().name;
  root["kernels"] = options.kernels;
  root["kernel_size"] = options.kernel_size;
  root["padding"] = options.padding;
  root["batch"] = options.batch;
  root["repetitions"] = options.repetitions;
  result.step.put(root, "step");
  result.conv.put(root, "conv");
  result.comp.put(root, "comp");
  root["images_per_s"] = 1000.0 * options.batch / result.step.median();
  root["conv_gflops"] = result.conv_flops / result.conv.median() / 1e6;
  root["peak_memory_bytes"] = peak_memory_bytes();
  return root.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string plain_text(const Options& options, const Device& device, const Result& result) {
  std::string text = "training step of " + network_name(spec_of(options).design) + ", batch " +
                     std::to_string(options.batch) + " on " + device.info().id + " (" +
                     device.info().name + "), medians of " + std::to_string(options.repetitions) +
                     "\n";
  text += time_line("step", result.step) + "\n";
  text += time_line("convolutions", result.conv) + "  " +
          fixed(result.conv_flops / result.conv.median() / 1e6, 1) + " GFLOP/s\n";
  text += time_line("the rest", result.comp) + "\n";
  text += "rate              " + fixed(1000.0 * options.batch / result.step.median(), 1) +
          " pictures a second\n";
  text += "memory            " + bytes_text(peak_memory_bytes()) + " peak of the process\n";
  return text;
}

int run(const Options& options) {
  StopToken stop;
  const InterruptGuard interrupt(stop);
  const auto device = open_device_aloud(options.device);
  const Result result = measure(options, *device, stop);
  std::cout << (options.json ? json_text(options, *device, result)
                             : plain_text(options, *device, result));
  return 0;
}

}  // namespace

void add_bench_step_command(CLI::App& bench, Action& action) {
  CLI::App* command = bench.add_subcommand("step", "A whole training step on one device");
  const auto options = std::make_shared<Options>();
  command->add_option("--device", options->device, "Device id")
      ->type_name("ID")
      ->capture_default_str();
  command->add_option("--kernels", options->kernels, "Of each layer, such as 500,1500")
      ->type_name("N,...")
      ->delimiter(',')
      ->check(CLI::Range(1, 65536))
      ->expected(1, 5)
      ->required();
  command->add_option("--batch", options->batch, "Pictures")
      ->check(CLI::Range(1, 65536))
      ->required();
  command->add_option("--kernel-size", options->kernel_size, "Height and width of the kernels")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command->add_option("--padding", options->padding, "valid or same")
      ->type_name("P")
      ->check(CLI::IsMember({"valid", "same"}))
      ->capture_default_str();
  command->add_option("--size", options->size, "H or HxW of the pictures")
      ->type_name("HxW")
      ->capture_default_str();
  command->add_option("--in-channels", options->channels, "Channels of the pictures")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  command->add_option("--classes", options->classes, "Classes")
      ->check(CLI::Range(2, 65535))
      ->capture_default_str();
  command->add_option("--repetitions", options->repetitions, "After one to warm up")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  command->add_flag("--json", options->json, "As JSON");
  command->footer("Random pictures and labels. Times are medians, with the least and the most.");
  choose(*command, action, options, run);
}

}  // namespace convoy::cli
