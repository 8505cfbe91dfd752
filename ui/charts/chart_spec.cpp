#include "ui/charts/chart_spec.h"

#include <cmath>

namespace convoy::ui {
namespace {

QString withUnit(const QString& name, const QString& unit) {
  return unit.isEmpty() ? name : name + " (" + unit + ')';
}

QVariant cellOf(double value) {
  return std::isnan(value) ? QVariant() : QVariant(value);
}

}  // namespace

ChartTable tableOf(const LinesSpec& spec) {
  ChartTable table;
  table.headers << withUnit(spec.x.title, spec.x.unit);
  for (const LineSeries& series : spec.series) {
    const bool right = series.side == LineSeries::Side::Right && spec.right;
    table.headers << withUnit(series.name, right ? spec.right->unit : spec.left.unit);
  }
  for (const ReferenceLine& line : spec.references)
    table.headers << withUnit(line.name, spec.left.unit);
  table.rows = spec.rows;
  table.cell = [spec](int row, int column) -> QVariant {
    if (column == 0) return spec.xAt(row);
    const size_t index = size_t(column - 1);
    if (index < spec.series.size()) return cellOf(spec.series[index].value(row));
    const std::optional<double> level = spec.references[index - spec.series.size()].value();
    return level ? QVariant(*level) : QVariant();
  };
  return table;
}

ChartTable tableOf(const BarsSpec& spec) {
  ChartTable table;
  table.headers << spec.category.title;
  for (const BarSeries& series : spec.series)
    table.headers << withUnit(series.name, spec.value.unit);
  table.rows = spec.categories;
  table.cell = [spec](int row, int column) -> QVariant {
    if (column == 0) return spec.categoryAt(row).name;
    return cellOf(spec.series[size_t(column - 1)].value(row));
  };
  return table;
}

}  // namespace convoy::ui
