// How all axes look: quiet grid lines, no axis line, the theme's fonts.
#pragma once

#include <QSizeF>

class QAbstractAxis;
class QChart;
class QLogValueAxis;
class QValueAxis;

namespace convoy::ui {

struct AxisSpec;

enum class GridLines { Shown, Hidden };

void styleChart(QChart& chart);
void styleAxis(QAbstractAxis& axis, GridLines grid);
// The axis' label, or what of it has room in a chart of this size: the unit, or nothing.
void fitTitle(QAbstractAxis& axis, const AxisSpec& spec, const QSizeF& chart);
// Sets range and ticks together. Ticks lie at multiples of `step`.
void setRange(QValueAxis& axis, double min, double max, double step);
// The same for decades. Written out: "%g" leaves labels empty where numbers are localised.
void setRange(QLogValueAxis& axis, double min, double max);
// How many ticks fit so many pixels.
int ticksAcross(double pixels);
int ticksUp(double pixels);

}  // namespace convoy::ui
