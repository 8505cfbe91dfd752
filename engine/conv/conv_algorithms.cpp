#include "engine/conv/conv_algorithm.h"
#include "engine/conv/gemm_conv.h"
#include "engine/conv/reference_conv.h"

namespace convoy {

const std::vector<const ConvAlgorithm*>& conv_algorithms() {
  static const GemmConv gemm;
  static const ReferenceConv reference;
  static const std::vector<const ConvAlgorithm*> all = {&gemm, &reference};
  return all;
}

const ConvAlgorithm* find_conv_algorithm(const std::string& name) {
  for (const ConvAlgorithm* algorithm : conv_algorithms())
    if (name == algorithm->name()) return algorithm;
  return nullptr;
}

}  // namespace convoy
