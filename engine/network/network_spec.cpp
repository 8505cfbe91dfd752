#include "engine/network/network_spec.h"

#include "engine/base/error.h"

namespace convoy {

namespace {

std::string size_text(int height, int width) {
  return std::to_string(height) + "x" + std::to_string(width);
}

void check_positive(const char* name, int value) {
  if (value < 1)
    throw Error(ErrorKind::kExperiment, "network",
                std::string(name) + " is " + std::to_string(value) + "; it must be at least 1");
}

}  // namespace

std::string network_name(const NetworkDesign& design) {
  std::string name;
  for (const int kernels : design.kernels) {
    if (!name.empty()) name += ':';
    name += std::to_string(kernels);
  }
  return name;
}

std::vector<ConvProblem> NetworkSpec::conv_problems(int batch) const {
  if (design.kernels.empty())
    throw Error(ErrorKind::kExperiment, "network",
                "it has no convolutional layers; kernels needs at least one entry");
  check_positive("batch_size", batch);
  check_positive("kernel_size", design.kernel_size);
  check_positive("the number of classes", classes);
  check_positive("the number of picture channels", in_channels);
  check_positive("the picture height", in_height);
  check_positive("the picture width", in_width);

  std::vector<ConvProblem> problems;
  int channels = in_channels, height = in_height, width = in_width;
  for (const int kernels : design.kernels) {
    const std::string layer = std::to_string(problems.size() + 1);
    const std::string where = "network " + network_name(design) + ", layer " + layer;
    // The remedy is the same for both ways in which maps become too small.
    const auto too_deep = [&](const std::string& found) {
      std::string remedy = "use larger pictures than " + size_text(in_height, in_width);
      if (!problems.empty()) remedy += ", at most " + std::to_string(problems.size()) + " layers";
      if (design.kernel_size > 1) remedy += ", a smaller kernel_size";
      if (design.padding == PaddingMode::kValid && design.kernel_size > 1)
        remedy += " or padding \"same\"";
      throw Error(ErrorKind::kExperiment, where, found + "; " + remedy);
    };
    if (kernels < 1)
      throw Error(ErrorKind::kExperiment, where,
                  "it has " + std::to_string(kernels) + " kernels; it must have at least 1");

    ConvProblem problem;
    problem.batch = batch;
    problem.in_channels = channels;
    problem.in_height = height;
    problem.in_width = width;
    problem.out_channels = kernels;
    problem.kernel_height = problem.kernel_width = design.kernel_size;
    if (design.padding == PaddingMode::kSame)
      problem.padding = Padding::same(design.kernel_size, design.kernel_size);
    else if (design.kernel_size > height || design.kernel_size > width)
      too_deep("its " + size_text(height, width) + " input maps are smaller than its " +
               size_text(design.kernel_size, design.kernel_size) + " kernels");
    problem.validate();
    if (problem.out_height() < 2 || problem.out_width() < 2)
      too_deep("its " + size_text(problem.out_height(), problem.out_width()) +
               " output maps vanish in the 2x2 pooling");
    channels = kernels;
    height = problem.out_height() / 2;
    width = problem.out_width() / 2;
    problems.push_back(problem);
  }
  return problems;
}

std::size_t NetworkSpec::features() const {
  const ConvProblem last = conv_problems(1).back();
  return static_cast<std::size_t>(last.out_channels) *
         static_cast<std::size_t>(last.out_height() / 2) *
         static_cast<std::size_t>(last.out_width() / 2);
}

}  // namespace convoy
