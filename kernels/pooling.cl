// Bias, ReLU and 2x2 maximum pooling of a convolution's maps, and the way back.
//
//   maps     [kernels][height][width][pictures]
//   pooled   [kernels][height / 2][width / 2][pictures]; an odd last row or column is left out
//   choices  [kernels][height / 2][width / 2][batch]: which of a window's values won, 0 to 3 in scan
//            order and the first among equals; NO_CHOICE where ReLU left zero
//
// Choices are those of the whole layer, maps those of a block of its pictures and kernels. The rules
// are those of engine/tensor/elementwise.h, to the bit. A work item handles LANES neighbouring
// pictures: 1 on a GPU, those of a vector register on a CPU.

#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)
#if LANES == 1
typedef float lane_t;
typedef int choice_t;
#else
typedef PASTE(float, LANES) lane_t;
typedef PASTE(int, LANES) choice_t;
#define LOAD PASTE(vload, LANES)
#define STORE PASTE(vstore, LANES)
#define TO_CHOICES PASTE(convert_int, LANES)
#define TO_BYTES PASTE(convert_uchar, LANES)
#endif
#define ZERO ((lane_t)(0.0f))
#define NO_CHOICE 4

// Lanes from `count` on are zero and not read, or are not written.

lane_t load_lanes(__global const float* restrict source, const int count) {
#if LANES == 1
  return *source;
#else
  if (count >= LANES) return LOAD(0, source);
  float lanes[LANES];
  for (int lane = 0; lane < LANES; ++lane) lanes[lane] = lane < count ? source[lane] : 0.0f;
  return LOAD(0, lanes);
#endif
}

choice_t load_choices(__global const uchar* restrict source, const int count) {
#if LANES == 1
  return *source;
#else
  if (count >= LANES) return TO_CHOICES(LOAD(0, source));
  uchar lanes[LANES];
  for (int lane = 0; lane < LANES; ++lane) lanes[lane] = lane < count ? source[lane] : NO_CHOICE;
  return TO_CHOICES(LOAD(0, lanes));
#endif
}

void store_lanes(const lane_t value, __global float* restrict target, const int count) {
#if LANES == 1
  *target = value;
#else
  if (count >= LANES) {
    STORE(value, 0, target);
    return;
  }
  float lanes[LANES];
  STORE(value, 0, lanes);
  for (int lane = 0; lane < count; ++lane) target[lane] = lanes[lane];
#endif
}

void store_choices(const choice_t value, __global uchar* restrict target, const int count) {
#if LANES == 1
  *target = (uchar)value;
#else
  if (count >= LANES) {
    STORE(TO_BYTES(value), 0, target);
    return;
  }
  uchar lanes[LANES];
  STORE(TO_BYTES(value), 0, lanes);
  for (int lane = 0; lane < count; ++lane) target[lane] = lanes[lane];
#endif
}

// Of the block's kernels from `first_row` on, which are the layer's from `first_kernel` + `first_row`
// on, and of the layer's pictures from `first_picture` on.
// Global size: pictures / LANES rounded up, windows, kernels.
__kernel void pool(__global const float* restrict maps, __global const float* restrict bias,
                   __global float* restrict pooled, __global uchar* restrict choices,
                   const int height, const int width, const int pictures, const int batch,
                   const int first_row, const int first_kernel, const int first_picture,
                   const int keep_choices) {
  const int picture = get_global_id(0) * LANES;
  const int count = pictures - picture;
  const int window = get_global_id(1);
  const ulong row = first_row + get_global_id(2);
  const int across = width / 2;
  const ulong windows = (ulong)across * (height / 2);
  const int y = window / across * 2, x = window % across * 2;
  const lane_t added = (lane_t)(bias[first_kernel + row]);

  __global const float* restrict corner =
      maps + ((row * height + y) * width + x) * pictures + picture;
  lane_t most = load_lanes(corner, count) + added;
  choice_t choice = (choice_t)(0);
  for (int i = 1; i < 4; ++i) {
    const ulong apart = (ulong)(i / 2) * width + i % 2;
    const lane_t value = load_lanes(corner + apart * pictures, count) + added;
    const choice_t wins = (value > most) | isnan(value);  // a NaN stays one
    most = select(most, value, wins);
    choice = select(choice, (choice_t)(i), wins);
  }
  const choice_t off = most <= ZERO;
  store_lanes(select(most, ZERO, off), pooled + (row * windows + window) * pictures + picture,
              count);
  if (keep_choices)
    store_choices(select(choice, (choice_t)(NO_CHOICE), off),
                  choices + ((first_kernel + row) * windows + window) * batch + first_picture +
                      picture,
                  count);
}

