// Small charts to test with: their data may change behind them, as a run's does.
#pragma once

#include <QTest>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "ui/charts/chart.h"

namespace convoy::ui {

inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Two series and a level over steps 1, 2, ...
struct Data {
  std::vector<double> first, second;
  std::optional<double> level;
};

inline LinesSpec linesOf(Data& data, bool stacked = false) {
  LinesSpec spec;
  spec.title = "Times";
  spec.x = {"Step", {}, {}, false};
  spec.left = {"Time", "ms", {}, true};
  spec.stacked = stacked;
  spec.rows = [&data] { return int(data.first.size()); };
  spec.xAt = [](int row) { return row + 1.0; };
  spec.series = {
      {"One", Ink::Compute, [&data](int row) { return data.first[size_t(row)]; }},
      {"Two, \"quoted\"", Ink::Send, [&data](int row) { return data.second[size_t(row)]; }}};
  spec.references = {{"Level", Ink::Limit, {}, [&data] { return data.level; }}};
  return spec;
}

inline BarsSpec barsOf(std::vector<std::pair<double, double>>& data) {
  BarsSpec spec;
  spec.title = "Devices";
  spec.category = {"Device", {}, {}, false};
  spec.value = {"Time", "ms", {}, false};
  spec.categories = [&data] { return int(data.size()); };
  spec.categoryAt = [](int i) {
    return BarCategory{QStringLiteral("a <long> name & more of it %1").arg(i), "10 kernels", "10 %",
                       Theme::instance().device(i)};
  };
  spec.series = {
      {"Compute", Ink::Compute, [&data](int i) { return data[size_t(i)].first; }},
      {"Wait", Ink::Wait, [&data](int i) { return data[size_t(i)].second; }},
  };
  return spec;
}

inline Data ramp(int rows) {
  Data data;
  for (int i = 0; i < rows; ++i) {
    data.first.push_back(1.0 + i);
    data.second.push_back(0.1 * (i + 1));
  }
  return data;
}

inline void show(Chart& chart, QSize size = {500, 320}) {
  chart.resize(size);
  chart.show();
  QVERIFY(QTest::qWaitForWindowExposed(&chart));
}

}  // namespace convoy::ui
