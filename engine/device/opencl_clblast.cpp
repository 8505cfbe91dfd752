// The matrix product of CLBlast.

#include "engine/device/opencl_handles.h"
// The header of OpenCL first, for its version.
#include <clblast.h>

#include "engine/device/opencl_gemm.h"
#include "engine/device/opencl_launch.h"

namespace convoy {
namespace {

// CLBlast 1.5.3 may hand a half-stored program to a second thread that asks for it (its issue 486).
// Its calls only enqueue, so one lock for the whole process costs little.
std::mutex& clblast_mutex() {
  static std::mutex mutex;
  return mutex;
}

// CLBlast's own codes that this use of it can meet, its own faults and the device's included.
std::string clblast_code_name(clblast::StatusCode status) {
  using clblast::StatusCode;
  switch (status) {
    case StatusCode::kNotImplemented:
      return "kNotImplemented";
    // It finds buffers invalid whose size the driver does not tell.
    case StatusCode::kInvalidMatrixA:
      return "kInvalidMatrixA";
    case StatusCode::kInvalidMatrixB:
      return "kInvalidMatrixB";
    case StatusCode::kInvalidMatrixC:
      return "kInvalidMatrixC";
    case StatusCode::kInsufficientMemoryA:
      return "kInsufficientMemoryA";
    case StatusCode::kInsufficientMemoryB:
      return "kInsufficientMemoryB";
    case StatusCode::kInsufficientMemoryC:
      return "kInsufficientMemoryC";
    case StatusCode::kInsufficientMemoryTemp:
      return "kInsufficientMemoryTemp";
    case StatusCode::kInvalidLocalMemUsage:
      return "kInvalidLocalMemUsage";
    case StatusCode::kInvalidLocalThreadsTotal:
      return "kInvalidLocalThreadsTotal";
    case StatusCode::kInvalidLocalThreadsDim:
      return "kInvalidLocalThreadsDim";
    case StatusCode::kDatabaseError:
      return "kDatabaseError";
    case StatusCode::kUnknownError:
      return "kUnknownError";
    case StatusCode::kUnexpectedError:
      return "kUnexpectedError";
    default:
      return std::to_string(static_cast<int>(status));
  }
}

void check_clblast(clblast::StatusCode status, const char* routine, const std::string& where) {
  if (status == clblast::StatusCode::kSuccess) return;
  const int code = static_cast<int>(status);
  // CLBlast passes OpenCL's codes on and has its own from -1024 downwards.
  if (code > -1000) cl_check(code, routine, where);
  throw Error(ErrorKind::kDevice, where,
              std::string(routine) + " failed with CLBlast's status " + clblast_code_name(status));
}

clblast::Transpose transpose(const MatrixView& view) {
  return view.transposed ? clblast::Transpose::kYes : clblast::Transpose::kNo;
}

class ClblastProduct : public MatrixProduct {
 public:
  ClblastProduct(OpenClContext& context, cl_command_queue queue)
      : context_(context), queue_(queue) {}

  const char* name() const override { return "clblast"; }
  // It has two kernels, for small and large products.
  bool columns_are_independent() const override { return false; }

  std::vector<std::size_t> scratch_bytes(const ProductSize& size) const override {
    // Which operands it copies depends on their strides; transposed and shifted ones need most.
    const auto rows = static_cast<std::size_t>(size.rows);
    const auto columns = static_cast<std::size_t>(size.columns);
    const auto depth = static_cast<std::size_t>(size.depth);
    const std::size_t bytes =
        temporary_bytes(size, {nullptr, 1, rows + 1, true}, {nullptr, 1, depth + 1, true},
                        {nullptr, 1, columns + 1, false});
    return {size.count * bytes};
  }

  double executed_flops(const ProductSize& size) const override {
    return 2.0 * size.rows * size.columns * size.depth * size.count;
  }

  void multiply(const ProductSize& size, const MatrixView& left, const MatrixView& right,
                const MatrixView& result, bool accumulate, bool) override {
    if (size.count > 1) return multiply_many(size, left, right, result, accumulate);
    const std::size_t bytes = temporary_bytes(size, left, right, result);
    const cl_mem temporary = bytes > 0 ? temporary_.reserve(context_, bytes) : nullptr;
    const std::lock_guard lock(clblast_mutex());
    check_clblast(clblast::Gemm<float>(
                      clblast::Layout::kRowMajor, transpose(left), transpose(right), size.rows,
                      size.columns, size.depth, 1.0f, left.buffer, left.offset, left.stride,
                      right.buffer, right.offset, right.stride, accumulate ? 1.0f : 0.0f,
                      result.buffer, result.offset, result.stride, &queue_, nullptr, temporary),
                  "clblast::Gemm", context_.id());
  }

  void release() override { temporary_.release(); }

 private:
  // Its temporary memory is CLBlast's own; there is no call that takes ours.
  void multiply_many(const ProductSize& size, const MatrixView& left, const MatrixView& right,
                     const MatrixView& result, bool accumulate) {
    const std::lock_guard lock(clblast_mutex());
    check_clblast(
        clblast::GemmStridedBatched<float>(
            clblast::Layout::kRowMajor, transpose(left), transpose(right), size.rows, size.columns,
            size.depth, 1.0f, left.buffer, left.offset, left.stride, left.step, right.buffer,
            right.offset, right.stride, right.step, accumulate ? 1.0f : 0.0f, result.buffer,
            result.offset, result.stride, result.step, size.count, &queue_, nullptr),
        "clblast::GemmStridedBatched", context_.id());
  }

  std::size_t temporary_bytes(const ProductSize& size, const MatrixView& left,
                              const MatrixView& right, const MatrixView& result) const {
    std::size_t bytes = 0;
    cl_command_queue queue = queue_;
    const std::lock_guard lock(clblast_mutex());
    check_clblast(clblast::GemmTempBufferSize<float>(
                      clblast::Layout::kRowMajor, transpose(left), transpose(right), size.rows,
                      size.columns, size.depth, left.offset, left.stride, right.offset,
                      right.stride, result.offset, result.stride, &queue, bytes),
                  "clblast::GemmTempBufferSize", context_.id());
    return bytes;
  }

  OpenClContext& context_;
  cl_command_queue queue_;
  GrowingBuffer temporary_;
};

}  // namespace

std::unique_ptr<MatrixProduct> make_clblast_product(OpenClContext& context,
                                                    cl_command_queue queue) {
  return std::make_unique<ClblastProduct>(context, queue);
}

}  // namespace convoy
