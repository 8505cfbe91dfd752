#include "engine/results/run_rows.h"

namespace convoy {

const std::string_view kStepColumns =
    "step,epoch,step_ms,conv_ms,comm_ms,comp_ms,loss,train_accuracy,warm_up,bandwidth_mbps\r\n";
const std::string_view kDeviceColumns =
    "step,device,layer,pass,kernels,conv_ms,send_ms,receive_ms,wait_ms,bytes_sent,"
    "bytes_received,algorithm,pictures\r\n";

void add_step(CsvLines& csv, const RunStep& step) {
  csv.add_all(step.step, step.epoch, step.step_ms, step.conv_ms, step.comm_ms, step.comp_ms,
              step.loss, step.train_accuracy, step.warm_up ? 1 : 0, step.bandwidth_mbps);
  csv.end_line();
}

std::vector<DeviceRow> device_rows(const RunStep& step, const RunStarted& started,
                                   const RunCalibrated& calibrated) {
  std::vector<DeviceRow> rows;
  for (const WorkRow& work :
       work_rows(step.slices, started.devices.size(), started.layers.size())) {
    DeviceRow row{work,
                  step.step,
                  calibrated.kernels.at(work.layer).at(work.device),
                  {},
                  calibrated.pictures.at(work.layer).at(work.device)};
    if (work.layer < calibrated.layers.size())
      row.algorithm = calibrated.layers[work.layer]
                          .at(work.device)
                          .algorithm[static_cast<std::size_t>(work.pass)];
    rows.push_back(std::move(row));
  }
  return rows;
}

void add_device_row(CsvLines& csv, const DeviceRow& row, const std::string& device_name) {
  const DeviceWork& work = row.work;
  csv.add_all(row.step, device_name, row.layer + 1, pass_name(row.pass), row.kernels, work.conv_ms,
              work.send_ms, work.receive_ms, work.wait_ms, work.bytes_sent, work.bytes_received,
              row.algorithm, row.pictures);
  csv.end_line();
}

}  // namespace convoy
