// The OpenCL C sources of kernels/, embedded at build time by cmake/EmbedText.cmake.
#pragma once

#include <span>
#include <string_view>

namespace convoy {

struct EmbeddedText {
  std::string_view name, text;
};

// All of them, named as the files are: "im2col.cl".
std::span<const EmbeddedText> opencl_sources();
// One of them; the name must be right.
std::string_view opencl_source(std::string_view name);

}  // namespace convoy
