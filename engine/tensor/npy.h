// Arrays of float32 in NumPy's .npy files (format versions 1.0 to 3.0; numpy.lib.format).
//
// Only little-endian float32 ("<f4") in C order is read and written. Errors: Error(kData) with the
// file, what was found and what is valid; on writing Error(kRun). Safe to call from several threads
// for different files.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/tensor/buffer.h"

namespace convoy {

struct NpyArray {
  std::vector<std::size_t> shape;  // empty for a single number
  FloatBuffer values;              // in C order: the last index runs fastest
};

NpyArray read_npy(const std::filesystem::path& path);

// `values` has as many floats as `shape` says. The file is whole or not there.
void write_npy(const std::filesystem::path& path, const std::vector<std::size_t>& shape,
               const float* values);

// "(2, 3, 5)", as Python writes a tuple.
std::string shape_text(const std::vector<std::size_t>& shape);

}  // namespace convoy
