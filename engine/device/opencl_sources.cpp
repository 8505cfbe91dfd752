#include "engine/device/opencl_sources.h"

#include <stdexcept>
#include <string>

namespace convoy {

std::string_view opencl_source(std::string_view name) {
  for (const EmbeddedText& source : opencl_sources())
    if (source.name == name) return source.text;
  throw std::logic_error("no embedded OpenCL source named " + std::string(name));
}

}  // namespace convoy
