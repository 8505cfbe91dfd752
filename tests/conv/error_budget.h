// The error budget: against double precision no way to compute a convolution that a device would
// choose by itself may be less accurate (rms) than the direct method in single precision.
#pragma once

#include <QTest>
#include <string>
#include <vector>

#include "tests/conv/direct_sums.h"

namespace convoy {

// One pass, and what is compared with.
class ErrorBudget {
 public:
  ErrorBudget(const ConvProblem& problem, const Arrays& arrays, Pass pass, ThreadPool& pool)
      : pass_(pass),
        // Sums in double precision, rounded once.
        exact_(run_reference(problem, pass, arrays, pool)),
        direct_(rms_error(DirectSums(problem, arrays).run(pass), exact_)) {}

  std::size_t result_size() const { return exact_.size(); }
  // Logs both errors.
  bool holds_for(const std::string& algorithm, std::span<const float> result) const {
    const double error = rms_error(result, exact_);
    qInfo("%s, %s: rms error %.2e, direct %.2e", pass_name(pass_), algorithm.c_str(), error,
          direct_);
    // Two direct sums in different orders differ that much by chance.
    return error <= 1.1 * direct_;
  }

 private:
  Pass pass_;
  std::vector<float> exact_;
  double direct_;
};

// Rows of a test's data; the test fetches them as ConvProblem `layer`.
inline void add_layer_row(int batch, int channels, int size, int kernels, int kernel_size,
                          int padding) {
  ConvProblem layer = make_problem(batch, channels, size, kernels, kernel_size);
  layer.padding = Padding::all(padding);
  QTest::newRow(qPrintable(problem_text(layer))) << layer;
}

// The column, and rows with short and long sums, small and large kernels, and tiles.
inline void add_error_budget_rows() {
  QTest::addColumn<ConvProblem>("layer");
  add_layer_row(16, 64, 14, 48, 5, 0);
  add_layer_row(4, 300, 14, 100, 5, 0);
  add_layer_row(16, 64, 16, 64, 3, 1);
  add_layer_row(32, 128, 4, 128, 3, 1);
  add_layer_row(4, 2, 30, 6, 11, 5);
  add_layer_row(3, 24, 27, 7, 7, 3);
}

}  // namespace convoy
