#include "engine/device/mix_choice.h"

#include <algorithm>
#include <limits>
#include <map>

namespace convoy {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();
// Less is noise, and a mix may take more memory.
constexpr double kWorthMixing = 0.97;
// What takes this much longer than another may yet be the faster one. A short step can have been
// measured while other work had half of its cores; it costs little to ask twice more.
constexpr double kClose = 1.2, kCloseIfShort = 2.5;
constexpr double kShortMs = 20.0;

class Search {
 public:
  Search(const PassCandidates& candidates, const MeasureStep& measure)
      : candidates_(candidates), measure_(measure) {}

  PassNames run() {
    for (const std::vector<std::string>& of_pass : candidates_)
      for (const std::string& name : of_pass) try_names(wherever_possible(name));
    const std::vector<PassNames> alone = tried_;
    for (int again = best_ms_ < kShortMs ? 2 : 1; again > 0; --again)
      for (const PassNames& names : alone)
        if (is_close_to_another(names)) measure(names);
    double to_beat = kWorthMixing * best_ms_;
    for (const PassNames& mix : mixes()) {
      if (bound(mix) >= to_beat) break;
      if (try_names(mix, to_beat)) to_beat = best_ms_;
    }
    return best_;
  }

 private:
  PassNames wherever_possible(const std::string& name) const {
    PassNames names;
    for (std::size_t pass = 0; pass < names.size(); ++pass) {
      const auto& all = candidates_[pass];
      if (all.empty()) continue;
      names[pass] = std::ranges::find(all, name) != all.end() ? name : all.front();
    }
    return names;
  }

  // Whether in some pass it is among several that took about the least time.
  bool is_close_to_another(const PassNames& names) const {
    const double close = best_ms_ < kShortMs ? kCloseIfShort : kClose;
    for (std::size_t pass = 0; pass < names.size(); ++pass) {
      const auto& all = pass_ms_[pass];
      double least = kNever;
      for (const auto& [name, ms] : all) least = std::min(least, ms);
      const auto is_close = [&](const auto& known) { return known.second <= close * least; };
      const auto own = all.find(names[pass]);
      if (own != all.end() && is_close(*own) && std::ranges::count_if(all, is_close) > 1)
        return true;
    }
    return false;
  }

  bool try_names(const PassNames& names, double to_beat = kNever) {
    if (std::ranges::find(tried_, names) != tried_.end()) return false;
    tried_.push_back(names);
    return measure(names, to_beat);
  }

  // Whether it is the best so far, by being faster than `to_beat`.
  bool measure(const PassNames& names, double to_beat = kNever) {
    const auto times = measure_(names, best_ms_);
    if (!times) return false;
    for (std::size_t pass = 0; pass < names.size(); ++pass) {
      double& least = pass_ms_[pass].emplace(names[pass], kNever).first->second;
      least = std::min(least, times->pass_ms[pass]);
    }
    if (times->step_ms >= std::min(best_ms_, to_beat)) return false;
    best_ = names;
    best_ms_ = times->step_ms;
    return true;
  }

  // What a step takes at least.
  double bound(const PassNames& names) const {
    double sum = 0.0;
    for (std::size_t pass = 0; pass < names.size(); ++pass) {
      const auto known = pass_ms_[pass].find(names[pass]);
      sum += known == pass_ms_[pass].end() ? kNever : known->second;
    }
    return sum;
  }

  // All of them, the most promising first.
  std::vector<PassNames> mixes() const {
    std::vector<PassNames> all = {{}};
    for (std::size_t pass = 0; pass < candidates_.size(); ++pass) {
      if (candidates_[pass].empty()) continue;
      std::vector<PassNames> longer;
      for (PassNames names : all)
        for (const std::string& name : candidates_[pass]) {
          names[pass] = name;
          longer.push_back(names);
        }
      all = std::move(longer);
    }
    std::ranges::stable_sort(all, {}, [this](const PassNames& names) { return bound(names); });
    return all;
  }

  const PassCandidates& candidates_;
  const MeasureStep& measure_;
  std::vector<PassNames> tried_;
  std::array<std::map<std::string, double>, 3> pass_ms_;  // the least of each candidate
  PassNames best_;
  double best_ms_ = kNever;
};

}  // namespace

PassNames fastest_names(const PassCandidates& candidates, const MeasureStep& measure) {
  return Search(candidates, measure).run();
}

}  // namespace convoy
