// Fewer points that draw the same picture: of every bucket of neighbours the smallest and the
// largest value, in their order. Nothing that sticks out is lost.
//
// A bucket holds a power of two of rows and starts at a multiple of it, so that a growing series
// does not shimmer: old buckets stay as they are until all double.
#pragma once

#include <QList>
#include <QPointF>
#include <algorithm>
#include <cmath>

namespace convoy::ui {

// Rows a bucket so that `rows` of them give at most `maxPoints` points (at least 4).
inline int bucketSize(int rows, int maxPoints) {
  int size = 1;
  // An unaligned range touches one bucket more; a bucket of one row is one point, a larger one two.
  while ((size == 1 ? rows : 2 * (rows / size + 2)) > maxPoints) size *= 2;
  return size;
}

// For a series that is smooth by its making: the mean of every bucket, at its middle row.
template <class X, class Y>
void appendMeans(QList<QPointF>& points, int first, int last, int size, const X& x, const Y& y) {
  for (int row = first; row < last;) {
    const int begin = row;
    const int end = std::min(last, (row / size + 1) * size);
    double sum = 0.0;
    int count = 0;
    for (; row < end; ++row) {
      const double value = y(row);
      if (std::isnan(value)) continue;
      sum += value;
      ++count;
    }
    if (count > 0) points.append({x(begin + (end - begin) / 2), sum / count});
  }
}

// Rows [first, last) of x(row) and y(row) in buckets of `size`; rows whose y is NaN are left out.
template <class X, class Y>
void appendExtremes(QList<QPointF>& points, int first, int last, int size, const X& x, const Y& y) {
  for (int row = first; row < last;) {
    const int end = std::min(last, (row / size + 1) * size);
    int low = -1, high = -1;
    double lowest = 0.0, highest = 0.0;
    for (; row < end; ++row) {
      const double value = y(row);
      if (std::isnan(value)) continue;
      if (low < 0 || value < lowest) low = row, lowest = value;
      if (high < 0 || value > highest) high = row, highest = value;
    }
    if (low < 0) continue;
    if (low == high) {
      points.append({x(low), lowest});
    } else if (low < high) {
      points.append({x(low), lowest});
      points.append({x(high), highest});
    } else {
      points.append({x(high), highest});
      points.append({x(low), lowest});
    }
  }
}

// The points of a series that only grows at its end: full buckets are worked out once.
class GrowingPoints {
 public:
  void forget() { m_size = 0; }

  // Points of rows [0, rows), at most `maxPoints`; `append` is one of the functions above with x
  // and y bound to it: append(points, first, last, size).
  template <class Append>
  QList<QPointF> upTo(int rows, int maxPoints, const Append& append) {
    const int size = bucketSize(rows, maxPoints);
    if (size != m_size || rows < m_rows) {
      m_points.clear();
      m_rows = 0;
      m_size = size;
    }
    const int full = rows / size * size;
    append(m_points, m_rows, full, size);
    m_rows = full;
    QList<QPointF> points = m_points;
    append(points, full, rows, size);
    return points;
  }

 private:
  QList<QPointF> m_points;
  int m_rows = 0;  // in m_points
  int m_size = 0;  // 0: nothing yet
};

}  // namespace convoy::ui
