#include "engine/device/conv_choices.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "engine/base/atomic_file.h"
#include "engine/base/file_lock.h"
#include "engine/base/user_cache.h"
#include "engine/conv/conv_algorithm.h"

namespace convoy {
namespace {

using nlohmann::ordered_json;

constexpr const char* kFormat = "convoy convolution choices";
// To be raised when the form changes, or when an algorithm becomes much faster within one version
// of Convoy: older files are then forgotten.
constexpr int kRevision = 3;
constexpr std::uintmax_t kLargestFile = 4 << 20;  // several times what kMost choices take

constexpr std::pair<const char*, int ConvProblem::*> kFields[] = {
    {"batch", &ConvProblem::batch},
    {"in_channels", &ConvProblem::in_channels},
    {"in_height", &ConvProblem::in_height},
    {"in_width", &ConvProblem::in_width},
    {"out_channels", &ConvProblem::out_channels},
    {"kernel_height", &ConvProblem::kernel_height},
    {"kernel_width", &ConvProblem::kernel_width},
    {"stride_height", &ConvProblem::stride_height},
    {"stride_width", &ConvProblem::stride_width}};
constexpr int Padding::*kSides[] = {&Padding::top, &Padding::left, &Padding::bottom,
                                    &Padding::right};

ordered_json choice_json(const ConvChoiceKey& key, const std::string& algorithm) {
  ordered_json json = {{"engine", key.engine},
                       {"processor", key.processor},
                       {"threads", key.threads},
                       {"pass", pass_name(key.pass)}};
  for (const auto& [name, member] : kFields) json[name] = key.problem.*member;
  for (const auto side : kSides) json["padding"].push_back(key.problem.padding.*side);
  json["scratch_limit"] = key.scratch_limit;
  json["algorithm"] = algorithm;
  return json;
}

// The throwing accessors of the library, and validate(), refuse what is no choice.
std::pair<ConvChoiceKey, std::string> parse_choice(const ordered_json& json) {
  ConvChoiceKey key;
  json.at("engine").get_to(key.engine);
  json.at("processor").get_to(key.processor);
  json.at("threads").get_to(key.threads);
  const auto name_of_pass = json.at("pass").get<std::string>();
  const auto pass = std::find_if(std::begin(kAllPasses), std::end(kAllPasses),
                                 [&](Pass p) { return name_of_pass == pass_name(p); });
  if (pass == std::end(kAllPasses)) throw Error(ErrorKind::kRun, "pass", "is unknown");
  key.pass = *pass;
  for (const auto& [name, member] : kFields) json.at(name).get_to(key.problem.*member);
  for (std::size_t i = 0; i < std::size(kSides); ++i)
    json.at("padding").at(i).get_to(key.problem.padding.*kSides[i]);
  key.problem.validate();
  json.at("scratch_limit").get_to(key.scratch_limit);
  auto algorithm = json.at("algorithm").get<std::string>();
  // Those of OpenCL devices ("fft+tiled") are for them to know.
  if (!find_conv_algorithm(algorithm) && algorithm.find('+') == std::string::npos)
    throw Error(ErrorKind::kRun, "algorithm", "is unknown");
  return {key, std::move(algorithm)};
}

}  // namespace

ConvChoices::ConvChoices(std::filesystem::path file) : file_(std::move(file)) {}

std::optional<std::string> ConvChoices::find(const ConvChoiceKey& key, double factor) const {
  std::lock_guard lock(mutex_);
  if (!std::exchange(read_, true)) read_file();
  const Choice* choice = nearest(key, factor);
  return choice ? std::optional(choice->algorithm) : std::nullopt;
}

std::string ConvChoices::remember(const ConvChoiceKey& key, const std::string& algorithm) {
  return remember(std::vector{key}, {algorithm}).front();
}

std::vector<std::string> ConvChoices::remember(const std::vector<ConvChoiceKey>& keys,
                                               const std::vector<std::string>& algorithms) {
  std::lock_guard lock(mutex_);
  read_ = true;
  std::optional<FileLock> file_lock;
  if (!file_.empty()) {
    std::error_code ignored;
    std::filesystem::create_directories(file_.parent_path(), ignored);
    file_lock.emplace(file_);
    read_file();
  }
  std::vector<std::string> agreed;
  bool news = false;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const Choice* known = nearest(keys[i], 1.0);
    agreed.push_back(known ? known->algorithm : algorithms[i]);
    if (known) continue;
    choices_.push_back({keys[i], algorithms[i]});
    news = true;
  }
  if (choices_.size() > kMost)
    choices_.erase(choices_.begin(), choices_.end() - static_cast<std::ptrdiff_t>(kMost));
  if (news && file_lock && file_lock->locked()) write_file();
  return agreed;
}

const ConvChoices::Choice* ConvChoices::nearest(const ConvChoiceKey& key, double factor) const {
  const Choice* best = nullptr;
  double least = factor;
  ConvChoiceKey like = key;
  for (const Choice& choice : choices_) {
    like.problem.out_channels = choice.key.problem.out_channels;
    if (!(like == choice.key)) continue;
    const double a = key.problem.out_channels, b = choice.key.problem.out_channels;
    const double ratio = std::max(a / b, b / a);
    if (ratio > least || (best && ratio == least)) continue;
    best = &choice;
    least = ratio;
  }
  return best;
}

// Adds what others have written since. What this process knows stands.
void ConvChoices::read_file() const {
  if (file_.empty()) return;
  try {
    if (std::filesystem::file_size(file_) > kLargestFile) return;
    const auto root = ordered_json::parse(read_whole_file(file_, ErrorKind::kRun));
    if (root.at("format") != kFormat || root.at("revision") != kRevision) return;
    std::vector<Choice> choices;
    for (const ordered_json& json : root.at("choices")) {
      try {
        auto [key, algorithm] = parse_choice(json);
        if (!nearest(key, 1.0)) choices.push_back({std::move(key), std::move(algorithm)});
      } catch (const std::exception&) {  // one damaged choice does not spoil the others
      }
    }
    choices_.insert(choices_.begin(), std::make_move_iterator(choices.begin()),
                    std::make_move_iterator(choices.end()));
  } catch (const std::exception&) {  // no file, or a damaged or foreign one: written anew
  }
}

void ConvChoices::write_file() const {
  ordered_json root = {{"format", kFormat}, {"revision", kRevision}};
  std::string lines;  // one choice a line, for people who look
  for (const Choice& choice : choices_)
    lines += (lines.empty() ? "" : ",\n") +
             choice_json(choice.key, choice.algorithm)
                 .dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  std::string text = root.dump();
  text.back() = ',';
  text += "\"choices\":[\n" + lines + "\n]}\n";
  try {
    write_file_atomically(file_, text);
  } catch (const Error&) {  // measured again by the next process
  }
}

std::filesystem::path conv_choices_file() {
  const auto folder = user_cache_folder();
  return folder.empty() ? folder : folder / "conv_choices.json";
}

ConvChoices& shared_conv_choices() {
  static ConvChoices choices(conv_choices_file());
  return choices;
}

}  // namespace convoy
