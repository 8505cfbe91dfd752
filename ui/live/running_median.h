// The median of all values so far; adding one costs the logarithm of their number.
#pragma once

#include <functional>
#include <optional>
#include <queue>
#include <vector>

namespace convoy::ui {

// Two heaps that meet at the median: the lower half with its largest value on top, the upper half
// with its smallest.
class RunningMedian {
 public:
  void add(double value) {
    if (m_lower.empty() || value <= m_lower.top())
      m_lower.push(value);
    else
      m_upper.push(value);
    if (m_lower.size() > m_upper.size() + 1) {
      m_upper.push(m_lower.top());
      m_lower.pop();
    } else if (m_upper.size() > m_lower.size()) {
      m_lower.push(m_upper.top());
      m_upper.pop();
    }
  }

  void clear() { *this = RunningMedian(); }

  std::optional<double> value() const {
    if (m_lower.empty()) return std::nullopt;
    if (m_lower.size() > m_upper.size()) return m_lower.top();
    return (m_lower.top() + m_upper.top()) / 2.0;
  }

 private:
  std::priority_queue<double> m_lower;
  std::priority_queue<double, std::vector<double>, std::greater<>> m_upper;
};

}  // namespace convoy::ui