// Each window's gradient where the choice points, zeros elsewhere, also in what pooling left out.
// Global size: pictures / LANES rounded up, windows and, in rows and columns, those left half out,
// kernels.
__kernel void unpool(__global const float* restrict grad_pooled,
                     __global const uchar* restrict choices, __global float* restrict grad_maps,
                     const int height, const int width, const int pictures, const int batch,
                     const int first_row, const int first_kernel, const int first_picture) {
  const int picture = get_global_id(0) * LANES;
  const int count = pictures - picture;
  const ulong row = first_row + get_global_id(2);
  const int cells = (width + 1) / 2, across = width / 2;
  const ulong windows = (ulong)across * (height / 2);
  const int cell_y = get_global_id(1) / cells, cell_x = get_global_id(1) % cells;
  const int y = cell_y * 2, x = cell_x * 2;

  lane_t gradient = ZERO;
  choice_t choice = (choice_t)(NO_CHOICE);
  if (y + 1 < height && x + 1 < width) {
    const ulong window = (ulong)cell_y * across + cell_x;
    gradient = load_lanes(grad_pooled + (row * windows + window) * pictures + picture, count);
    choice = load_choices(
        choices + ((first_kernel + row) * windows + window) * batch + first_picture + picture,
        count);
  }
  __global float* restrict corner =
      grad_maps + ((row * height + y) * width + x) * pictures + picture;
  for (int i = 0; i < 4; ++i) {
    const int down = i / 2, right = i % 2;
    if (y + down >= height || x + right >= width) continue;
    store_lanes(select(ZERO, gradient, choice == (choice_t)(i)),
                corner + ((ulong)down * width + right) * pictures, count);
  }
}

// The bias' gradient: the sum of those gradients that flow, of all pictures of the block; set, or
// added to what there is. Every work item adds up some of the windows and pictures, the work-group
// adds these sums: always in the same order, and so that rounding stays small (Kahan's sum).
// Global size: ITEMS, kernels.
__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void sum_gradient(
    __global const float* restrict grad_pooled, __global const uchar* restrict choices,
    __global float* restrict grad_bias, const int height, const int width, const int pictures,
    const int batch, const int first_row, const int first_kernel, const int first_picture,
    const int add) {
  __local float sums[ITEMS];
  const int item = get_local_id(0);
  const ulong row = first_row + get_global_id(1);
  const ulong kernel_number = first_kernel + row;
  const int windows = width / 2 * (height / 2);
  const int groups = (pictures + LANES - 1) / LANES;
  __global const float* restrict own_gradients = grad_pooled + row * windows * pictures;
  __global const uchar* restrict own_choices =
      choices + kernel_number * windows * batch + first_picture;

  lane_t sum = ZERO, missing = ZERO;
  int window = item / groups, group = item % groups;
  while (window < windows) {
    const int picture = group * LANES;
    const int count = pictures - picture;
    const lane_t gradient = load_lanes(own_gradients + (ulong)window * pictures + picture, count);
    const choice_t choice = load_choices(own_choices + (ulong)window * batch + picture, count);
    const lane_t term = select(gradient, ZERO, choice == (choice_t)(NO_CHOICE)) - missing;
    const lane_t next = sum + term;
    missing = (next - sum) - term;
    sum = next;
    window += ITEMS / groups;
    group += ITEMS % groups;
    if (group >= groups) {
      group -= groups;
      ++window;
    }
  }
#if LANES == 1
  sums[item] = sum;
#else
  float lanes[LANES];
  STORE(sum, 0, lanes);
  for (int apart = LANES / 2; apart > 0; apart /= 2)
    for (int lane = 0; lane < apart; ++lane) lanes[lane] += lanes[lane + apart];
  sums[item] = lanes[0];
#endif
  for (int apart = ITEMS / 2; apart > 0; apart /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (item < apart) sums[item] += sums[item + apart];
  }
  if (item == 0) grad_bias[kernel_number] = add ? grad_bias[kernel_number] + sums[0] : sums[0];
}
