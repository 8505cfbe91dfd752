// By which code this program computes convolutions.
#pragma once

#include <string_view>

namespace convoy {

// Digits that change with the sources of the algorithms and of the OpenCL kernels: what was
// measured with other ones says nothing about these.
std::string_view conv_sources_hash();

}  // namespace convoy
