// How often the window follows a run. The devices of a run may well be the cores that the window is
// painted on, so painting gets a small part of one core: where a picture takes long, because charts
// are large or the steps so quick that each brings hundreds of points, there are fewer pictures.
#pragma once

#include <algorithm>

namespace convoy::ui {

struct TickBudget {
  static constexpr int kQuickestMs = 100;  // fluent to the eye
  static constexpr int kSlowestMs = 400;   // still felt as live
  static constexpr double kPartOfACore = 0.03;

  // The time until the next tick when the last one kept the GUI's thread busy for `busyMs`, with
  // all the painting that came of it.
  static int intervalMs(double busyMs) {
    return static_cast<int>(
        std::clamp(busyMs / kPartOfACore, double(kQuickestMs), double(kSlowestMs)));
  }
};

}  // namespace convoy::ui
