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
QList<QPointF> averaged(int first, int last, int maxPoints, const X& x, const Y& y) {
  QList<QPointF> points;
  const int size = bucketSize(last - first, maxPoints);
  points.reserve(std::min(last - first, maxPoints));
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
  return points;
}

// Rows [first, last) of x(row) and y(row); rows whose y is NaN are left out.
template <class X, class Y>
QList<QPointF> decimate(int first, int last, int maxPoints, const X& x, const Y& y) {
  QList<QPointF> points;
  const int size = bucketSize(last - first, maxPoints);
  points.reserve(std::min(last - first, maxPoints));
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
  return points;
}

}  // namespace convoy::ui
