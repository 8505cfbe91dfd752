#include "engine/device/opencl_fft_transform.h"

#include <algorithm>
#include <string>

#include "engine/base/rounding.h"
#include "engine/conv/fft_circle.h"

namespace convoy {
namespace {

// [row][column] of cosines, then of sines, with the weight of each column.
template <class Weight>
void add_tables(int size, const Weight& weight, std::vector<float>* tables) {
  const auto n = static_cast<std::size_t>(size);
  for (const auto& function : {circle_cosine, circle_sine})
    for (std::size_t row = 0; row <= n / 2; ++row)
      for (std::size_t column = 0; column <= n / 2; ++column)
        tables->push_back(static_cast<float>(weight(column) * function(row * column % n, n)));
}

// How many tiles further on one begins that shares no input with the first.
int apart(const FftAxis& axis) {
  int distance = 1;
  for (int t = 0; t < axis.tiles(); ++t) {
    const FftTile tile = axis.tile(t);
    while (t + distance < axis.tiles() && tile.inputs > 0 && axis.tile(t + distance).inputs > 0 &&
           axis.tile(t + distance).first_input < tile.first_input + tile.inputs)
      ++distance;
  }
  return distance;
}

}  // namespace

int fft_plane_count(const FftGeometry& geometry) {
  return static_cast<int>(geometry.products());
}

OpenClFftTransform::OpenClFftTransform(OpenClContext& context, cl_command_queue queue,
                                       const ConvProblem& problem, const FftGeometry& geometry)
    : context_(context), queue_(queue), problem_(problem), geometry_(geometry) {
  const OpenClDeviceEntry& entry = context.entry();
  const int height = geometry.vertical.size, width = geometry.horizontal.size;
  const std::size_t tile_bytes = geometry.planes() * sizeof(float);
  if (entry.info.kind == DeviceKind::kCpu) {
    vector_ = entry.vector_width >= 16 ? 16 : entry.vector_width >= 8 ? 8 : 4;
    while (vector_ > 1 && vector_ * tile_bytes > entry.local_memory) vector_ /= 2;
  } else {
    // Two or more work-groups should fit a compute unit's local memory, but less than 8
    // neighbouring floats make poor use of a memory transaction.
    constexpr std::size_t kEnoughLanes = 8, kMostLanes = 32, kMostItems = 256;
    const auto fit = [&](std::size_t lanes) {
      const std::size_t room = entry.local_memory / (lanes > kEnoughLanes ? 2 : 1);
      return lanes * tile_bytes <= room && lanes <= entry.max_work_group;
    };
    while (lanes_ < kMostLanes && fit(2 * lanes_)) lanes_ *= 2;
    const std::size_t items = std::min(entry.max_work_group, kMostItems);
    lines_ = std::clamp<std::size_t>(items / lanes_, 1, std::max(height, width / 2 + 1));
  }
  if (lanes_ * vector_ * tile_bytes > entry.local_memory)
    throw Error(ErrorKind::kDevice, context.id(),
                "transforms of " + std::to_string(height) + " x " + std::to_string(width) +
                    " points need " + std::to_string(tile_bytes) +
                    " bytes of local memory; the device has " + std::to_string(entry.local_memory));
  const std::string options =
      "-DFFT_HEIGHT=" + std::to_string(height) + " -DFFT_WIDTH=" + std::to_string(width) +
      " -DVECTOR=" + std::to_string(vector_) + " -DLANES=" + std::to_string(lanes_) +
      " -DLINES=" + std::to_string(lines_);
  transform_ = context.make_kernel("fft_transform.cl", options, "transform");
  restore_ = context.make_kernel("fft_transform.cl", options, "restore");
  forward_tables_ = make_tables(false);
  inverse_tables_ = make_tables(true);
  for (const Operand operand : kAllOperands)
    tiles_[static_cast<int>(operand)] = make_tiles(operand);
}

ClBuffer OpenClFftTransform::upload(const void* data, std::size_t bytes) const {
  ClBuffer buffer = context_.make_buffer(bytes);
  cl_check(clEnqueueWriteBuffer(queue_, buffer.get(), CL_TRUE, 0, bytes, data, 0, nullptr, nullptr),
           "clEnqueueWriteBuffer", context_.id());
  return buffer;
}

ClBuffer OpenClFftTransform::make_tables(bool inverse) const {
  const int height = geometry_.vertical.size, width = geometry_.horizontal.size;
  std::vector<float> tables;
  add_tables(
      height, [&](std::size_t) { return inverse ? 1.0 / height : 1.0; }, &tables);
  // Lines are real: a frequency also stands for its negative, unless it is that itself.
  const auto weight = [&](std::size_t frequency) {
    if (!inverse) return 1.0;
    return (frequency == 0 || 2 * static_cast<int>(frequency) == width ? 1.0 : 2.0) / width;
  };
  add_tables(width, weight, &tables);
  return upload(tables.data(), tables.size() * sizeof(float));
}

OpenClFftTransform::Tiles OpenClFftTransform::make_tiles(Operand operand) const {
  Tiles tiles;
  std::vector<cl_int> table;
  if (operand == Operand::kWeight) {
    table = {0, problem_.kernel_height, 0, 0, problem_.kernel_width, 0, 0};
    tiles.count = 1;
    tiles.launches = {1};
    tiles.table = upload(table.data(), table.size() * sizeof(cl_int));
    return tiles;
  }
  const FftAxis& vertical = geometry_.vertical;
  const FftAxis& horizontal = geometry_.horizontal;
  const bool is_input = operand == Operand::kInput;
  const int down = is_input ? apart(vertical) : 1, across = is_input ? apart(horizontal) : 1;
  for (int first_v = 0; first_v < std::min(down, vertical.tiles()); ++first_v)
    for (int first_h = 0; first_h < std::min(across, horizontal.tiles()); ++first_h) {
      int launched = 0;
      for (int v = first_v; v < vertical.tiles(); v += down)
        for (int h = first_h; h < horizontal.tiles(); h += across) {
          const int number = v * horizontal.tiles() + h;
          const auto add = [&](const FftTile& t) {
            if (is_input)
              table.insert(table.end(), {t.first_input, t.inputs, 0});
            else
              table.insert(table.end(), {t.first_output, t.outputs, t.output_at});
          };
          add(vertical.tile(v));
          add(horizontal.tile(h));
          table.push_back(number);
          ++launched;
        }
      tiles.launches.push_back(launched);
      tiles.count += launched;
    }
  tiles.table = upload(table.data(), table.size() * sizeof(cl_int));
  return tiles;
}

OpenClFftTransform::Layout OpenClFftTransform::layout(Operand operand, int pictures) const {
  Layout layout;
  if (operand == Operand::kWeight) {
    layout.lanes = problem_.in_channels;
    layout.row = problem_.kernel_elements();
    layout.line = problem_.kernel_width;
    layout.point = 1;
    layout.lane = static_cast<cl_ulong>(problem_.kernel_height) * problem_.kernel_width;
  } else {
    const bool is_input = operand == Operand::kInput;
    const cl_ulong height = is_input ? problem_.in_height : problem_.out_height();
    const cl_ulong width = is_input ? problem_.in_width : problem_.out_width();
    layout.lanes = pictures;
    layout.row = height * width * pictures;
    layout.line = width * pictures;
    layout.point = pictures;
    layout.lane = 1;
  }
  layout.columns = static_cast<std::size_t>(tiles(operand).count) * layout.lanes;
  return layout;
}

double OpenClFftTransform::row_flops(Operand operand, int pictures) const {
  return static_cast<double>(layout(operand, pictures).columns * geometry_.planes()) *
         (geometry_.vertical.size + geometry_.horizontal.size);
}

void OpenClFftTransform::transform(Operand operand, cl_mem source, cl_mem planes,
                                   const OpenClBlock& rows, int block_rows, int pictures) const {
  const Layout l = layout(operand, pictures);
  const std::size_t groups = ceil_div(l.lanes, lanes_ * vector_);
  launch(context_, queue_, transform_,
         {groups * lanes_, tiles(operand).count * lines_, static_cast<std::size_t>(rows.count)},
         {lanes_, lines_, 1}, source, planes, forward_tables_.get(), tiles(operand).table.get(),
         l.lanes, cl_int{rows.first}, l.row, l.line, l.point, l.lane,
         cl_ulong{block_rows * l.columns}, cl_ulong{l.columns},
         cl_float{operand == Operand::kInput ? -1.0f : 1.0f});
}

void OpenClFftTransform::restore(Operand operand, cl_mem planes, cl_mem target,
                                 const OpenClBlock& rows, int block_rows, int pictures,
                                 bool conjugate) const {
  const Layout l = layout(operand, pictures);
  const bool add = tiles(operand).launches.size() > 1;
  if (add) {
    const cl_float zero = 0.0f;
    cl_check(
        clEnqueueFillBuffer(queue_, target, &zero, sizeof zero, rows.first * l.row * sizeof(float),
                            rows.count * l.row * sizeof(float), 0, nullptr, nullptr),
        "clEnqueueFillBuffer", context_.id());
  }
  const std::size_t groups = ceil_div(l.lanes, lanes_ * vector_);
  cl_int first_tile = 0;
  for (const int count : tiles(operand).launches) {
    launch(context_, queue_, restore_,
           {groups * lanes_, count * lines_, static_cast<std::size_t>(rows.count)},
           {lanes_, lines_, 1}, planes, target, inverse_tables_.get(), tiles(operand).table.get(),
           first_tile, l.lanes, cl_int{rows.first}, l.row, l.line, l.point, l.lane,
           cl_ulong{block_rows * l.columns}, cl_ulong{l.columns}, cl_int{conjugate}, cl_int{add});
    first_tile += count;
  }
}

}  // namespace convoy
