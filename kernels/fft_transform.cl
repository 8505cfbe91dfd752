// Discrete Fourier transforms of small real tiles, and back: a tile's lines first, then its columns.
//
// A work-group transforms one tile of LANES * VECTOR neighbouring pictures (of weights: input
// channels), each in a lane of its own. The work items of a lane share its lines and columns. On a
// GPU VECTOR is 1 and neighbouring work items are neighbouring lanes; on a CPU a work-group is one
// work item, whose lanes are those of a vector register.
//
// A line of N points is a product with cosines and sines, of the sums and the differences of points
// that mirror each other: N * N / 2 multiplications, without a fast transform's demands on N.
// FFT_HEIGHT lines of FFT_WIDTH points each make up a tile.
//
// The spectrum of a real tile is determined by half of its points F(k, m): those with 0 < m < W / 2,
// and of the columns m = 0 and m = W / 2 those with k <= H / 2. Four of them (one or two, where a
// size is odd) are real. A complex point has three planes, so that a complex product is three real
// ones (Gauss): real part, imaginary part, and their sum or, for inputs, their difference. With
// P1, P2 and P3 the products of a's and b's planes,
//   a * b        = P1 - P2 + i (P3 - P1 - P2)    where both have sums,
//   conj(a) * b  = P1 + P2 + i (P3 + P1 - P2)    where a has the sum and b the difference.
// The planes of complex points come first, then those of the real points.

#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)
#if VECTOR == 1
typedef float lane_t;
#else
typedef PASTE(float, VECTOR) lane_t;
#define LOAD PASTE(vload, VECTOR)
#define STORE PASTE(vstore, VECTOR)
#endif
#define ZERO ((lane_t)(0.0f))

#define HALF_HEIGHT (FFT_HEIGHT / 2)
#define HALF_WIDTH (FFT_WIDTH / 2)
// Points, or frequencies, that are not their own mirror images.
#define HEIGHT_PAIRS ((FFT_HEIGHT - 1) / 2)
#define WIDTH_PAIRS ((FFT_WIDTH - 1) / 2)
#define REAL_IN_COLUMN (FFT_HEIGHT % 2 == 0 ? 2 : 1)
#define REAL_COLUMNS (FFT_WIDTH % 2 == 0 ? 2 : 1)
#define COMPLEX_POINTS (WIDTH_PAIRS * FFT_HEIGHT + REAL_COLUMNS * HEIGHT_PAIRS)

// The tables: cosines and sines of each frequency and point, [frequency][point], for columns and
// then for lines. The inverse's are [point][frequency] and hold the weights of the frequencies.
#define COLUMN_TABLE ((HALF_HEIGHT + 1) * (HALF_HEIGHT + 1))
#define LINE_TABLE ((HALF_WIDTH + 1) * (HALF_WIDTH + 1))
#define LINE_TABLES (2 * COLUMN_TABLE)

// Where a tile lies: in the map its first line and the number of lines, on the circle their place;
// the same across; its number among the map's tiles.
#define TILE_LINE 0
#define TILE_LINES 1
#define TILE_LINE_AT 2
#define TILE_POINT 3
#define TILE_POINTS 4
#define TILE_POINT_AT 5
#define TILE_NUMBER 6
#define TILE_INTS 7

// Lane 0 is at `source`; those from `count` on are zero, and not read.
lane_t load_lanes(__global const float* restrict source, const ulong pitch, const int count) {
#if VECTOR == 1
  return count > 0 ? *source : 0.0f;
#else
  if (pitch == 1 && count >= VECTOR) return LOAD(0, source);
  float lanes[VECTOR];
  for (int lane = 0; lane < VECTOR; ++lane)
    lanes[lane] = lane < count ? source[lane * pitch] : 0.0f;
  return LOAD(0, lanes);
#endif
}

void store_lanes(const lane_t value, __global float* restrict target, const ulong pitch,
                 const int count) {
#if VECTOR == 1
  if (count > 0) *target = value;
#else
  if (pitch == 1 && count >= VECTOR) {
    STORE(value, 0, target);
    return;
  }
  float lanes[VECTOR];
  STORE(value, 0, lanes);
  for (int lane = 0; lane < min(count, VECTOR); ++lane) target[lane * pitch] = lanes[lane];
#endif
}

