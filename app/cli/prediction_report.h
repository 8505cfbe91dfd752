// Predictions for people and for programs.
#pragma once

#include <string>
#include <vector>

#include "engine/training/prediction_study.h"

namespace convoy::cli {

// One combination of what was varied, and what is predicted for it. Break-even and verdict do not
// depend on the bandwidth varied, and are those of the whole set of other values.
struct PredictedVariant {
  std::vector<std::string> values;  // as in `paths`
  Prediction prediction;
  BreakEven break_even;
  std::string verdict;
};

// `paths`: what was varied. A table of all, then for each set of values other than the bandwidth
// from which bandwidth on it pays, and a verdict.
std::string prediction_text(const std::vector<std::string>& paths,
                            const std::vector<PredictedVariant>& variants);
std::string prediction_json(const std::vector<std::string>& paths,
                            const std::vector<PredictedVariant>& variants);

}  // namespace convoy::cli
