// Core lists as people write them: "0-3,6".
#include <algorithm>
#include <charconv>

#include "engine/device/cpu_topology.h"
#include "engine/device/discovery.h"

namespace convoy {
namespace {

// More cores than the system calls can name; keeps "0-4000000000" from filling the memory.
constexpr int kMostCores = 1024;

[[noreturn]] void refuse(const std::string& id, const std::string& what) {
  throw Error(ErrorKind::kDevice, id,
              what +
                  "; write core numbers and rising ranges such as \"0-3\" or \"0,2\", of the "
                  "cores " +
                  core_list_text(available_cores()));
}

int parse_core(const std::string& id, std::string_view number) {
  int core = -1;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), core);
  if (error != std::errc() || end != number.data() + number.size() || number.front() == '-')
    refuse(id, std::string("\"").append(number).append("\" is no core number"));
  if (core >= kMostCores) refuse(id, "there is no core " + std::to_string(core));
  return core;
}

}  // namespace

std::vector<int> available_cores() {
  return cores_at_start();
}

std::vector<int> parse_core_list(const std::string& text, const std::string& device) {
  const std::string id = device + ":" + text;
  std::vector<int> cores;
  std::string_view rest = text;
  for (bool more = true; more;) {
    const auto comma = rest.find(',');
    more = comma != std::string_view::npos;
    const std::string_view item = rest.substr(0, comma);
    if (item.empty()) refuse(id, "a core number is missing");
    // A dash at the front is a sign, not a range.
    const auto dash = item.find('-', 1);
    const int first = parse_core(id, item.substr(0, dash));
    int last = first;
    if (dash != std::string_view::npos) {
      if (dash + 1 == item.size())
        refuse(id, std::string("the range \"").append(item).append("\" has no end"));
      last = parse_core(id, item.substr(dash + 1));
      if (last < first)
        refuse(id, std::string("the range \"").append(item).append("\" runs backwards"));
    }
    for (int core = first; core <= last; ++core) {
      if (std::find(cores.begin(), cores.end(), core) != cores.end())
        refuse(id, "core " + std::to_string(core) + " is listed twice");
      cores.push_back(core);
    }
    if (more) rest.remove_prefix(comma + 1);
  }
  std::sort(cores.begin(), cores.end());
  return cores;
}

std::string core_list_text(const std::vector<int>& cores) {
  std::string text;
  for (std::size_t begin = 0; begin < cores.size();) {
    std::size_t end = begin + 1;
    while (end < cores.size() && cores[end] == cores[end - 1] + 1) ++end;
    if (!text.empty()) text += ',';
    text += std::to_string(cores[begin]);
    if (end - begin > 1) text += (end - begin > 2 ? '-' : ',') + std::to_string(cores[end - 1]);
    begin = end;
  }
  return text;
}

}  // namespace convoy
