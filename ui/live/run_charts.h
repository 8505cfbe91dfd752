// What the charts of a run show, read from the store. The store must outlive the charts.
#pragma once

#include "ui/charts/chart_spec.h"

namespace convoy::ui {

class RunStore;

BarsSpec deviceTimesSpec(const RunStore& store);
LinesSpec stepTimeSpec(const RunStore& store);
LinesSpec speedupSpec(const RunStore& store);
LinesSpec learningSpec(const RunStore& store);
// Of the devices of the run that is going on; another run needs another.
LinesSpec sharesSpec(const RunStore& store);

}  // namespace convoy::ui
