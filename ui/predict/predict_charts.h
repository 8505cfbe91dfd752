// What the charts of a prediction show, read from curves that their owner keeps. The curves must
// outlive the charts.
#pragma once

#include "ui/charts/chart_spec.h"
#include "ui/predict/prediction_data.h"

namespace convoy::ui {

struct ShownCurves {
  PredictedCurves curves;
  int revision = 0;  // another for every change of the curves
};

LinesSpec predictedStepTimeSpec(const ShownCurves& shown, PredictAxis axis);
LinesSpec predictedSpeedupSpec(const ShownCurves& shown, PredictAxis axis);

}  // namespace convoy::ui
