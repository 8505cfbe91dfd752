#include "engine/device/opencl_choice.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "engine/conv/conv_algorithm.h"
#include "engine/device/conv_sources.h"
#include "engine/device/conv_step.h"
#include "engine/device/mix_choice.h"
#include "engine/device/opencl_fft_conv.h"
#include "engine/device/opencl_im2col_conv.h"
#include "engine/device/opencl_mixed_conv.h"

namespace convoy {
namespace {

// As for a CPU; see algorithm_choice.cpp.
constexpr double kWorthATrial = 3.0;
constexpr double kNearWhenMeasuring = 1.1, kNear = 2.0;
// How much longer than by the CPU's own code, beside im2col's, transforms take here (on PoCL).
constexpr double kSlowerTransforms = 2.0;
// CLBlast's products and the tiled ones; nothing else suits a GPU.
constexpr std::size_t kProductsOfGpu = 2;

struct Name {
  std::string domain, product;  // "fft", "vector"
  std::string text() const { return domain + "+" + product; }
};

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

class Chooser {
 public:
  Chooser(const std::shared_ptr<OpenClContext>& context, const DeviceInfo& device,
          const ConvProblem& problem, const OpenClLimits& limits, const DeviceConvOptions& options,
          ConvChoices& remembered)
      : context_(context),
        device_(device),
        problem_(problem),
        limits_(limits),
        options_(options),
        remembered_(remembered) {
    if (options.pooling) pooling_ = make_opencl_pooling(context, problem, limits);
  }

  std::unique_ptr<DeviceConv> choose() {
    for (const Pass pass : needed_passes()) {
      const std::string& own = options_.algorithms[index(pass)];
      const std::string& asked = own.empty() ? options_.algorithm : own;
      if (!asked.empty()) settle(pass, named(asked), ChosenBy::kName);
    }
    if (!open_passes().empty()) {
      find_candidates();
      for (const Pass pass : open_passes())
        if (candidates(pass).size() == 1)
          settle(pass, candidates(pass).front(), ChosenBy::kNecessity);
    }
    if (!open_passes().empty()) use_what_is_remembered();
    if (!open_passes().empty()) options_.measure ? measure() : estimate();
    if (!is_any_named() && !make_if_it_fits(chosen_names())) use_one_that_fits();
    if (!options_.needs_grad_input) choice(Pass::kBackwardData) = choice(Pass::kForward);
    return make(chosen_names(), [this](Pass pass) { return choice(pass).chosen_by; });
  }

 private:
  struct Choice {
    std::string name;  // empty: open
    ChosenBy chosen_by = ChosenBy::kNecessity;
  };
  // "im2col" or "fft", and the seconds that each open pass is estimated to take; nothing where it
  // does not serve the pass, or less accurately than direct sums.
  struct Domain {
    std::string name;
    std::array<std::optional<double>, 3> seconds;
    std::vector<std::string> algorithms = {};  // that work and fit
    bool looked_for = false;
  };

  static std::size_t index(Pass pass) { return static_cast<std::size_t>(pass); }
  Choice& choice(Pass pass) { return choices_[index(pass)]; }
  std::vector<std::string>& candidates(Pass pass) { return candidates_[index(pass)]; }
  void settle(Pass pass, const std::string& name, ChosenBy chosen_by) {
    choice(pass) = {name, chosen_by};
  }

  std::vector<Pass> needed_passes() const {
    std::vector<Pass> passes;
    for (const Pass pass : kAllPasses)
      if (pass != Pass::kBackwardData || options_.needs_grad_input) passes.push_back(pass);
    return passes;
  }
  std::vector<Pass> open_passes() const {
    std::vector<Pass> passes = needed_passes();
    std::erase_if(passes, [&](Pass pass) { return !choices_[index(pass)].name.empty(); });
    return passes;
  }
  bool is_candidate(Pass pass, const std::string& name) const {
    const auto& all = candidates_[index(pass)];
    return std::ranges::find(all, name) != all.end();
  }
  PassNames chosen_names() const { return {choices_[0].name, choices_[1].name, choices_[2].name}; }

  std::string fault(const Name& name) const {
    const bool is_fft = name.domain == "fft";
    const std::string of_product = checked_product(name.product, *context_, is_fft ? 3 : 1);
    if (!of_product.empty()) return of_product;
    return (is_fft ? checked_fft : checked_im2col)(name.product, problem_, limits_, context_);
  }

  std::string named(const std::string& asked) const {
    std::vector<std::string> faults;
    for (const std::string domain : {"im2col", "fft"})
      for (const std::string& product : product_names(device_.kind)) {
        const Name name{domain, product};
        if (asked != name.text() && asked != domain) continue;
        const std::string wrong = fault(name);
        if (wrong.empty()) return name.text();
        faults.push_back(name.text() + ": " + wrong);
      }
    if (!faults.empty())
      throw Error(ErrorKind::kDevice, device_.id,
                  "algorithm " + asked + " does not work on this device: " + joined(faults));
    throw Error(ErrorKind::kUsage, device_.id,
                "there is no algorithm \"" + asked + "\"; an OpenCL device has " +
                    joined(opencl_algorithm_names(device_.kind)));
  }

