// Which algorithm a CPU device takes for each pass of a convolution.
//
// As cuDNN's and oneDNN's autotuners do: a heuristic (the algorithms' own estimates) shortens the
// list, a measurement decides between those that are left, and the winner is remembered.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>

#include "engine/conv/conv_algorithm.h"
#include "engine/device/conv_choices.h"
#include "engine/device/device.h"

namespace convoy {

struct AlgorithmChoice {
  const ConvAlgorithm* algorithm = nullptr;
  ChosenBy chosen_by = ChosenBy::kNecessity;
};
// By pass, in the order of kAllPasses.
using AlgorithmChoices = std::array<AlgorithmChoice, 3>;

// The device's convolution with these algorithms: what a measurement times.
using MakeConv =
    std::function<std::unique_ptr<DeviceConv>(const std::array<std::string, 3>& algorithms)>;

// `options.scratch_limit` is in bytes, never 0 here. `make_conv` is called only to measure, one
// convolution living at a time. Throws Error(kUsage) on an unknown algorithm, Error(kDevice) where
// the named one, or any, cannot do a pass within the limit, and what the measurement throws.
AlgorithmChoices choose_algorithms(const DeviceInfo& device, const ConvProblem& problem,
                                   const DeviceConvOptions& options, ConvChoices& remembered,
                                   const MakeConv& make_conv);

}  // namespace convoy
