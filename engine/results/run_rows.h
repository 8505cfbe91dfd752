// The lines of steps.csv and devices.csv, whether a run writes them or the lab book gives them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/results/csv.h"
#include "engine/results/device_work.h"
#include "engine/results/run_events.h"

namespace convoy {

// Heading lines with their line ends.
extern const std::string_view kStepColumns, kDeviceColumns;

// A line of steps.csv.
void add_step(CsvLines& csv, const RunStep& step);

// A line of devices.csv: what one device did in one step for one layer in one pass.
struct DeviceRow : WorkRow {
  int step = 0;
  int kernels = 0;
  std::string algorithm;  // what the device was calibrated with, which is what it computes with
  std::optional<int> pictures;
};

// In the order of work_rows(), by the shares of `calibrated`.
std::vector<DeviceRow> device_rows(const RunStep& step, const RunStarted& started,
                                   const RunCalibrated& calibrated);
void add_device_row(CsvLines& csv, const DeviceRow& row, const std::string& device_name);

}  // namespace convoy
