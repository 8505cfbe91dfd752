// Aligned memory for maps and weights.
//
// Activations lie channel by channel, batch innermost: [channels][height][width][batch]. So the
// maps of one worker's kernels are one contiguous range, and every element-wise loop is a vector
// loop over the batch. Weights lie as in PyTorch:
// [out_channels][in_channels][kernel_height][kernel_width], so a range of kernels is contiguous
// too. Files use PyTorch's order throughout.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string>

#include "engine/base/error.h"

namespace convoy {

// Owns `size` floats on a 64-byte boundary. Movable. Not initialised unless asked for.
class FloatBuffer {
 public:
  FloatBuffer() = default;
  // Throws Error(kRun) that names the size when there is no memory.
  explicit FloatBuffer(std::size_t size) { resize(size); }

  // Contents are lost. Keeps the memory when the size stays the same.
  void resize(std::size_t size) {
    if (size == size_) return;
    data_.reset();
    size_ = 0;
    if (size == 0) return;
    const std::size_t bytes = (size * sizeof(float) + 63) / 64 * 64;
    data_.reset(static_cast<float*>(std::aligned_alloc(64, bytes)));
    if (!data_)
      throw Error(ErrorKind::kRun, "memory",
                  "no memory for " + std::to_string(bytes / 1000000) + " MB of maps or weights");
    size_ = size;
  }
  void fill_zero() {
    if (size_ > 0) std::memset(data_.get(), 0, size_ * sizeof(float));
  }

  float* data() { return data_.get(); }
  const float* data() const { return data_.get(); }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::span<float> span() { return {data(), size_}; }
  std::span<const float> span() const { return {data(), size_}; }
  float& operator[](std::size_t i) { return data_.get()[i]; }
  float operator[](std::size_t i) const { return data_.get()[i]; }

 private:
  struct Free {
    void operator()(float* p) const { std::free(p); }
  };
  std::unique_ptr<float, Free> data_;
  std::size_t size_ = 0;
};

}  // namespace convoy
