// Which matrix product a device uses.

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/base/random.h"
#include "engine/device/opencl_gemm.h"

namespace convoy {
namespace {

ClBuffer upload(const OpenClContext& context, cl_command_queue queue,
                const std::vector<float>& values) {
  ClBuffer buffer = context.make_buffer(values.size() * sizeof(float));
  cl_check(clEnqueueWriteBuffer(queue, buffer.get(), CL_TRUE, 0, values.size() * sizeof(float),
                                values.data(), 0, nullptr, nullptr),
           "clEnqueueWriteBuffer", context.id());
  return buffer;
}

// Whole numbers so small that every sum is exact in single precision, whatever its order.
std::vector<float> whole_numbers(std::size_t count, Random& random) {
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(random.below(9)) - 4.0f;
  return values;
}

// Products with operands stored as the views say, apart from the host's memory order by margins.
std::string check_one(MatrixProduct& product, const OpenClContext& context, cl_command_queue queue,
                      const ProductSize& size, bool left_transposed, bool right_transposed) {
  constexpr std::size_t kOffset = 5, kMargin = 3;
  Random random(20221);
  const auto view_of = [&](int rows, int columns, bool transposed) {
    const std::size_t stride = static_cast<std::size_t>(transposed ? rows : columns) + kMargin;
    return MatrixView{nullptr, kOffset, stride, transposed,
                      stride * (transposed ? columns : rows) + kMargin};
  };
  const auto floats_of = [&](const MatrixView& view) {
    return view.offset + view.step * size.count;
  };
  const auto at = [](const MatrixView& view, int matrix, int row, int column) {
    return view.offset + matrix * view.step +
           (view.transposed ? column * view.stride + row : row * view.stride + column);
  };

  MatrixView left = view_of(size.rows, size.depth, left_transposed);
  MatrixView right = view_of(size.depth, size.columns, right_transposed);
  MatrixView result = view_of(size.rows, size.columns, false);
  const auto left_values = whole_numbers(floats_of(left), random);
  const auto right_values = whole_numbers(floats_of(right), random);
  std::vector<float> values(floats_of(result), std::numeric_limits<float>::quiet_NaN());
  const ClBuffer left_buffer = upload(context, queue, left_values);
  const ClBuffer right_buffer = upload(context, queue, right_values);
  const ClBuffer result_buffer = upload(context, queue, values);
  left.buffer = left_buffer.get();
  right.buffer = right_buffer.get();
  result.buffer = result_buffer.get();

  product.multiply(size, left, right, result, false, false);
  product.multiply(size, left, right, result, true, true);
  cl_check(clEnqueueReadBuffer(queue, result.buffer, CL_TRUE, 0, values.size() * sizeof(float),
                               values.data(), 0, nullptr, nullptr),
           "clEnqueueReadBuffer", context.id());

  for (int matrix = 0; matrix < size.count; ++matrix)
    for (int row = 0; row < size.rows; ++row)
      for (int column = 0; column < size.columns; ++column) {
        float sum = 0.0f;
        for (int d = 0; d < size.depth; ++d)
          sum += left_values[at(left, matrix, row, d)] * right_values[at(right, matrix, d, column)];
        const float found = values[at(result, matrix, row, column)];
        if (found != 2.0f * sum)
          return "wrong result: element (" + std::to_string(row) + ", " + std::to_string(column) +
                 ") of a " + std::to_string(size.rows) + " x " + std::to_string(size.depth) +
                 " x " + std::to_string(size.columns) + " product (" + std::to_string(matrix + 1) +
                 " of " + std::to_string(size.count) + ") is " + std::to_string(found) +
                 " and should be " + std::to_string(2.0f * sum);
      }
  // What lies between the rows belongs to somebody else.
  for (int matrix = 0; matrix < size.count; ++matrix)
    for (int row = 0; row < size.rows; ++row)
      for (std::size_t margin = 0; margin < kMargin; ++margin)
        if (!std::isnan(values[at(result, matrix, row, size.columns) + margin]))
          return "writes outside its result";
  return {};
}

}  // namespace

std::vector<std::string> product_names(DeviceKind kind) {
  if (kind == DeviceKind::kCpu) return {"vector", "tiled", "clblast"};
  return {"clblast", "tiled", "vector"};
}

std::unique_ptr<MatrixProduct> make_product(const std::string& name, OpenClContext& context,
                                            cl_command_queue queue) {
  if (name == "vector") return make_vector_product(context, queue);
  if (name == "tiled") return make_tiled_product(context, queue);
  return make_clblast_product(context, queue);
}

std::string check_product(MatrixProduct& product, const OpenClContext& context,
                          cl_command_queue queue, int count) {
  // The larger one is past the size from which CLBlast uses its other kernel on most devices.
  for (const ProductSize& size :
       {ProductSize{70, 90, 50, count}, ProductSize{257, 260, 300, count}})
    for (const bool left_transposed : {false, true})
      for (const bool right_transposed : {false, true}) {
        const std::string fault =
            check_one(product, context, queue, size, left_transposed, right_transposed);
        if (!fault.empty()) return fault;
      }
  return {};
}

std::string fault_after_checks(const std::function<std::string()>& check, OpenClContext& context,
                               const std::string& source) {
  const bool was_lost = context.is_lost();
  for (;;) {
    std::string fault;
    try {
      fault = check();
    } catch (const OutOfDeviceMemory&) {
      throw;  // says nothing about the programs
    } catch (const DeviceUnavailable&) {
      throw;  // nor does this
    } catch (const Error& error) {
      fault = error.what();
      context.set_lost(was_lost);  // the programs' fault, not the device's
    }
    if (fault.empty() || !context.distrust_programs(source)) return fault;
  }
}

std::string checked_product(const std::string& name, OpenClContext& context, int count) {
  const std::lock_guard lock(context.check_mutex());
  auto& checked = context.checked_products();
  const std::string key = count > 1 ? name + " of several" : name;
  const auto known = checked.find(key);
  if (known != checked.end()) return known->second;
  const auto check = [&] {
    const ClQueue queue = context.make_queue();
    return check_product(*make_product(name, context, queue.get()), context, queue.get(), count);
  };
  return checked[key] = fault_after_checks(check, context, "gemm_" + name + ".cl");
}

std::string first_sound_product(const std::vector<std::string>& names,
                                const std::function<std::string(const std::string&)>& check,
                                std::vector<std::string>* left_out) {
  for (const std::string& name : names) {
    const std::string fault = check(name);
    if (fault.empty()) return name;
    left_out->push_back(name + " (" + fault + ")");
  }
  return {};
}

}  // namespace convoy
