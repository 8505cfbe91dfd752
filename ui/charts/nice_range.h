// Axis ends and tick steps that people like to read, and that stay where they are.
#pragma once

#include <QString>

namespace convoy::ui {

// The smallest of 1, 2, 2.5, 5 times a power of ten that is at least `value`.
double niceStep(double value);
// The smallest of 1, 2, 5 times a power of ten that is at least `value`.
double niceExtent(double value);

// From zero to an end that holds `end`, in round steps.
struct NiceRange {
  double end = 1.0;
  double step = 0.2;
  bool operator==(const NiceRange&) const = default;
};
NiceRange niceRange(double end, int ticks);

// A range that grows at once when a value needs it and shrinks only when less than half of it is
// used, because each change redraws everything and moves what the eye rests on.
class CalmRange {
 public:
  // Returns true when the range has changed.
  bool update(double largest, int ticks);
  const NiceRange& range() const { return m_range; }
  void forget() { m_set = false; }

 private:
  NiceRange m_range;
  int m_ticks = 0;
  bool m_set = false;
};

// Digits after the point that ticks so far apart need.
int decimalsFor(double step);
// A measured value for people: three significant digits, the locale's signs, "12,345".
QString readable(double value);
// A speedup or the like: "2.47x", "0.18x", "0.022x", "123x".
QString timesText(double value);
// A part of a whole in per cent, without the sign: "57", and "0.4" where nothing would be left.
QString percentText(double fraction);
// A difference as people write it, without decimals: "+2 %", "−13 %", "0 %".
QString signedPercent(double fraction);

}  // namespace convoy::ui
