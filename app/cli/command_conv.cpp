// convoy conv: one pass of one convolution on .npy files, to hold the engine against others.
#include <iostream>

#include "app/cli/commands.h"
#include "app/cli/conv_options.h"
#include "app/cli/conv_shapes.h"
#include "app/cli/device_argument.h"
#include "app/cli/interrupt.h"
#include "engine/tensor/layout.h"
#include "engine/tensor/npy.h"

namespace convoy::cli {
namespace {

struct Options {
  std::string pass;
  std::string input, weight, grad_output, output;
  std::string padding = "0", stride = "1";
  std::string input_size, kernel_size;
  std::string device = "cpu", algorithm, kernels;
};

Pass parse_pass(const std::string& text) {
  for (const Pass pass : kAllPasses)
    if (text == pass_name(pass)) return pass;
  throw Error(ErrorKind::kUsage, "PASS",
              "found \"" + text + "\"; it must be forward, backward-data or backward-weights");
}

// Reads an operand of the pass, and refuses one that it does not take.
std::optional<NpyArray> operand(const char* option, const std::string& path, bool taken,
                                const std::string& pass) {
  if (taken && path.empty())
    throw Error(ErrorKind::kUsage, option, "is missing; the pass " + pass + " needs it");
  if (!taken && !path.empty())
    throw Error(ErrorKind::kUsage, option,
                "the pass " + pass + " does not take it; leave it out (found \"" + path + "\")");
  if (!taken) return std::nullopt;
  return read_npy(path);
}

void refuse_option(const char* option, const std::string& value, const char* pass) {
  if (!value.empty())
    throw Error(
        ErrorKind::kUsage, option,
        std::string("only the pass ") + pass + " takes it; leave it out (found \"" + value + "\")");
}

FloatBuffer batch_last(const NpyArray& array) {
  FloatBuffer result(array.values.size());
  batch_first_to_batch_last(array.values.data(), array.shape[0],
                            array.values.size() / array.shape[0], result.data());
  return result;
}

void write_maps(const std::string& path, const FloatBuffer& maps, int batch, int channels,
                int height, int width) {
  FloatBuffer result(maps.size());
  batch_last_to_batch_first(maps.data(), static_cast<std::size_t>(batch),
                            maps.size() / static_cast<std::size_t>(batch), result.data());
  write_npy(path,
            {static_cast<std::size_t>(batch), static_cast<std::size_t>(channels),
             static_cast<std::size_t>(height), static_cast<std::size_t>(width)},
            result.data());
}

int run(const Options& options) {
  const Pass pass = parse_pass(options.pass);
  const bool forward = pass == Pass::kForward, weights = pass == Pass::kBackwardWeights;
  if (pass != Pass::kBackwardData)
    refuse_option("--input-size", options.input_size, "backward-data");
  if (!weights) refuse_option("--kernel-size", options.kernel_size, "backward-weights");

  ConvShapes shapes;
  shapes.pass = pass;
  shapes.padding = PaddingOption(options.padding);
  shapes.stride = parse_pair("--stride", options.stride, 1);
  if (!options.input_size.empty())
    shapes.input_size = parse_pair("--input-size", options.input_size, 1);
  if (!options.kernel_size.empty())
    shapes.kernel_size = parse_pair("--kernel-size", options.kernel_size, 1);
  const auto input = operand("--input", options.input, pass != Pass::kBackwardData, options.pass);
  const auto weight = operand("--weight", options.weight, !weights, options.pass);
  const auto grad_output = operand("--grad-output", options.grad_output, !forward, options.pass);
  if (input) shapes.input = input->shape;
  if (weight) shapes.weight = weight->shape;
  if (grad_output) shapes.grad_output = grad_output->shape;
  const ConvProblem whole = conv_problem_of(shapes);

  KernelRange range{0, whole.out_channels};
  if (!options.kernels.empty()) range = parse_kernel_range(options.kernels, whole.out_channels);
  const ConvProblem problem = whole.with_kernels(range.last - range.first);
  const auto first = static_cast<std::size_t>(range.first);
  const std::size_t one_map =
      problem.output_size() / static_cast<std::size_t>(problem.out_channels);

  StopToken stop;
  const InterruptGuard interrupt(stop);
  const auto device = open_device_aloud(options.device);
  const auto conv = device->make_conv(problem, {options.algorithm, 0});
  FloatBuffer input_maps, grad_output_maps;
  if (input) {
    input_maps = batch_last(*input);
    conv->set_operand(Operand::kInput, input_maps.data());
  }
  if (weight)
    conv->set_operand(Operand::kWeight, weight->values.data() + first * whole.kernel_elements());
  if (grad_output) {
    grad_output_maps = batch_last(*grad_output);
    conv->set_operand(Operand::kGradOutput, grad_output_maps.data() + first * one_map);
  }
  FloatBuffer result(forward   ? problem.output_size()
                     : weights ? problem.weight_size()
                               : problem.input_size());
  conv->run(pass, result.data(), &stop);
  if (forward)
    write_maps(options.output, result, problem.batch, problem.out_channels, problem.out_height(),
               problem.out_width());
  else if (weights)
    write_npy(options.output,
              {static_cast<std::size_t>(problem.out_channels),
               static_cast<std::size_t>(problem.in_channels),
               static_cast<std::size_t>(problem.kernel_height),
               static_cast<std::size_t>(problem.kernel_width)},
              result.data());
  else
    write_maps(options.output, result, problem.batch, problem.in_channels, problem.in_height,
               problem.in_width);
  std::cout << options.output << ": " << options.pass << ", " << problem.describe() << ", "
            << conv->algorithm(pass) << " on " << device->info().id << '\n';
  return 0;
}

}  // namespace

void add_conv_command(CLI::App& app, Action& action) {
  CLI::App* command =
      app.add_subcommand("conv", "Compute one pass of a convolution on .npy arrays");
  const auto options = std::make_shared<Options>();
  command->add_option("PASS", options->pass, "forward, backward-data or backward-weights")
      ->required();
  command->add_option("--input", options->input, "[batch, channels, height, width]")
      ->type_name("FILE");
  command->add_option("--weight", options->weight, "[out, in, kernel height, kernel width]")
      ->type_name("FILE");
  command->add_option("--grad-output", options->grad_output, "[batch, kernels, height, width]")
      ->type_name("FILE");
  command->add_option("--padding", options->padding, kPaddingHelp)
      ->type_name("P")
      ->capture_default_str();
  command->add_option("--stride", options->stride, "S or SHxSW")
      ->type_name("S")
      ->capture_default_str();
  command
      ->add_option("--input-size", options->input_size,
                   "HxW of the result of backward-data, where the operands leave a choice")
      ->type_name("HxW");
  command
      ->add_option("--kernel-size", options->kernel_size,
                   "KHxKW of the result of backward-weights, where the operands leave a choice")
      ->type_name("KHxKW");
  command->add_option("--device", options->device, "Device id")
      ->type_name("ID")
      ->capture_default_str();
  command->add_option("--algorithm", options->algorithm, "By name; else the device chooses")
      ->type_name("NAME");
  command
      ->add_option("--kernels", options->kernels,
                   "FIRST:LAST, only these output kernels (from 0, FIRST included, LAST not): "
                   "forward gives their maps, backward-weights their gradients, backward-data "
                   "the part of the sum that is theirs")
      ->type_name("FIRST:LAST");
  command->add_option("--output", options->output, "The .npy file to write")
      ->type_name("FILE")
      ->check(kNotEmpty)
      ->required();
  command->footer(
      "forward takes --input and --weight; backward-data --grad-output and --weight;\n"
      "backward-weights --input and --grad-output. Arrays are float32 in C order and PyTorch's\n"
      "order of axes. There is no bias.");
  choose(*command, action, options, run);
}

}  // namespace convoy::cli
