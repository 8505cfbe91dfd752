#include "engine/device/algorithm_choice.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include "engine/device/conv_sources.h"
#include "engine/device/conv_step.h"
#include "engine/device/mix_choice.h"

namespace convoy {
namespace {

// Estimates come from models that were measured on another machine; what they put this far behind
// the best has never been the fastest.
constexpr double kWorthATrial = 3.0;
// How much a remembered problem's number of kernels may differ: where a measurement would decide
// otherwise, and where only an estimate would.
constexpr double kNearWhenMeasuring = 1.1, kNear = 2.0;

using Candidates = std::vector<const ConvAlgorithm*>;  // the least estimated time first

template <class Wanted>
std::string names_of(const Wanted& wanted) {
  std::string names;
  for (const ConvAlgorithm* algorithm : conv_algorithms())
    if (wanted(*algorithm)) names += (names.empty() ? "" : ", ") + std::string(algorithm->name());
  return names;
}

const ConvAlgorithm& algorithm_named(const std::string& name) {
  if (const ConvAlgorithm* algorithm = find_conv_algorithm(name)) return *algorithm;
  throw Error(ErrorKind::kUsage, "algorithm",
              "there is no convolution algorithm \"" + name + "\"; choose one of " +
                  names_of([](const ConvAlgorithm&) { return true; }));
}

[[noreturn]] void refuse(const DeviceInfo& device, const ConvProblem& problem, Pass pass,
                         const std::string& who, std::size_t limit) {
  throw Error(ErrorKind::kDevice, device.id,
              who + " do " + pass_name(pass) + " of " + problem.describe() + " within " +
                  std::to_string(limit) +
                  " bytes of scratch memory; allow more, or choose another algorithm");
}

class Chooser {
 public:
  Chooser(const DeviceInfo& device, const ConvProblem& problem, const DeviceConvOptions& options,
          ConvChoices& remembered)
      : device_(device), problem_(problem), options_(options), remembered_(remembered) {}

  AlgorithmChoices choose(const MakeConv& make_conv) {
    for (const Pass pass : kAllPasses) choose_without_measuring(pass);
    if (!to_measure_.empty()) measure(make_conv);
    return choices_;
  }

 private:
  AlgorithmChoice& choice(Pass pass) { return choices_[static_cast<std::size_t>(pass)]; }
  Candidates& candidates(Pass pass) { return candidates_[static_cast<std::size_t>(pass)]; }
  std::string names_for(Pass pass) const {
    return names_of([&](const ConvAlgorithm& a) { return a.supports(problem_, pass); });
  }
  bool is_candidate(Pass pass, const ConvAlgorithm* algorithm) {
    const Candidates& all = candidates(pass);
    return std::find(all.begin(), all.end(), algorithm) != all.end();
  }

  // Bytes that the algorithm's plan would use, if there is one.
  std::optional<std::size_t> scratch(const ConvAlgorithm& algorithm, Pass pass,
                                     std::size_t limit) const {
    if (!algorithm.supports(problem_, pass)) return std::nullopt;
    const auto plan = algorithm.plan(problem_, pass, device_.compute_units, limit);
    return plan ? std::optional(plan->scratch_bytes()) : std::nullopt;
  }

  void choose_without_measuring(Pass pass) {
    const std::string& own_name = options_.algorithms[static_cast<std::size_t>(pass)];
    const std::string& name = own_name.empty() ? options_.algorithm : own_name;
    if (!name.empty()) {
      const ConvAlgorithm& algorithm = algorithm_named(name);
      if (!scratch(algorithm, pass, options_.scratch_limit))
        refuse(device_, problem_, pass, "the algorithm \"" + name + "\" cannot",
               options_.scratch_limit);
      choice(pass) = {&algorithm, ChosenBy::kName};
      return;
    }
    const bool limited = is_limited(pass);
    find_candidates(pass, limited);
    const Candidates& all = candidates(pass);
    choice(pass) = {all.front(), ChosenBy::kNecessity};
    if (all.size() == 1) return;
    const auto known =
        remembered_.find(key(pass, limited), options_.measure ? kNearWhenMeasuring : kNear);
    const ConvAlgorithm* const algorithm = known ? find_conv_algorithm(*known) : nullptr;
    if (algorithm && is_candidate(pass, algorithm)) {
      choice(pass) = {algorithm, ChosenBy::kMemory};
      return;
    }
    choice(pass).chosen_by = ChosenBy::kEstimate;
    if (options_.measure && is_needed(pass)) to_measure_.push_back(pass);
  }