  std::unique_ptr<OpenClConv> make_one(const std::string& algorithm,
                                       const OpenClLimits& limits) const {
    const std::size_t plus = algorithm.find('+');
    const std::string product = algorithm.substr(plus + 1);
    if (algorithm.substr(0, plus) == "fft")
      return std::make_unique<OpenClFftConv>(context_, problem_, product, limits,
                                             ChosenBy::kNecessity, pooling_);
    return std::make_unique<OpenClIm2colConv>(context_, problem_, product, limits,
                                              ChosenBy::kNecessity, pooling_);
  }

  // A pass without a name, which is never run, goes with forward.
  template <class ChosenByOf>
  std::unique_ptr<DeviceConv> make(PassNames names, const ChosenByOf& chosen_by) const {
    for (std::string& name : names)
      if (name.empty()) name = names[index(Pass::kForward)];
    if (names[1] == names[0] && names[2] == names[0]) {
      auto conv = make_one(names[0], limits_);
      for (const Pass pass : kAllPasses) conv->set_chosen_by(pass, chosen_by(pass));
      return conv;
    }
    auto mixed = std::make_unique<OpenClMixedConv>(
        names, limits_, [this](const std::string& name, const OpenClLimits& limits) {
          return make_one(name, limits);
        });
    for (const Pass pass : kAllPasses) mixed->of(pass).set_chosen_by(pass, chosen_by(pass));
    return mixed;
  }
  // Null where it does not fit.
  std::unique_ptr<DeviceConv> make_if_it_fits(const PassNames& names) const {
    try {
      return make(names, [](Pass) { return ChosenBy::kMeasurement; });
    } catch (const OutOfDeviceMemory&) {
      throw;
    } catch (const DeviceUnavailable&) {
      throw;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kDevice) throw;
      return nullptr;
    }
  }

  // By the model of the CPU's algorithm, which takes `factor` times as long here.
  Domain estimated(const char* name, const char* cpu_algorithm, double factor) const {
    Domain domain{name, {}};
    const ConvAlgorithm& algorithm = *find_conv_algorithm(cpu_algorithm);
    for (const Pass pass : open_passes())
      if (algorithm.supports(problem_, pass) && algorithm.is_accurate(problem_, pass))
        domain.seconds[index(pass)] =
            factor * algorithm.estimated_seconds(problem_, pass, device_.compute_units);
    return domain;
  }

  void find_candidates() {
    std::vector<Domain> domains = {estimated("im2col", "gemm", 1.0),
                                   estimated("fft", "fft", kSlowerTransforms)};
    // A CPU's transforms reshape what has a larger stride.
    if (problem_.stride_height != 1 || problem_.stride_width != 1) domains[1].seconds = {};
    constexpr double kNever = std::numeric_limits<double>::infinity();
    std::ranges::stable_sort(domains, {}, [&](const Domain& domain) {
      double sum = 0.0;
      for (const Pass pass : open_passes()) sum += domain.seconds[index(pass)].value_or(kNever);
      return sum;
    });
    std::vector<std::string> reasons;
    // What is far behind is not even looked for, unless all else does not work or fit.
    for (const bool desperate : {false, true}) {
      for (Domain& domain : domains) {
        const bool serves =
            std::ranges::any_of(domain.seconds, [](auto s) { return s.has_value(); });
        if (domain.looked_for || !serves || !(desperate || has_a_chance(domain, domains))) continue;
        domain.looked_for = true;
        domain.algorithms = algorithms_that_fit(domain.name, &reasons);
      }
      if (fill_candidates(domains)) return;
    }
    throw Error(ErrorKind::kDevice, "", joined(reasons));
  }

  // Estimates know nothing of limits, and take a CPU's word for a GPU: they only rule out.
  static bool is_worth_a_trial(const Domain& domain, Pass pass, const std::vector<Domain>& rivals) {
    const auto& seconds = domain.seconds[index(pass)];
    return seconds && std::ranges::all_of(rivals, [&](const Domain& rival) {
             const auto& of_rival = rival.seconds[index(pass)];
             const bool is_there = !rival.looked_for || !rival.algorithms.empty();
             return !of_rival || !is_there || *seconds <= kWorthATrial * *of_rival;
           });
  }
  bool has_a_chance(const Domain& domain, const std::vector<Domain>& rivals) const {
    return std::ranges::any_of(open_passes(),
                               [&](Pass pass) { return is_worth_a_trial(domain, pass, rivals); });
  }
  // Whether each open pass has one.
  bool fill_candidates(const std::vector<Domain>& domains) {
    for (const Pass pass : open_passes()) {
      candidates(pass).clear();
      for (const Domain& domain : domains)
        if (is_worth_a_trial(domain, pass, domains))
          candidates(pass).insert(candidates(pass).end(), domain.algorithms.begin(),
                                  domain.algorithms.end());
    }
    return std::ranges::none_of(open_passes(), [&](Pass pass) { return candidates(pass).empty(); });
  }