// The first plane of a point.
int complex_plane(const int k, const int m) {
  if (m > 0 && 2 * m < FFT_WIDTH) return 3 * ((m - 1) * FFT_HEIGHT + k);
  return 3 * (WIDTH_PAIRS * FFT_HEIGHT + (m > 0) * HEIGHT_PAIRS + k - 1);
}
int real_plane(const int k, const int m) {
  return 3 * COMPLEX_POINTS + (m > 0) * REAL_IN_COLUMN + (k > 0);
}

// Where point `n` of a circle of `size` is among those that begin at `at`.
int on_circle(const int n, const int at, const int size) {
  return n >= at ? n - at : n - at + size;
}

// Rows (channels, or kernels) from `first_row` on of the source; element (lane, line, point) of a
// row is source[row * row_pitch + line * line_pitch + point * point_pitch + lane * lane_pitch]. In
// the planes, `plane_stride` floats apart, rows are `row_stride` apart; the lanes of tile t begin at
// t * lanes. The third plane holds second + sign * first.
// Global size: lanes in work-groups, LINES times the tiles, rows.
__kernel __attribute__((reqd_work_group_size(LANES, LINES, 1))) void transform(
    __global const float* restrict source, __global float* restrict planes,
    __constant float* restrict tables, __global const int* restrict tiles, const int lanes,
    const int first_row, const ulong row_pitch, const ulong line_pitch, const ulong point_pitch,
    const ulong lane_pitch, const ulong plane_stride, const ulong row_stride, const float sign) {
  __local lane_t work[FFT_HEIGHT * FFT_WIDTH * LANES];
  __local lane_t* const own = work + get_local_id(0);

  __global const int* const tile = tiles + get_group_id(1) * TILE_INTS;
  const int first_lane = get_global_id(0) * VECTOR;
  const int count = lanes - first_lane;
  const int row = first_row + (int)get_global_id(2);
  source += row * row_pitch + tile[TILE_LINE] * line_pitch + tile[TILE_POINT] * point_pitch +
            first_lane * lane_pitch;
  planes += row * row_stride + (ulong)tile[TILE_NUMBER] * lanes + first_lane;

  for (int line = get_local_id(1); line < tile[TILE_LINES]; line += LINES) {
    lane_t sum[HALF_WIDTH + 1], difference[HALF_WIDTH + 1];
#pragma unroll
    for (int n = 0; n <= HALF_WIDTH; ++n) {
      const int near = on_circle(n, tile[TILE_POINT_AT], FFT_WIDTH);
      sum[n] = load_lanes(source + line * line_pitch + near * point_pitch, lane_pitch,
                          near < tile[TILE_POINTS] ? count : 0);
      if (n > 0 && 2 * n < FFT_WIDTH) {
        const int far = on_circle(FFT_WIDTH - n, tile[TILE_POINT_AT], FFT_WIDTH);
        const lane_t other = load_lanes(source + line * line_pitch + far * point_pitch, lane_pitch,
                                        far < tile[TILE_POINTS] ? count : 0);
        difference[n] = sum[n] - other;
        sum[n] += other;
      }
    }
    for (int m = 0; m <= HALF_WIDTH; ++m) {
      __constant float* const cosine = tables + LINE_TABLES + m * (HALF_WIDTH + 1);
      __constant float* const sine = cosine + LINE_TABLE;
      lane_t real = sum[0], imaginary = ZERO;
#pragma unroll
      for (int n = 1; n <= HALF_WIDTH; ++n) real += sum[n] * cosine[n];
#pragma unroll
      for (int n = 1; n <= WIDTH_PAIRS; ++n) imaginary -= difference[n] * sine[n];
      own[(line * FFT_WIDTH + m) * LANES] = real;
      if (m > 0 && 2 * m < FFT_WIDTH) own[(line * FFT_WIDTH + HALF_WIDTH + m) * LANES] = imaginary;
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);

  for (int m = get_local_id(1); m <= HALF_WIDTH; m += LINES) {
    const bool is_real = m == 0 || 2 * m == FFT_WIDTH;
    // Of column m of the lines, which is complex.
    lane_t sum[HALF_HEIGHT + 1], difference[HALF_HEIGHT + 1];
    lane_t sum_i[HALF_HEIGHT + 1], difference_i[HALF_HEIGHT + 1];
#pragma unroll
    for (int n = 0; n <= HALF_HEIGHT; ++n) {
      const int near = on_circle(n, tile[TILE_LINE_AT], FFT_HEIGHT);
      const bool has_near = near < tile[TILE_LINES];
      sum[n] = has_near ? own[(near * FFT_WIDTH + m) * LANES] : ZERO;
      sum_i[n] = has_near && !is_real ? own[(near * FFT_WIDTH + HALF_WIDTH + m) * LANES] : ZERO;
      if (n > 0 && 2 * n < FFT_HEIGHT) {
        const int far = on_circle(FFT_HEIGHT - n, tile[TILE_LINE_AT], FFT_HEIGHT);
        const bool has_far = far < tile[TILE_LINES];
        const lane_t other = has_far ? own[(far * FFT_WIDTH + m) * LANES] : ZERO;
        const lane_t other_i =
            has_far && !is_real ? own[(far * FFT_WIDTH + HALF_WIDTH + m) * LANES] : ZERO;
        difference[n] = sum[n] - other;
        difference_i[n] = sum_i[n] - other_i;
        sum[n] += other;
        sum_i[n] += other_i;
      }
    }
    for (int k = 0; k <= HALF_HEIGHT; ++k) {
      __constant float* const cosine = tables + k * (HALF_HEIGHT + 1);
      __constant float* const sine = cosine + COLUMN_TABLE;
      lane_t even = sum[0], even_i = sum_i[0], odd = ZERO, odd_i = ZERO;
#pragma unroll
      for (int n = 1; n <= HALF_HEIGHT; ++n) {
        even += sum[n] * cosine[n];
        even_i += sum_i[n] * cosine[n];
      }
#pragma unroll
      for (int n = 1; n <= HEIGHT_PAIRS; ++n) {
        odd += difference[n] * sine[n];
        odd_i += difference_i[n] * sine[n];
      }
      const bool has_mirror = k > 0 && 2 * k < FFT_HEIGHT;
      if (is_real && !has_mirror) {
        store_lanes(even, planes + real_plane(k, m) * plane_stride, 1, count);
        continue;
      }
      // F(k) and, unless it is its conjugate, F(-k).
      for (int mirrored = 0; mirrored <= (has_mirror && !is_real); ++mirrored) {
        const lane_t real = mirrored ? even - odd_i : even + odd_i;
        const lane_t imaginary = mirrored ? even_i + odd : even_i - odd;
        __global float* const plane =
            planes + complex_plane(mirrored ? FFT_HEIGHT - k : k, m) * plane_stride;
        store_lanes(real, plane, 1, count);
        store_lanes(imaginary, plane + plane_stride, 1, count);
        store_lanes(imaginary + sign * real, plane + 2 * plane_stride, 1, count);
      }
    }
  }
}

// And back, of the planes of a product; see above for `conjugate`. `tables` has the weights. Sets
// the target or adds to it; what is added to by tiles that overlap is for different launches.
__kernel __attribute__((reqd_work_group_size(LANES, LINES, 1))) void restore(
    __global const float* restrict planes, __global float* restrict target,
    __constant float* restrict tables, __global const int* restrict tiles, const int first_tile,
    const int lanes, const int first_row, const ulong row_pitch, const ulong line_pitch,
    const ulong point_pitch, const ulong lane_pitch, const ulong plane_stride,
    const ulong row_stride, const int conjugate, const int add) {
  __local lane_t work[FFT_HEIGHT * FFT_WIDTH * LANES];
  __local lane_t* const own = work + get_local_id(0);

  __global const int* const tile = tiles + (first_tile + get_group_id(1)) * TILE_INTS;
  const int first_lane = get_global_id(0) * VECTOR;
  const int count = lanes - first_lane;
  const int row = first_row + (int)get_global_id(2);
  target += row * row_pitch + tile[TILE_LINE] * line_pitch + tile[TILE_POINT] * point_pitch +
            first_lane * lane_pitch;
  planes += row * row_stride + (ulong)tile[TILE_NUMBER] * lanes + first_lane;
  const float sign = conjugate ? 1.0f : -1.0f;

  for (int m = get_local_id(1); m <= HALF_WIDTH; m += LINES) {
    const bool is_real = m == 0 || 2 * m == FFT_WIDTH;
    lane_t sum[HALF_HEIGHT + 1], difference[HALF_HEIGHT + 1];
    lane_t sum_i[HALF_HEIGHT + 1], difference_i[HALF_HEIGHT + 1];
#pragma unroll
    for (int k = 0; k <= HALF_HEIGHT; ++k) {
      const bool has_mirror = k > 0 && 2 * k < FFT_HEIGHT;
      if (is_real && !has_mirror) {
        sum[k] = load_lanes(planes + real_plane(k, m) * plane_stride, 1, count);
        sum_i[k] = ZERO;
        continue;
      }
      __global const float* const plane = planes + complex_plane(k, m) * plane_stride;
      const lane_t first = load_lanes(plane, 1, count);
      const lane_t second = load_lanes(plane + plane_stride, 1, count);
      const lane_t third = load_lanes(plane + 2 * plane_stride, 1, count);
      const lane_t real = first + sign * second, imaginary = third + (sign * first - second);
      lane_t other = real, other_i = -imaginary;  // F(-k)
      if (has_mirror && !is_real) {
        __global const float* const mirror =
            planes + complex_plane(FFT_HEIGHT - k, m) * plane_stride;
        const lane_t first_m = load_lanes(mirror, 1, count);
        const lane_t second_m = load_lanes(mirror + plane_stride, 1, count);
        const lane_t third_m = load_lanes(mirror + 2 * plane_stride, 1, count);
        other = first_m + sign * second_m;
        other_i = third_m + (sign * first_m - second_m);
      }
      sum[k] = has_mirror ? real + other : real;
      sum_i[k] = has_mirror ? imaginary + other_i : imaginary;
      difference[k] = real - other;
      difference_i[k] = imaginary - other_i;
    }
    for (int n = 0; n <= HALF_HEIGHT; ++n) {
      __constant float* const cosine = tables + n * (HALF_HEIGHT + 1);
      __constant float* const sine = cosine + COLUMN_TABLE;
      const int near = on_circle(n, tile[TILE_LINE_AT], FFT_HEIGHT);
      const int far = on_circle(FFT_HEIGHT - n, tile[TILE_LINE_AT], FFT_HEIGHT);
      const bool has_far = n > 0 && 2 * n < FFT_HEIGHT && far < tile[TILE_LINES];
      if (near >= tile[TILE_LINES] && !has_far) continue;
      lane_t even = ZERO, even_i = ZERO, odd = ZERO, odd_i = ZERO;
#pragma unroll
      for (int k = 0; k <= HALF_HEIGHT; ++k) {
        even += sum[k] * cosine[k];
        even_i += sum_i[k] * cosine[k];
      }
#pragma unroll
      for (int k = 1; k <= HEIGHT_PAIRS; ++k) {
        odd += difference[k] * sine[k];
        odd_i += difference_i[k] * sine[k];
      }
      if (near < tile[TILE_LINES]) {
        own[(near * FFT_WIDTH + m) * LANES] = even - odd_i;
        if (!is_real) own[(near * FFT_WIDTH + HALF_WIDTH + m) * LANES] = even_i + odd;
      }
      if (has_far) {
        own[(far * FFT_WIDTH + m) * LANES] = even + odd_i;
        if (!is_real) own[(far * FFT_WIDTH + HALF_WIDTH + m) * LANES] = even_i - odd;
      }
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);

  for (int line = get_local_id(1); line < tile[TILE_LINES]; line += LINES) {
    lane_t real[HALF_WIDTH + 1], imaginary[HALF_WIDTH + 1];
#pragma unroll
    for (int m = 0; m <= HALF_WIDTH; ++m) {
      real[m] = own[(line * FFT_WIDTH + m) * LANES];
      if (m > 0 && 2 * m < FFT_WIDTH)
        imaginary[m] = own[(line * FFT_WIDTH + HALF_WIDTH + m) * LANES];
    }
    for (int n = 0; n <= HALF_WIDTH; ++n) {
      __constant float* const cosine = tables + LINE_TABLES + n * (HALF_WIDTH + 1);
      __constant float* const sine = cosine + LINE_TABLE;
      lane_t even = ZERO, odd = ZERO;
#pragma unroll
      for (int m = 0; m <= HALF_WIDTH; ++m) even += real[m] * cosine[m];
#pragma unroll
      for (int m = 1; m <= WIDTH_PAIRS; ++m) odd += imaginary[m] * sine[m];
      for (int mirrored = 0; mirrored <= (n > 0 && 2 * n < FFT_WIDTH); ++mirrored) {
        const int point =
            on_circle(mirrored ? FFT_WIDTH - n : n, tile[TILE_POINT_AT], FFT_WIDTH);
        if (point >= tile[TILE_POINTS]) continue;
        __global float* const element = target + line * line_pitch + point * point_pitch;
        lane_t value = mirrored ? even + odd : even - odd;
        if (add) value += load_lanes(element, lane_pitch, count);
        store_lanes(value, element, lane_pitch, count);
      }
    }
  }
}
