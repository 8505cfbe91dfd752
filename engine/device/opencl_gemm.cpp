#include "engine/device/opencl_gemm.h"

#include <algorithm>

#include "engine/device/opencl_launch.h"

namespace convoy {
namespace {

std::size_t blocks(int count, int size) {
  return (static_cast<std::size_t>(count) + size - 1) / size;
}

// The distance in memory between neighbouring rows and columns of the matrix meant.
cl_ulong row_step(const MatrixView& view) {
  return view.transposed ? 1 : view.stride;
}
cl_ulong column_step(const MatrixView& view) {
  return view.transposed ? view.stride : 1;
}

// kernels/gemm_vector.cl
class VectorProduct : public MatrixProduct {
 public:
  VectorProduct(OpenClContext& context, cl_command_queue queue) : context_(context), queue_(queue) {
    // 6 x 4 vectors fill 32 registers (AVX-512), 6 x 2 the 16 of other instruction sets. Measured
    // with PoCL on AVX-512: 6x4 is 10 % faster than 8x3 and 12x2, and than OpenBLAS.
    const int native = context.entry().vector_width;
    width_ = native >= 16 ? 16 : native >= 8 ? 8 : 4;
    vectors_ = width_ == 16 ? 4 : 2;
    const std::string options = "-DPANEL_ROWS=" + std::to_string(panel_rows_) +
                                " -DVECTORS=" + std::to_string(vectors_) +
                                " -DWIDTH=" + std::to_string(width_);
    pack_left_ = context.make_kernel("gemm_vector.cl", options, "pack_left");
    pack_right_ = context.make_kernel("gemm_vector.cl", options, "pack_right");
    multiply_ = context.make_kernel("gemm_vector.cl", options, "multiply_panels");
  }

  const char* name() const override { return "vector"; }

  std::vector<std::size_t> scratch_bytes(const ProductSize& size) const override {
    return {left_floats(size) * size.count * sizeof(float),
            right_floats(size) * size.count * sizeof(float)};
  }

  double executed_flops(const ProductSize& size) const override {
    return 2.0 * static_cast<double>(blocks(size.rows, panel_rows_) * panel_rows_) *
           static_cast<double>(blocks(size.columns, panel_columns()) * panel_columns()) *
           size.depth * size.count;
  }

  void multiply(const ProductSize& size, const MatrixView& left, const MatrixView& right,
                const MatrixView& result, bool accumulate, bool left_unchanged) override {
    const std::size_t left_panels = blocks(size.rows, panel_rows_);
    const std::size_t right_panels = blocks(size.columns, panel_columns());
    const std::size_t depth_blocks = blocks(size.depth, kPackDepth);
    const cl_int depth = size.depth;

    const std::size_t count = size.count;
    const cl_mem packed_left =
        left_panels_.reserve(context_, left_floats(size) * count * sizeof(float));
    const cl_mem packed_right =
        right_panels_.reserve(context_, right_floats(size) * count * sizeof(float));
    if (!left_unchanged)
      launch(context_, queue_, pack_left_, {depth_blocks, left_panels, count}, {}, left.buffer,
             packed_left, cl_int{size.rows}, depth, cl_ulong{left.offset}, row_step(left),
             column_step(left), cl_ulong{left.step});
    launch(context_, queue_, pack_right_, {depth_blocks, right_panels, count}, {}, right.buffer,
           packed_right, cl_int{size.columns}, depth, cl_ulong{right.offset}, column_step(right),
           row_step(right), cl_ulong{right.step});
    launch(context_, queue_, multiply_, {left_panels, right_panels, count}, {1, 1, 1}, packed_left,
           packed_right, result.buffer, cl_int{size.rows}, cl_int{size.columns}, depth,
           cl_ulong{result.offset}, cl_ulong{result.stride}, cl_ulong{result.step},
           cl_int{accumulate});
  }

  void release() override {
    left_panels_.release();
    right_panels_.release();
  }

 private:
  static constexpr int kPackDepth = 16;  // of a work item, as in the kernel

  int panel_columns() const { return vectors_ * width_; }
  std::size_t left_floats(const ProductSize& size) const {
    return blocks(size.rows, panel_rows_) * panel_rows_ * size.depth;
  }
  std::size_t right_floats(const ProductSize& size) const {
    return blocks(size.columns, panel_columns()) * panel_columns() * size.depth;
  }

  OpenClContext& context_;
  cl_command_queue queue_;
  int panel_rows_ = 6, vectors_ = 2, width_ = 4;
  ClKernel pack_left_, pack_right_, multiply_;
  GrowingBuffer left_panels_, right_panels_;
};

// kernels/gemm_tiled.cl
class TiledProduct : public MatrixProduct {
 public:
  TiledProduct(OpenClContext& context, cl_command_queue queue) : context_(context), queue_(queue) {
    constexpr std::size_t kLocalBytes = 2 * kDepth * (kTile + 1) * sizeof(float);
    const OpenClDeviceEntry& entry = context.entry();
    if (entry.max_work_group < kItems * kItems || entry.local_memory < kLocalBytes)
      throw Error(ErrorKind::kDevice, context.id(),
                  "the tiled product needs work-groups of " + std::to_string(kItems * kItems) +
                      " and " + std::to_string(kLocalBytes) + " bytes of local memory; the device" +
                      " has " + std::to_string(entry.max_work_group) + " and " +
                      std::to_string(entry.local_memory));
    multiply_ = context.make_kernel("gemm_tiled.cl",
                                    "-DTILE=" + std::to_string(kTile) +
                                        " -DBLOCK=" + std::to_string(kTile / kItems) +
                                        " -DTILE_DEPTH=" + std::to_string(kDepth),
                                    "multiply_tiles");
  }

  const char* name() const override { return "tiled"; }
  std::vector<std::size_t> scratch_bytes(const ProductSize&) const override { return {}; }

  double executed_flops(const ProductSize& size) const override {
    return 2.0 * static_cast<double>(blocks(size.rows, kTile) * kTile) *
           static_cast<double>(blocks(size.columns, kTile) * kTile) *
           static_cast<double>(blocks(size.depth, kDepth) * kDepth) * size.count;
  }

  void multiply(const ProductSize& size, const MatrixView& left, const MatrixView& right,
                const MatrixView& result, bool accumulate, bool) override {
    launch(context_, queue_, multiply_,
           {blocks(size.columns, kTile) * kItems, blocks(size.rows, kTile) * kItems,
            static_cast<std::size_t>(size.count)},
           {kItems, kItems, 1}, left.buffer, right.buffer, result.buffer, cl_int{size.rows},
           cl_int{size.columns}, cl_int{size.depth}, cl_ulong{left.offset}, row_step(left),
           column_step(left), cl_ulong{left.step}, cl_ulong{right.offset}, row_step(right),
           column_step(right), cl_ulong{right.step}, cl_ulong{result.offset},
           cl_ulong{result.stride}, cl_ulong{result.step}, cl_int{accumulate});
  }

  void release() override {}

 private:
  static constexpr int kTile = 64, kDepth = 16;
  static constexpr std::size_t kItems = 16;  // in each direction of a work-group: 4 x 4 sums each

  OpenClContext& context_;
  cl_command_queue queue_;
  ClKernel multiply_;
};

}  // namespace

std::unique_ptr<MatrixProduct> make_vector_product(OpenClContext& context, cl_command_queue queue) {
  return std::make_unique<VectorProduct>(context, queue);
}

std::unique_ptr<MatrixProduct> make_tiled_product(OpenClContext& context, cl_command_queue queue) {
  return std::make_unique<TiledProduct>(context, queue);
}

}  // namespace convoy
