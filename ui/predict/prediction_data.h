// What the Predict page shows, calculated in one go from a study: curves of the methods, what each
// option is worth, the verdict, and how far earlier predictions were off. No widgets; may run on
// any thread.
#pragma once

#include <QString>
#include <array>
#include <optional>
#include <vector>

#include "engine/training/prediction_study.h"
#include "ui/models/method.h"

namespace convoy::ui {

enum class PredictAxis { Bandwidth, Devices, BatchSize };
inline constexpr int kPredictAxes = 3;
inline constexpr int kMethods = 3;  // Paper, Best, Own

// A run that has ended, to hold predictions against.
struct MeasuredRun {
  Experiment experiment;  // as it was run
  double stepMs = 0.0;
  std::optional<double> speedup;
};

// Rows rise in x; those of measured runs lie between the others. NaN: none.
struct PredictedCurves {
  std::vector<double> x;  // Mb/s, devices or pictures
  struct Line {
    std::vector<double> stepMs, speedup;
  };
  std::array<Line, kMethods> methods;  // Own: empty where the set-up's method has a name
  Line measured;
  std::optional<double> here;       // the set-up's own x
  std::optional<double> breakEven;  // over bandwidth, of the set-up's method
};

struct OptionWorth {
  enum class Role { Base, Option, All, Own };
  Role role = Role::Option;
  QString name;
  QString note;                  // what there is to know of it; may be empty
  bool inUse = false;            // by the set-up
  double bytes = 0.0, ms = 0.0;  // of a step
};

// One measured run beside what is predicted for it.
struct PredictionCheck {
  QString name;    // its method and its place on the axis
  QString detail;  // and all else
  double measuredMs = 0.0, predictedMs = 0.0;
  double error() const { return predictedMs / measuredMs - 1.0; }
};

struct PredictionData {
  QString obstacle;  // why nothing can be predicted; the rest is then empty
  Prediction now;    // of the set-up as it is
  QString verdict;
  BreakEven breakEven;
  PredictedCurves curves;
  std::vector<OptionWorth> options;  // the first is the paper's method, what savings count from
  std::vector<PredictionCheck> checks;
  std::vector<int> batchSizes;  // that are calibrated
};

struct PredictionRequest {
  Experiment experiment;
  PredictAxis axis = PredictAxis::Bandwidth;
  std::vector<MeasuredRun> measured;
};

PredictionData calculate(const PredictionStudy& study, const PredictionRequest& request);

// Whether two experiments differ in nothing that changes a step's time but the axis and the method.
bool comparable(const Experiment& a, const Experiment& b, PredictAxis axis);

}  // namespace convoy::ui
