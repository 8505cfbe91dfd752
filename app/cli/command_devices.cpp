// convoy devices: what there is to compute on.
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/cli/commands.h"
#include "app/cli/text_table.h"
#include "engine/device/discovery.h"

namespace convoy::cli {
namespace {

struct Options {
  bool json = false;
};

nlohmann::ordered_json device_json(const DeviceInfo& device) {
  return {{"id", device.id},
          {"name", device.name},
          {"kind", device_kind_name(device.kind)},
          {"compute_units", device.compute_units},
          {"memory_bytes", device.memory_bytes},
          {"backend", device.backend},
          {"driver", device.driver},
          {"cores", device.cores}};
}

int run(const Options& options) {
  std::vector<std::string> messages;
  const std::vector<DeviceInfo> devices = list_devices(&messages);
  for (const std::string& message : messages) std::cerr << "convoy: warning: " << message << '\n';
  if (options.json) {
    auto list = nlohmann::ordered_json::array();
    for (const DeviceInfo& device : devices) list.push_back(device_json(device));
    std::cout << list.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
    return 0;
  }
  TextTable table({"<id", "<name", "<kind", "units", "memory", "<backend", "<driver"});
  for (const DeviceInfo& device : devices)
    table.add_row({device.id, device.name, device_kind_name(device.kind),
                   std::to_string(device.compute_units),
                   bytes_text(static_cast<double>(device.memory_bytes)), device.backend,
                   device.driver});
  std::cout << table.text();
  return 0;
}

}  // namespace

void add_devices_command(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("devices", "List the devices that can compute");
  const auto options = std::make_shared<Options>();
  command->add_flag("--json", options->json, "As a JSON list");
  command->footer(
      "Ids: cpu (all cores), cpu:0, cpu:0-3, cpu:0,2 (those cores), opencl:P:D (platform and "
      "device\n"
      "number), opencl:P:D:0-1 (some cores of a CPU). units: cores, or OpenCL compute units.");
  choose(*command, action, options, run);
}

}  // namespace convoy::cli
