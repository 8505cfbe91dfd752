// Unfolding a convolution's input into a matrix of columns, and folding columns back.
//
//   maps     [channels][height][width][batch]
//   columns  [channels * kernel_height * kernel_width][positions][batch], rows `columns_stride` apart
//
// `positions` is a range of output positions (row * out_width + column) from `first_position` on. A
// work item handles LANES neighbouring pictures of the batch: 1 on a GPU, so that neighbouring work
// items touch neighbouring memory; many on a CPU, where the loop over them becomes vector code.

// Global size: batch / LANES rounded up, positions, channels * kernel_height * kernel_width.
__kernel void im2col(__global const float* restrict maps, __global float* restrict columns,
                     const int batch, const int height, const int width, const int kernel_height,
                     const int kernel_width, const int stride_height, const int stride_width,
                     const int padding_top, const int padding_left, const int out_width,
                     const int first_position, const ulong columns_stride) {
  const int picture = get_global_id(0) * LANES;
  const int row = get_global_id(2);
  const int position = first_position + (int)get_global_id(1);
  const int channel = row / (kernel_height * kernel_width);
  const int tap = row - channel * (kernel_height * kernel_width);
  const int y = position / out_width * stride_height - padding_top + tap / kernel_width;
  const int x = position % out_width * stride_width - padding_left + tap % kernel_width;
  const int lanes = min(LANES, batch - picture);
  __global float* restrict target =
      columns + row * columns_stride + get_global_id(1) * (ulong)batch + picture;
  if (y >= 0 && y < height && x >= 0 && x < width) {
    __global const float* restrict source =
        maps + (((ulong)channel * height + y) * width + x) * batch + picture;
    for (int lane = 0; lane < lanes; ++lane) target[lane] = source[lane];
  } else {
    for (int lane = 0; lane < lanes; ++lane) target[lane] = 0.0f;
  }
}

// The adjoint of im2col, added to `rows` rows of the maps from `first_row` on. Every element gathers
// the columns that it was copied to, always in the same order, so the sum needs no atomics and is
// the same in every run.
// Global size: batch / LANES rounded up, width, channels * rows.
__kernel void col2im(__global const float* restrict columns, __global float* restrict maps,
                     const int batch, const int height, const int width, const int kernel_height,
                     const int kernel_width, const int stride_height, const int stride_width,
                     const int padding_top, const int padding_left, const int out_height,
                     const int out_width, const int first_position, const int positions,
                     const ulong columns_stride, const int first_row, const int rows) {
  const int picture = get_global_id(0) * LANES;
  const int x = get_global_id(1);
  const int channel = get_global_id(2) / rows;
  const int y = first_row + get_global_id(2) % rows;
  const int lanes = min(LANES, batch - picture);
  __global float* restrict target =
      maps + (((ulong)channel * height + y) * width + x) * batch + picture;

  float sum[LANES];
  for (int lane = 0; lane < LANES; ++lane) sum[lane] = 0.0f;
  for (int i = 0; i < kernel_height; ++i) {
    const int down = y + padding_top - i;
    if (down < 0 || down % stride_height != 0 || down / stride_height >= out_height) continue;
    for (int j = 0; j < kernel_width; ++j) {
      const int across = x + padding_left - j;
      if (across < 0 || across % stride_width != 0 || across / stride_width >= out_width) continue;
      const int position =
          down / stride_height * out_width + across / stride_width - first_position;
      if (position < 0 || position >= positions) continue;
      const int row = (channel * kernel_height + i) * kernel_width + j;
      __global const float* restrict source =
          columns + row * columns_stride + position * (ulong)batch + picture;
      for (int lane = 0; lane < lanes; ++lane) sum[lane] += source[lane];
    }
  }
  for (int lane = 0; lane < lanes; ++lane) target[lane] += sum[lane];
}
