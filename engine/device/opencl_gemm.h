// Single-precision matrix products on an OpenCL device, behind one interface for all ways.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/device/opencl_runtime.h"

namespace convoy {

// A matrix within a buffer, stored row by row, or several alike. Offset and strides count floats.
struct MatrixView {
  cl_mem buffer = nullptr;
  std::size_t offset = 0;
  std::size_t stride = 0;   // between stored rows
  bool transposed = false;  // the matrix meant is the transpose of the stored one
  std::size_t step = 0;     // from each matrix to the next
};

struct ProductSize {
  int rows = 0, columns = 0, depth = 0;
  int count = 1;  // products of this size, each of matrices and with a result of its own
};

// Used by one thread at a time, with the queue that it was made for.
class MatrixProduct {
 public:
  virtual ~MatrixProduct() = default;
  // "clblast", "tiled", "vector"
  virtual const char* name() const = 0;
  // Device memory, in bytes of each buffer, that products up to this size need beside the operands.
  virtual std::vector<std::size_t> scratch_bytes(const ProductSize& size) const = 0;
  // Whether an element of a result has the same bits whatever the number of columns.
  virtual bool columns_are_independent() const { return true; }
  // Multiplications and additions really executed.
  virtual double executed_flops(const ProductSize& size) const = 0;
  // result = left * right, or += where `accumulate`: rows x depth times depth x columns; the result
  // is not transposed. Enqueues and returns. `left_unchanged` promises that the left operand and
  // its view are those of the call before, so that work on it need not be repeated.
  // Throws Error(kDevice), OutOfDeviceMemory.
  virtual void multiply(const ProductSize& size, const MatrixView& left, const MatrixView& right,
                        const MatrixView& result, bool accumulate, bool left_unchanged) = 0;
  // Gives the scratch back.
  virtual void release() = 0;
};

// The names of the products, those that suit this kind of device best first: packed panels in
// vector registers on a CPU, CLBlast elsewhere. The order is fixed, not timed, so that every run on
// a device rounds alike.
std::vector<std::string> product_names(DeviceKind kind);

// `name` must be one of product_names(). `queue` must outlive the product. Throws Error(kDevice)
// when the device cannot run it.
std::unique_ptr<MatrixProduct> make_product(const std::string& name, OpenClContext& context,
                                            cl_command_queue queue);

// Multiplies small matrices of whole numbers, transposed and not, `count` of them at a time, into
// memory full of NaN, and compares with the host, exactly. Empty when all is right, else what went
// wrong.
std::string check_product(MatrixProduct& product, const OpenClContext& context,
                          cl_command_queue queue, int count = 1);

// What `check` finds to be wrong with programs of this source, or why it failed; empty when all is
// right. Once more with programs compiled anew where they had come out of the user's cache, which
// does not keep what has proved wrong. Throws what says nothing about them: OutOfDeviceMemory and
// DeviceUnavailable.
std::string fault_after_checks(const std::function<std::string()>& check, OpenClContext& context,
                               const std::string& source);

// check_product() of a named product, or why it cannot be made; remembered by the context. Throws
// what says nothing about the product: OutOfDeviceMemory and DeviceUnavailable.
std::string checked_product(const std::string& name, OpenClContext& context, int count = 1);

// The first of `names` for which `check` returns an empty reason. `left_out` receives "name
// (reason)" of those passed over. Empty when none is sound.
std::string first_sound_product(const std::vector<std::string>& names,
                                const std::function<std::string(const std::string&)>& check,
                                std::vector<std::string>* left_out);

// The products of kernels/ and of CLBlast, for make_product().
std::unique_ptr<MatrixProduct> make_vector_product(OpenClContext&, cl_command_queue);
std::unique_ptr<MatrixProduct> make_tiled_product(OpenClContext&, cl_command_queue);
std::unique_ptr<MatrixProduct> make_clblast_product(OpenClContext&, cl_command_queue);

}  // namespace convoy
