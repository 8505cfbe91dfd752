// The horizontal axis of a line plot, linear or logarithmic: places along it as fractions of its
// length, 0 at the left.
#pragma once

#include "ui/charts/chart_spec.h"

class QAbstractAxis;
class QChart;
class QLogValueAxis;
class QValueAxis;

namespace convoy::ui {

class XAxis {
 public:
  struct Range {
    double min = 0.0, max = 1.0;
    bool operator==(const Range&) const = default;
  };

  // Adds an axis to the chart, whose it is.
  XAxis(QChart& chart, const AxisSpec& spec);

  QAbstractAxis* axis() const;
  void restyle();

  // What holds all of [first, last]; `planned` is where x will end at last, 0 when unknown.
  Range fullRange(double first, double last, double planned) const;
  Range range() const;
  void setRange(const Range& range, double pixels);
  // Closer there is nothing more to see.
  bool isTooClose(const Range& range) const;

  double fractionOf(double x) const;
  double at(double fraction) const;

 private:
  AxisSpec m_spec;
  QValueAxis* m_linear = nullptr;  // one of the two
  QLogValueAxis* m_logarithmic = nullptr;
};

}  // namespace convoy::ui
