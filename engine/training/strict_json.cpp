#include "engine/training/strict_json.h"

#include <algorithm>
#include <set>
#include <vector>

#include "engine/base/error.h"

namespace convoy {
namespace {

using nlohmann::json;

// Where the parser is, so that a key that comes twice can be named.
class DuplicateKeys {
 public:
  explicit DuplicateKeys(const std::string& file) : file_(file) {}

  void event(json::parse_event_t event, const json& parsed) {
    using Event = json::parse_event_t;
    switch (event) {
      case Event::object_start:
      case Event::array_start:
        enter_value();
        open_.push_back({event == Event::array_start, 0, {}, {}});
        break;
      case Event::object_end:
      case Event::array_end:
        open_.pop_back();
        break;
      case Event::value:
        enter_value();
        break;
      case Event::key:
        add_key(parsed.get_ref<const std::string&>());
        break;
    }
  }

 private:
  struct Container {
    bool array;
    std::size_t entries;
    std::string key;
    std::set<std::string> keys;
  };

  void enter_value() {
    if (!open_.empty()) ++open_.back().entries;
  }
  void add_key(const std::string& key) {
    if (!open_.back().keys.insert(key).second)
      throw Error(ErrorKind::kExperiment, file_ + ": " + json_path(path(), key),
                  "this key stands twice in one object; keep one of them");
    open_.back().key = key;
  }
  std::string path() const {
    std::string text;
    for (std::size_t i = 0; i + 1 < open_.size(); ++i)
      text = json_path(text, open_[i].array ? std::to_string(open_[i].entries - 1) : open_[i].key);
    return text;
  }

  const std::string& file_;
  std::vector<Container> open_;
};

// The library writes values by recursion, as they are shown in messages.
constexpr int kDeepest = 64;

// The library's message without its own prefix: "syntax error while parsing value - ...".
std::string plain_reason(const std::string& what) {
  for (const char* mark : {"column ", "] "}) {
    const std::size_t start = what.find(mark);
    const std::size_t colon = what.find(": ", start == std::string::npos ? 0 : start);
    if (start != std::string::npos && mark[0] == ']') return what.substr(start + 2);
    if (start != std::string::npos && colon != std::string::npos) return what.substr(colon + 2);
  }
  return what;
}

}  // namespace

std::string json_path(const std::string& parent, const std::string& key) {
  std::string path = parent + "/";
  for (char c : key) {
    if (c == '~')
      path += "~0";
    else if (c == '/')
      path += "~1";
    else
      path += c;
  }
  return path;
}

json parse_strict_json(const std::string& text, const std::string& file) {
  DuplicateKeys duplicates(file);
  try {
    return json::parse(text, [&](int depth, json::parse_event_t event, json& parsed) {
      if (depth > kDeepest)
        throw Error(ErrorKind::kExperiment, file,
                    "objects and lists lie more than " + std::to_string(kDeepest) +
                        " deep in each other; no file of Convoy needs that");
      duplicates.event(event, parsed);
      return true;
    });
  } catch (const json::parse_error& error) {
    const std::size_t at = std::min(error.byte > 0 ? error.byte - 1 : 0, text.size());
    const auto begin = text.begin(), end = begin + static_cast<std::ptrdiff_t>(at);
    const auto line = std::count(begin, end, '\n') + 1;
    const std::size_t newline = at == 0 ? std::string::npos : text.rfind('\n', at - 1);
    const std::size_t column = newline == std::string::npos ? at + 1 : at - newline;
    const bool blank = text.find_first_not_of(" \t\r\n") == std::string::npos;
    const std::string reason = plain_reason(error.what());
    throw Error(ErrorKind::kExperiment,
                file + ": line " + std::to_string(line) + ", column " + std::to_string(column),
                "not valid JSON: " + (blank ? "it is empty"
                                      : reason.find("unexpected end of input") != std::string::npos
                                          ? "it ends here, before all objects and lists are closed"
                                          : reason));
  } catch (const json::exception& error) {  // a number that no double can hold
    throw Error(ErrorKind::kExperiment, file, "not valid JSON: " + plain_reason(error.what()));
  }
}

}  // namespace convoy
