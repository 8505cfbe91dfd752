// Matrix product for GPUs: a work-group computes one tile of the result from tiles of the operands
// in local memory, every work item a block of it in registers (Volkov and Demmel 2008).
//
// TILE x TILE results a work-group, BLOCK x BLOCK a work item, TILE_DEPTH steps of the sum at a time.

#define ITEMS (TILE / BLOCK)

// result[r][c] = or += sum over d of left(r, d) * right(d, c), where
//   left(r, d)   is left[left_offset + r * left_row + d * left_depth]
//   right(d, c)  is right[right_offset + d * right_depth + c * right_column]
// and the next product's matrices begin `step` further on.
// Global size: columns and rows in tiles rounded up, times ITEMS, and the number of products;
// work-groups of ITEMS x ITEMS.
__kernel __attribute__((reqd_work_group_size(ITEMS, ITEMS, 1))) void multiply_tiles(
    __global const float* restrict left, __global const float* restrict right,
    __global float* restrict result, const int rows, const int columns, const int depth,
    const ulong left_offset, const ulong left_row, const ulong left_depth, const ulong left_step,
    const ulong right_offset, const ulong right_depth, const ulong right_column,
    const ulong right_step, const ulong result_offset, const ulong result_stride,
    const ulong result_step, const int accumulate) {
  left += left_offset + get_group_id(2) * left_step;
  right += right_offset + get_group_id(2) * right_step;
  result += result_offset + get_group_id(2) * result_step;
  // One element of padding keeps the stores of a transposed operand from hitting one memory bank.
  __local float left_tile[TILE_DEPTH][TILE + 1];
  __local float right_tile[TILE_DEPTH][TILE + 1];

  const int item_column = get_local_id(0);
  const int item_row = get_local_id(1);
  const int item = item_row * ITEMS + item_column;
  const int first_row = get_group_id(1) * TILE;
  const int first_column = get_group_id(0) * TILE;

  float sum[BLOCK][BLOCK];
#pragma unroll
  for (int i = 0; i < BLOCK; ++i)
#pragma unroll
    for (int j = 0; j < BLOCK; ++j) sum[i][j] = 0.0f;

  for (int first_depth = 0; first_depth < depth; first_depth += TILE_DEPTH) {
    // Neighbouring work items read along whichever direction lies contiguously in memory.
    for (int element = item; element < TILE * TILE_DEPTH; element += ITEMS * ITEMS) {
      const int d = left_depth == 1 ? element % TILE_DEPTH : element / TILE;
      const int r = left_depth == 1 ? element / TILE_DEPTH : element % TILE;
      left_tile[d][r] = first_depth + d < depth && first_row + r < rows
                            ? left[(first_row + r) * left_row + (first_depth + d) * left_depth]
                            : 0.0f;
    }
    for (int element = item; element < TILE * TILE_DEPTH; element += ITEMS * ITEMS) {
      const int d = right_depth == 1 ? element % TILE_DEPTH : element / TILE;
      const int c = right_depth == 1 ? element / TILE_DEPTH : element % TILE;
      right_tile[d][c] = first_depth + d < depth && first_column + c < columns
                             ? right[(first_depth + d) * right_depth + (first_column + c) * right_column]
                             : 0.0f;
    }
    barrier(CLK_LOCAL_MEM_FENCE);

    for (int d = 0; d < TILE_DEPTH; ++d) {
      float l[BLOCK], r[BLOCK];
#pragma unroll
      for (int i = 0; i < BLOCK; ++i) l[i] = left_tile[d][item_row + i * ITEMS];
#pragma unroll
      for (int j = 0; j < BLOCK; ++j) r[j] = right_tile[d][item_column + j * ITEMS];
#pragma unroll
      for (int i = 0; i < BLOCK; ++i)
#pragma unroll
        for (int j = 0; j < BLOCK; ++j) sum[i][j] += l[i] * r[j];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }

  for (int i = 0; i < BLOCK; ++i) {
    const int row = first_row + item_row + i * ITEMS;
    if (row < rows) {
      for (int j = 0; j < BLOCK; ++j) {
        const int column = first_column + item_column + j * ITEMS;
        if (column < columns) {
          __global float* target = result + row * result_stride + column;
          *target = accumulate ? *target + sum[i][j] : sum[i][j];
        }
      }
    }
  }
}
