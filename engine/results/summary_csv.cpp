#include "engine/results/summary_csv.h"

namespace convoy {

const std::vector<std::string_view>& summary_columns() {
  static const std::vector<std::string_view> columns = {"run",
                                                        "name",
                                                        "dataset",
                                                        "network",
                                                        "batch_size",
                                                        "devices",
                                                        "bandwidth_mbps",
                                                        "split",
                                                        "steps",
                                                        "step_ms",
                                                        "step_ms_p10",
                                                        "step_ms_p90",
                                                        "conv_ms",
                                                        "comm_ms",
                                                        "comp_ms",
                                                        "conv_share",
                                                        "baseline",
                                                        "baseline_step_ms",
                                                        "speedup",
                                                        "efficiency",
                                                        "amdahl_limit",
                                                        "predicted_step_ms",
                                                        "images_per_s",
                                                        "loss",
                                                        "test_accuracy",
                                                        "version",
                                                        "outcome",
                                                        "gradient_difference"};
  return columns;
}

void add_summary(CsvLines& csv, const RunSummary& s) {
  csv.add_all(s.run, s.name, s.dataset, s.network, s.batch_size, s.devices, s.bandwidth_mbps,
              s.split, s.steps, s.step_ms, s.step_ms_p10, s.step_ms_p90, s.conv_ms, s.comm_ms,
              s.comp_ms, s.conv_share, s.baseline, s.baseline_step_ms, s.speedup, s.efficiency,
              s.amdahl_limit, s.predicted_step_ms, s.images_per_s, s.loss, s.test_accuracy,
              s.version, run_outcome_name(s.outcome), s.gradient_difference);
}

std::string summary_csv(const std::vector<RunSummary>& summaries) {
  CsvLines csv;
  for (const std::string_view column : summary_columns()) csv.add(column);
  csv.end_line();
  for (const RunSummary& summary : summaries) {
    add_summary(csv, summary);
    csv.end_line();
  }
  return csv.text();
}

}  // namespace convoy
