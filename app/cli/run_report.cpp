#include "app/cli/run_report.h"

#include <cstdio>

#include "app/cli/text_table.h"
#include "engine/results/device_work.h"

namespace convoy::cli {

void RunReport::on_started(const RunStarted& started) {
  started_ = started;
  times_.resize(started.devices.size());
}

void RunReport::on_calibrated(const RunCalibrated& calibrated) {
  calibrated_ = calibrated;
}

// The table tells the shares that the run ended with.
void RunReport::on_shares(const RunShares& shares) {
  calibrated_.kernels = shares.kernels;
  calibrated_.share = shares.share;
}

void RunReport::on_step(const RunStep& step) {
  if (step.warm_up) return;
  std::vector<DeviceWork> work(times_.size());
  for (const Slice& slice : step.slices) work.at(static_cast<std::size_t>(slice.device)).add(slice);
  for (std::size_t i = 0; i < work.size(); ++i) {
    times_[i].conv.add(work[i].conv_ms);
    times_[i].send.add(work[i].send_ms);
    times_[i].receive.add(work[i].receive_ms);
    times_[i].wait.add(work[i].wait_ms);
  }
}

std::string RunReport::device_table() const {
  TextTable table(
      {"<device", "<kernels", "conv ms", "send ms", "receive ms", "wait ms", "GFLOP/s", "share"});
  for (std::size_t i = 0; i < started_.devices.size(); ++i) {
    std::string kernels;
    for (const std::vector<int>& layer : calibrated_.kernels)
      kernels += (kernels.empty() ? "" : ":") + std::to_string(layer[i]);
    const DeviceTimes& times = times_[i];
    table.add_row({started_.devices[i].name, kernels, fixed(times.conv.median(), 2),
                   fixed(times.send.median(), 2), fixed(times.receive.median(), 2),
                   fixed(times.wait.median(), 2),
                   i < calibrated_.gflops.size() ? fixed(calibrated_.gflops[i], 1) : "-",
                   i < calibrated_.share.size() ? percent(calibrated_.share[i]) : "-"});
  }
  return table.text();
}

std::string RunReport::text(const RunSummary& summary) const {
  std::string text;
  if (!calibrated_.kernels.empty()) text = device_table() + "\n";  // else nothing has begun
  const auto add = [&](std::string what, const std::string& value) {
    what.resize(12, ' ');
    text += what + value + "\n";
  };
  add("steps", std::to_string(summary.steps) + " of " + std::to_string(started_.steps) + ", " +
                   run_outcome_name(summary.outcome));
  if (summary.step_ms)
    add("step", fixed(summary.step_ms, 2) + " ms = conv " + fixed(summary.conv_ms, 2) + " + comm " +
                    fixed(summary.comm_ms, 2) + " + comp " + fixed(summary.comp_ms, 2) +
                    " (medians), " + fixed(summary.images_per_s, 0) + " pictures a second");
  if (summary.baseline_step_ms)
    add("baseline", fixed(summary.baseline_step_ms, 2) + " ms on " + summary.baseline + " alone");
  if (summary.speedup)
    add("speedup", fixed(summary.speedup, 2) + "x, efficiency " +
                       (summary.efficiency ? percent(*summary.efficiency) : "-") +
                       ", Amdahl limit " + fixed(summary.amdahl_limit, 2) + "x");
  if (summary.gradient_difference) {
    char number[32];
    std::snprintf(number, sizeof number, "%.1e", *summary.gradient_difference);
    add("gradients", std::string("within ") + number + " of one device's, in the first step");
  }
  if (summary.loss) add("loss", fixed(summary.loss, 4));
  if (summary.test_accuracy) add("accuracy", percent(*summary.test_accuracy) + " on the test part");
  return text;
}

}  // namespace convoy::cli
