// Matrix product for CPUs: every work item keeps a block of the result in vector registers.
//
// As in GotoBLAS (Goto and van de Geijn 2008) the operands are first packed into panels that are
// read from front to back, padded with zeros:
//   left panels   [rows / PANEL_ROWS rounded up][depth][PANEL_ROWS]
//   right panels  [columns / PANEL_COLUMNS rounded up][depth][PANEL_COLUMNS]
// those of each product after those of the one before.
// PANEL_ROWS x PANEL_COLUMNS accumulators fill most of the register file; WIDTH is the device's
// native vector width and PANEL_COLUMNS is VECTORS * WIDTH.

#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)
#define PANEL_COLUMNS (VECTORS * WIDTH)
#define LOAD PASTE(vload, WIDTH)
#define STORE PASTE(vstore, WIDTH)
typedef PASTE(float, WIDTH) vector_t;

// Packs PANEL lines (rows of the left operand, columns of the right one); element `depth` of line
// `line` is source[offset + line * line_stride + depth * depth_stride], and the next product's
// operand begins `step` further on.
// Global size: depth / 16 rounded up, number of panels, number of products.
#define DEFINE_PACK(NAME, PANEL)                                                                  \
  __kernel void NAME(__global const float* restrict source, __global float* restrict panels,     \
                     const int lines, const int depth, const ulong offset,                       \
                     const ulong line_stride, const ulong depth_stride, const ulong step) {      \
    const int first_depth = get_global_id(0) * 16;                                                \
    const int last_depth = min(first_depth + 16, depth);                                          \
    const int first_line = get_global_id(1) * PANEL;                                              \
    const int count = min(PANEL, lines - first_line);                                             \
    const ulong panel = get_global_id(2) * get_global_size(1) + get_global_id(1);                 \
    source += offset + get_global_id(2) * step + first_line * line_stride;                        \
    panels += panel * depth * PANEL;                                                              \
    for (int d = first_depth; d < last_depth; ++d) {                                              \
      __global const float* restrict from = source + d * depth_stride;                            \
      __global float* restrict to = panels + (ulong)d * PANEL;                                    \
      if (count == PANEL && line_stride == 1) {                                                   \
        for (int line = 0; line < PANEL; ++line) to[line] = from[line];                           \
      } else if (count == PANEL) {                                                                \
        for (int line = 0; line < PANEL; ++line) to[line] = from[line * line_stride];             \
      } else {                                                                                    \
        for (int line = 0; line < PANEL; ++line)                                                  \
          to[line] = line < count ? from[line * line_stride] : 0.0f;                              \
      }                                                                                           \
    }                                                                                             \
  }

DEFINE_PACK(pack_left, PANEL_ROWS)
DEFINE_PACK(pack_right, PANEL_COLUMNS)

// result (rows x columns, lines `result_stride` apart, the next product's result `result_step`
// further on) = or += left * right.
// Global size: number of left panels, number of right panels, number of products; work-groups of
// one. The left panel is the faster index, so that a right panel stays in the cache while all left
// panels pass by.
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void multiply_panels(
    __global const float* restrict left, __global const float* restrict right,
    __global float* restrict result, const int rows, const int columns, const int depth,
    const ulong result_offset, const ulong result_stride, const ulong result_step,
    const int accumulate) {
  left += (get_global_id(2) * get_global_size(0) + get_global_id(0)) * depth * PANEL_ROWS;
  right += (get_global_id(2) * get_global_size(1) + get_global_id(1)) * depth * PANEL_COLUMNS;

  vector_t sum[PANEL_ROWS][VECTORS];
#pragma unroll
  for (int i = 0; i < PANEL_ROWS; ++i)
#pragma unroll
    for (int j = 0; j < VECTORS; ++j) sum[i][j] = (vector_t)(0.0f);

  for (int d = 0; d < depth; ++d) {
    vector_t r[VECTORS];
#pragma unroll
    for (int j = 0; j < VECTORS; ++j) r[j] = LOAD(j, right);
#pragma unroll
    for (int i = 0; i < PANEL_ROWS; ++i) {
      const float l = left[i];
#pragma unroll
      for (int j = 0; j < VECTORS; ++j) sum[i][j] += l * r[j];
    }
    left += PANEL_ROWS;
    right += PANEL_COLUMNS;
  }

  const int first_row = get_global_id(0) * PANEL_ROWS;
  const int first_column = get_global_id(1) * PANEL_COLUMNS;
  result += result_offset + get_global_id(2) * result_step;
  result += first_row * result_stride + first_column;
#pragma unroll
  for (int i = 0; i < PANEL_ROWS; ++i) {
    if (first_row + i < rows) {
#pragma unroll
      for (int j = 0; j < VECTORS; ++j) {
        __global float* target = result + i * result_stride + j * WIDTH;
        const int left_over = columns - first_column - j * WIDTH;
        if (left_over >= WIDTH) {
          if (accumulate) sum[i][j] += LOAD(0, target);
          STORE(sum[i][j], 0, target);
        } else if (left_over > 0) {
          float part[WIDTH];
          STORE(sum[i][j], 0, part);
          for (int lane = 0; lane < left_over; ++lane)
            target[lane] = accumulate ? target[lane] + part[lane] : part[lane];
        }
      }
    }
  }
}