  // The first that are right, as far as they fit.
  std::vector<std::string> algorithms_that_fit(const std::string& domain,
                                               std::vector<std::string>* reasons) const {
    std::vector<std::string> algorithms;
    std::size_t left = device_.kind == DeviceKind::kCpu ? 1 : kProductsOfGpu;
    for (const std::string& product : product_names(device_.kind)) {
      if (left == 0) break;
      const Name name{domain, product};
      const std::string wrong = fault(name);
      if (!wrong.empty()) {
        reasons->push_back(name.text() + ": " + wrong);
        continue;
      }
      --left;
      try {
        make_one(name.text(), limits_);
        algorithms.push_back(name.text());
      } catch (const Error& error) {
        if (error.kind() != ErrorKind::kDevice) throw;
        reasons->push_back(error.what());
      }
    }
    return algorithms;
  }

  ConvChoiceKey key(Pass pass) const {
    return {problem_,
            pass,
            device_.compute_units,
            options_.scratch_limit,
            device_.name,
            std::string("Convoy ") + CONVOY_VERSION + " " + std::string(conv_sources_hash()) +
                ", " + device_.backend + ", " + device_.driver};
  }

  void use_what_is_remembered() {
    const std::array<Choice, 3> before = choices_;
    for (const Pass pass : open_passes()) {
      const auto known = remembered_.find(key(pass), options_.measure ? kNearWhenMeasuring : kNear);
      if (known && is_candidate(pass, *known)) settle(pass, *known, ChosenBy::kMemory);
    }
    if (open_passes().empty() && !make_if_it_fits(chosen_names())) choices_ = before;
  }

  // One algorithm for all open passes, if there is one that may do them all: what a mix would cost
  // is not estimated.
  void estimate() {
    const std::vector<Pass> open = open_passes();
    std::string for_all;
    for (const std::string& name : candidates(open.front()))
      if (for_all.empty() && std::ranges::all_of(needed_passes(), [&](Pass pass) {
            return candidates(pass).empty() || is_candidate(pass, name);
          }))
        for_all = name;
    for (const Pass pass : open)
      settle(pass, for_all.empty() ? candidates(pass).front() : for_all, ChosenBy::kEstimate);
  }

  // Mixes take more memory. What is never ruled out but for its speed:
  void use_one_that_fits() {
    std::vector<std::string> reasons;
    const std::vector<std::string> algorithms = algorithms_that_fit("im2col", &reasons);
    if (algorithms.empty()) return;
    for (const Pass pass : needed_passes()) settle(pass, algorithms.front(), ChosenBy::kNecessity);
  }

  void measure() {
    const std::vector<Pass> open = open_passes();
    PassCandidates tried;
    for (const Pass pass : needed_passes())
      tried[index(pass)] =
          choice(pass).name.empty() ? candidates(pass) : std::vector{choice(pass).name};
    ConvStep step(problem_);
    const PassNames fastest = fastest_names(
        tried, [&](const PassNames& names, double best_ms) -> std::optional<StepTimes> {
          const auto conv = make_if_it_fits(names);
          if (!conv) return std::nullopt;
          return step.least_times(*conv, options_.needs_grad_input, options_.stop, best_ms);
        });
    if (fastest[index(Pass::kForward)].empty()) return estimate();  // nothing fits beside a name
    std::vector<ConvChoiceKey> keys;
    std::vector<std::string> names;
    for (const Pass pass : open) {
      keys.push_back(key(pass));
      names.push_back(fastest[index(pass)]);
    }
    if (!is_any_named()) {
      const std::vector<std::string> agreed = remembered_.remember(keys, names);
      for (std::size_t i = 0; i < open.size(); ++i)
        if (is_candidate(open[i], agreed[i])) names[i] = agreed[i];
    }
    for (std::size_t i = 0; i < open.size(); ++i) settle(open[i], names[i], ChosenBy::kMeasurement);
  }

  // What is fastest beside a name is not the fastest.
  bool is_any_named() const {
    return std::ranges::any_of(choices_, [](const Choice& choice) {
      return !choice.name.empty() && choice.chosen_by == ChosenBy::kName;
    });
  }

  const std::shared_ptr<OpenClContext>& context_;
  const DeviceInfo& device_;
  const ConvProblem& problem_;
  const OpenClLimits& limits_;
  const DeviceConvOptions& options_;
  ConvChoices& remembered_;
  std::shared_ptr<OpenClPooling> pooling_;  // null where the device does not pool
  std::array<Choice, 3> choices_;           // by pass, in the order of kAllPasses
  PassCandidates candidates_;               // of those that were open
};

}  // namespace

std::vector<std::string> opencl_algorithm_names(DeviceKind kind) {
  std::vector<std::string> names;
  for (const std::string domain : {"im2col", "fft"})
    for (const std::string& product : product_names(kind)) names.push_back(domain + "+" + product);
  return names;
}

std::unique_ptr<DeviceConv> make_opencl_conv(const std::shared_ptr<OpenClContext>& context,
                                             const DeviceInfo& device, const ConvProblem& problem,
                                             const OpenClLimits& limits,
                                             const DeviceConvOptions& options,
                                             ConvChoices& remembered) {
  return Chooser(context, device, problem, limits, options, remembered).choose();
}

}  // namespace convoy
