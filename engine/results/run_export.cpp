#include "engine/results/run_export.h"

#include <system_error>

#include "engine/base/atomic_file.h"
#include "engine/results/summary_csv.h"

namespace convoy {
namespace {

struct File {
  std::string name, content;
};

std::string steps_csv(LabBookReader& book, const std::string& run) {
  CsvLines lines;
  book.for_each_step(run, [&](const RunStep& step) { add_step(lines, step); });
  return std::string(kStepColumns) + lines.text();
}

std::string devices_csv(LabBookReader& book, const std::string& run,
                        const std::vector<std::string>& names) {
  CsvLines lines;
  book.for_each_device_row(run, [&](const DeviceRow& row) {
    if (row.device >= names.size())
      throw Error(ErrorKind::kData, "run " + run,
                  "the lab book has work of device " + std::to_string(row.device) + " in step " +
                      std::to_string(row.step) + ", but only " + std::to_string(names.size()) +
                      " devices");
    add_device_row(lines, row, names[row.device]);
  });
  return std::string(kDeviceColumns) + lines.text();
}

std::vector<File> files_of(LabBookReader& book, const std::string& id) {
  const LabBookReader::Look look(book);
  const std::optional<RecordedRun> run = book.run(id);
  if (!run) throw Error(ErrorKind::kData, "run " + id, "is not in the lab book");
  std::vector<File> files = {{"experiment.json", run->experiment_json},
                             {"steps.csv", steps_csv(book, id)},
                             {"devices.csv", devices_csv(book, id, run->device_names)}};
  if (run->outcome) files.push_back({"summary.csv", summary_csv({run->summary})});
  return files;
}

}  // namespace

void refuse_existing(const std::filesystem::path& folder, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    std::error_code error;
    if (std::filesystem::exists(std::filesystem::symlink_status(folder / name, error)))
      throw Error(ErrorKind::kUsage, (folder / name).string(),
                  "is there already and is not written over; name another folder, or remove it");
  }
}

std::vector<std::string> export_run(LabBookReader& book, const std::string& run,
                                    const std::filesystem::path& folder) {
  const std::vector<File> files = files_of(book, run);
  std::vector<std::string> names;
  for (const File& file : files) names.push_back(file.name);
  refuse_existing(folder, names);
  make_folder(folder, "the run's files");
  for (const File& file : files) write_file_atomically(folder / file.name, file.content);
  return names;
}

}  // namespace convoy
