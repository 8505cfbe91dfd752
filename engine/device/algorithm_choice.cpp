#include "engine/device/algorithm_choice.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include "engine/device/conv_step.h"

namespace convoy {
namespace {

// Estimates come from models that were measured on another machine; what they put this far behind
// the best has never been the fastest.
constexpr double kWorthATrial = 3.0;
// How much a remembered problem's number of kernels may differ: where a measurement would decide
// otherwise, and where only an estimate would.
constexpr double kNearWhenMeasuring = 1.1, kNear = 2.0;

using Candidates = std::vector<const ConvAlgorithm*>;  // the least estimated time first

std::string all_names() {
  std::string names;
  for (const ConvAlgorithm* algorithm : conv_algorithms())
    names += (names.empty() ? "" : ", ") + std::string(algorithm->name());
  return names;
}

const ConvAlgorithm& algorithm_named(const std::string& name) {
  if (const ConvAlgorithm* algorithm = find_conv_algorithm(name)) return *algorithm;
  throw Error(ErrorKind::kUsage, "algorithm",
              "there is no convolution algorithm \"" + name + "\"; choose one of " + all_names());
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
    const bool needed = pass != Pass::kBackwardData || options_.needs_grad_input;
    if (options_.measure && needed) to_measure_.push_back(pass);
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

  // A choice stands as long as there is nothing new to choose from.
  ConvChoiceKey key(Pass pass, bool limited) const {
    return {problem_,
            pass,
            device_.compute_units,
            limited ? options_.scratch_limit : 0,
            device_.name,
            std::string("Convoy ") + CONVOY_VERSION + " (" + all_names() + "), " + device_.backend +
                ", " + device_.driver};
  }

  // The candidates of any pass: one that is none in one pass may be the best in another.
  Candidates all_to_measure() {
    Candidates all;
    for (const Pass pass : to_measure_)
      for (const ConvAlgorithm* algorithm : candidates(pass))
        if (std::find(all.begin(), all.end(), algorithm) == all.end()) all.push_back(algorithm);
    return all;
  }

  // Times each candidate, the most promising first, in a whole step, so that a transform that
  // passes share counts once.
  void measure(const MakeConv& make_conv) {
    ConvStep step(problem_);
    std::array<double, 3> least_ms;
    least_ms.fill(std::numeric_limits<double>::infinity());
    AlgorithmChoices winners = choices_;
    for (const ConvAlgorithm* algorithm : all_to_measure()) {
      std::vector<Pass> passes;
      std::array<std::string, 3> names;
      for (const Pass pass : kAllPasses) {
        const bool tried =
            std::find(to_measure_.begin(), to_measure_.end(), pass) != to_measure_.end() &&
            is_candidate(pass, algorithm);
        if (tried) passes.push_back(pass);
        names[static_cast<std::size_t>(pass)] =
            (tried ? algorithm : choice(pass).algorithm)->name();
      }
      const auto conv = make_conv(names);
      const std::array<double, 3> ms = least_times(*conv, step, passes, least_ms);
      for (const Pass pass : passes) {
        const auto i = static_cast<std::size_t>(pass);
        if (ms[i] >= least_ms[i]) continue;
        least_ms[i] = ms[i];
        winners[i].algorithm = algorithm;
      }
    }
    for (const Pass pass : to_measure_) {
      const ConvAlgorithm* winner = winners[static_cast<std::size_t>(pass)].algorithm;
      const ConvAlgorithm* agreed =
          find_conv_algorithm(remembered_.remember(key(pass, is_limited(pass)), winner->name()));
      choice(pass) = {agreed && is_candidate(pass, agreed) ? agreed : winner,
                      ChosenBy::kMeasurement};
    }
  }

  // One run to warm up, then the least of three, or of more where they are over at once. Ends early
  // when the algorithm is far behind the best in each of these passes.
  std::array<double, 3> least_times(DeviceConv& conv, ConvStep& step,
                                    const std::vector<Pass>& passes,
                                    const std::array<double, 3>& best_ms) const {
    constexpr int kRuns = 3, kMostRuns = 20;
    constexpr double kEnoughMs = 10.0, kLongMs = 5000.0;
    // A first run touches memory for the first time; in a long one that matters less.
    constexpr double kWarmUpMs = 100.0, kHopelessWarmUp = 3.0, kHopeless = 2.0;
    const auto run = [&] { return step.run(conv, options_.needs_grad_input, options_.stop); };
    const auto sum = [](const std::array<double, 3>& ms) { return ms[0] + ms[1] + ms[2]; };
    const auto behind = [&](const std::array<double, 3>& ms, double factor) {
      return std::all_of(passes.begin(), passes.end(), [&](Pass pass) {
        const auto i = static_cast<std::size_t>(pass);
        return ms[i] > factor * best_ms[i];
      });
    };
    std::array<double, 3> least = run();
    const double first_ms = sum(least);
    if (first_ms > kLongMs || (first_ms > kWarmUpMs && behind(least, kHopelessWarmUp)))
      return least;
    least.fill(std::numeric_limits<double>::infinity());
    double total_ms = 0.0;
    for (int i = 0; i < kMostRuns && (i < kRuns || total_ms < kEnoughMs); ++i) {
      const std::array<double, 3> ms = run();
      total_ms += sum(ms);
      for (std::size_t pass = 0; pass < 3; ++pass) least[pass] = std::min(least[pass], ms[pass]);
      if (behind(least, kHopeless)) break;
    }
    return least;
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
