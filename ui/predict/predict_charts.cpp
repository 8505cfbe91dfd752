#include "ui/predict/predict_charts.h"

#include <QCoreApplication>
#include <limits>

namespace convoy::ui {
namespace {

using Line = PredictedCurves::Line;

QString tr(const char* text) {
  return QCoreApplication::translate("PredictPage", text);
}

AxisSpec axisSpec(PredictAxis axis) {
  AxisSpec spec;
  switch (axis) {
    case PredictAxis::Bandwidth:
      spec.title = tr("Bandwidth");
      spec.unit = QStringLiteral("Mb/s");
      spec.logarithmic = true;
      break;
    case PredictAxis::Devices:
      spec.title = tr("Devices");
      spec.begin = 1.0;
      break;
    case PredictAxis::BatchSize:
      spec.title = tr("Batch size");
      break;
  }
  return spec;
}

LinesSpec spec(const ShownCurves& shown, PredictAxis axis, std::vector<double> Line::*values) {
  LinesSpec spec;
  spec.x = axisSpec(axis);
  spec.revision = [&shown] { return shown.revision; };
  spec.rows = [&shown] { return int(shown.curves.x.size()); };
  spec.xAt = [&shown](int row) { return shown.curves.x[size_t(row)]; };
  spec.xEnd = [&shown] { return shown.curves.x.empty() ? 0.0 : shown.curves.x.back(); };
  const std::pair<Ink, QList<qreal>> looks[kMethods] = {
      {Ink::MethodPaper, {5, 2.5}}, {Ink::MethodBest, {}}, {Ink::MethodOwn, {2, 1.5}}};
  for (int method = 0; method < kMethods; ++method) {
    LineSeries series;
    series.name = methodName(static_cast<Method>(method));
    series.ink = looks[method].first;
    series.dash = looks[method].second;
    series.value = [&shown, method, values](int row) {
      return (shown.curves.methods[size_t(method)].*values)[size_t(row)];
    };
    spec.series.push_back(series);
  }
  LineSeries measured;
  measured.name = tr("Measured");
  measured.markers = true;
  measured.value = [&shown, values](int row) {
    return (shown.curves.measured.*values)[size_t(row)];
  };
  spec.series.push_back(measured);
  spec.marks = {
      {tr("this set-up"), Ink::MutedText, {1, 2}, [&shown] { return shown.curves.here; }},
      {tr("break-even"), Ink::Limit, {6, 4}, [&shown] { return shown.curves.breakEven; }}};
  return spec;
}

}  // namespace

LinesSpec predictedStepTimeSpec(const ShownCurves& shown, PredictAxis axis) {
  LinesSpec result = spec(shown, axis, &Line::stepMs);
  result.title = tr("Predicted step time");
  result.description =
      tr("How long a step will take, in milliseconds, by the paper's method, by Convoy's best and "
         "by the set-up's own; and what runs have measured.");
  result.left = {tr("Step time"), QStringLiteral("ms"), {}, true};
  return result;
}

LinesSpec predictedSpeedupSpec(const ShownCurves& shown, PredictAxis axis) {
  LinesSpec result = spec(shown, axis, &Line::speedup);
  result.title = tr("Predicted speedup");
  result.description =
      tr("How many times faster than one device alone a step will be, by the paper's method, by "
         "Convoy's best and by the set-up's own; and what runs have measured.");
  result.left = {tr("Speedup"), QStringLiteral("x"), {}, true};
  result.references = {{tr("Baseline"), Ink::Baseline, {}, [&shown]() -> std::optional<double> {
                          if (shown.curves.x.empty()) return std::nullopt;
                          return 1.0;
                        }}};
  return result;
}

}  // namespace convoy::ui