  bool is_needed(Pass pass) const {
    return pass != Pass::kBackwardData || options_.needs_grad_input;
  }

  // Whether any plan has to make do with less scratch than it would use.
  bool is_limited(Pass pass) const {
    constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max() / 2;
    return std::any_of(conv_algorithms().begin(), conv_algorithms().end(), [&](const auto* a) {
      return scratch(*a, pass, options_.scratch_limit) != scratch(*a, pass, kNoLimit);
    });
  }

  void find_candidates(Pass pass, bool limited) {
    Candidates& all = candidates(pass);
    double least = 0.0;
    for (const ConvAlgorithm* algorithm :
         ranked_conv_algorithms(problem_, pass, device_.compute_units)) {
      // The plain reference, the last of all, is there to be compared with, not to be used.
      if (!all.empty() && algorithm == conv_algorithms().back()) continue;
      const double seconds = algorithm->estimated_seconds(problem_, pass, device_.compute_units);
      // Estimates know nothing of limits.
      if (!all.empty() && !limited && seconds > kWorthATrial * least) break;
      if (!scratch(*algorithm, pass, options_.scratch_limit)) continue;
      if (all.empty()) least = seconds;
      all.push_back(algorithm);
    }
    if (all.empty()) refuse(device_, problem_, pass, "no algorithm can", options_.scratch_limit);
  }

  // A choice stands as long as there is nothing new to choose from for this problem and pass.
  ConvChoiceKey key(Pass pass, bool limited) const {
    return {problem_,
            pass,
            device_.compute_units,
            limited ? options_.scratch_limit : 0,
            device_.name,
            std::string("Convoy ") + CONVOY_VERSION + " " + std::string(conv_sources_hash()) +
                " (" + names_for(pass) + "), " + device_.backend + ", " + device_.driver};
  }

  // Whole steps compete, as passes by the same algorithm share what they make of an operand.
  void measure(const MakeConv& make_conv) {
    PassCandidates tried;
    for (const Pass pass : kAllPasses) {
      std::vector<std::string>& names = tried[static_cast<std::size_t>(pass)];
      if (std::ranges::find(to_measure_, pass) != to_measure_.end())
        for (const ConvAlgorithm* algorithm : candidates(pass)) names.push_back(algorithm->name());
      else if (is_needed(pass))
        names.push_back(choice(pass).algorithm->name());
    }
    ConvStep step(problem_);
    const PassNames fastest = fastest_names(tried, [&](PassNames names, double best_ms) {
      for (const Pass pass : kAllPasses) {
        std::string& name = names[static_cast<std::size_t>(pass)];
        if (name.empty()) name = choice(pass).algorithm->name();  // is never run
      }
      const auto conv = make_conv(names);
      return std::optional(
          step.least_times(*conv, options_.needs_grad_input, options_.stop, best_ms));
    });
    for (const Pass pass : to_measure_) {
      const std::string& winner = fastest[static_cast<std::size_t>(pass)];
      const ConvAlgorithm* agreed =
          find_conv_algorithm(remembered_.remember(key(pass, is_limited(pass)), winner));
      choice(pass) = {agreed && is_candidate(pass, agreed) ? agreed : find_conv_algorithm(winner),
                      ChosenBy::kMeasurement};
    }
  }

  const DeviceInfo& device_;
  const ConvProblem& problem_;
  const DeviceConvOptions& options_;
  ConvChoices& remembered_;
  AlgorithmChoices choices_;
  std::array<Candidates, 3> candidates_;
  std::vector<Pass> to_measure_;
};

}  // namespace

const char* chosen_by_name(ChosenBy chosen_by) {
  switch (chosen_by) {
    case ChosenBy::kNecessity:
      return "necessity";
    case ChosenBy::kName:
      return "name";
    case ChosenBy::kEstimate:
      return "estimate";
    case ChosenBy::kMeasurement:
      return "measurement";
    case ChosenBy::kMemory:
      break;
  }
  return "memory";
}

AlgorithmChoices choose_algorithms(const DeviceInfo& device, const ConvProblem& problem,
                                   const DeviceConvOptions& options, ConvChoices& remembered,
                                   const MakeConv& make_conv) {
  return Chooser(device, problem, options, remembered).choose(make_conv);
}

}  // namespace convoy
