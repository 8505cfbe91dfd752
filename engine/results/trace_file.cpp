#include "engine/results/trace_file.h"

#include <chrono>
#include <nlohmann/json.hpp>

namespace convoy {
namespace {

using nlohmann::ordered_json;

constexpr int kProcess = 1;
constexpr const char* kClosing = "\n]}\n";

std::string text(const ordered_json& event) {
  return event.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

std::string metadata(const char* what, int row, const char* key, const ordered_json& value) {
  return text(
      {{"name", what}, {"ph", "M"}, {"pid", kProcess}, {"tid", row}, {"args", {{key, value}}}});
}

// Of whole nanoseconds, so that they are written with three decimals at most: a trace is long.
double microseconds(TimePoint::duration time) {
  return static_cast<double>(std::chrono::nanoseconds(time).count()) / 1000.0;
}

// Rows are numbered from 1: viewers take a thread 0 for the process itself.
std::string opening(const RunStarted& started, int master_row) {
  const std::string title = started.name.empty() ? started.run : started.name;
  std::string content = "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n" +
                        metadata("process_name", 0, "name", "Convoy: " + title);
  const auto add_row = [&](int row, const std::string& name) {
    content += ",\n" + metadata("thread_name", row, "name", name);
    content += ",\n" + metadata("thread_sort_index", row, "sort_index", row);
  };
  for (std::size_t i = 0; i < started.devices.size(); ++i)
    add_row(static_cast<int>(i) + 1,
            started.devices[i].name + " (" + started.devices[i].info.name + ")");
  add_row(master_row, "master (rest)");
  return content;
}

}  // namespace

const char* activity_name(Activity activity) {
  switch (activity) {
    case Activity::kReceive:
      return "receive";
    case Activity::kCompute:
      return "compute";
    case Activity::kSend:
      return "send";
    case Activity::kWait:
      break;
  }
  return "wait";
}

TraceFile::TraceFile(const std::filesystem::path& path, const RunStarted& started, TimePoint begin)
    : file_(path, opening(started, static_cast<int>(started.devices.size()) + 1), kClosing),
      begin_(begin),
      master_row_(static_cast<int>(started.devices.size()) + 1) {}

void TraceFile::add(const RunStep& step) {
  std::string piece;
  const auto add_slice = [&](const std::string& name, const char* category, int row,
                             TimePoint begin, TimePoint end, ordered_json args) {
    args["step"] = step.step;
    piece += ",\n" + text({{"name", name},
                           {"cat", category},
                           {"ph", "X"},
                           {"ts", microseconds(begin - begin_)},
                           {"dur", microseconds(end - begin)},
                           {"pid", kProcess},
                           {"tid", row},
                           {"args", std::move(args)}});
  };
  for (const Slice& slice : step.slices) {
    const char* activity = activity_name(slice.activity);
    ordered_json args = {{"layer", slice.layer + 1}, {"pass", pass_name(slice.pass)}};
    if (slice.activity == Activity::kReceive || slice.activity == Activity::kSend)
      args["bytes"] = slice.bytes;
    add_slice(
        std::string(activity) + " " + pass_name(slice.pass) + " " + std::to_string(slice.layer + 1),
        activity, slice.device + 1, slice.begin, slice.end, std::move(args));
  }
  for (const RunStep::MasterWork& work : step.master)
    add_slice(work.name, "master", master_row_, work.begin, work.end, ordered_json::object());
  file_.append(piece);
}

}  // namespace convoy
