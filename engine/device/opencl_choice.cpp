#include "engine/device/opencl_choice.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "engine/conv/conv_algorithm.h"
#include "engine/conv/timeline.h"
#include "engine/device/conv_step.h"
#include "engine/device/opencl_fft_conv.h"
#include "engine/device/opencl_im2col_conv.h"

namespace convoy {
namespace {

// As for a CPU; see algorithm_choice.cpp.
constexpr double kWorthATrial = 3.0;
constexpr double kNearWhenMeasuring = 1.1, kNear = 2.0;
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

bool needed(Pass pass, const DeviceConvOptions& options) {
  return pass != Pass::kBackwardData || options.needs_grad_input;
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
    const std::string asked = asked_for();
    if (!asked.empty()) return make(named(asked), ChosenBy::kName);
    find_candidates();
    if (candidates_.size() == 1) return make(candidates_.front(), ChosenBy::kNecessity);
    const auto known = remembered_.find(key(), options_.measure ? kNearWhenMeasuring : kNear);
    if (known)
      if (const auto name = candidate(*known)) return make(*name, ChosenBy::kMemory);
    if (!options_.measure) return make(candidates_.front(), ChosenBy::kEstimate);
    const Name fastest = measure();
    const auto agreed = candidate(remembered_.remember(key(), fastest.text()));
    return make(agreed.value_or(fastest), ChosenBy::kMeasurement);
  }

 private:
  std::string asked_for() const {
    std::string name = options_.algorithm;
    for (const std::string& of_pass : options_.algorithms) {
      if (of_pass.empty() || of_pass == name) continue;
      if (!name.empty())
        throw Error(ErrorKind::kDevice, device_.id,
                    "the passes of a layer cannot have different algorithms (\"" + name +
                        "\" and \"" + of_pass + "\") on an OpenCL device");
      name = of_pass;
    }
    return name;
  }

  std::string fault(const Name& name) const {
    const bool is_fft = name.domain == "fft";
    const std::string of_product = checked_product(name.product, *context_, is_fft ? 3 : 1);
    if (!of_product.empty() || !is_fft) return of_product;
    return checked_fft(name.product, problem_, limits_, context_);
  }

  Name named(const std::string& asked) const {
    std::vector<std::string> faults;
    for (const std::string domain : {"im2col", "fft"})
      for (const std::string& product : product_names(device_.kind)) {
        const Name name{domain, product};
        if (asked != name.text() && asked != domain) continue;
        const std::string wrong = fault(name);
        if (wrong.empty()) return name;
        faults.push_back(name.text() + ": " + wrong);
      }
    if (!faults.empty())
      throw Error(ErrorKind::kDevice, device_.id,
                  "algorithm " + asked + " does not work on this device: " + joined(faults));
    throw Error(ErrorKind::kUsage, device_.id,
                "there is no algorithm \"" + asked + "\"; an OpenCL device has " +
                    joined(opencl_algorithm_names(device_.kind)));
  }

  std::unique_ptr<DeviceConv> make(const Name& name, ChosenBy chosen_by) const {
    if (name.domain == "fft")
      return std::make_unique<OpenClFftConv>(context_, problem_, name.product, limits_, chosen_by,
                                             pooling_);
    return std::make_unique<OpenClIm2colConv>(context_, problem_, name.product, limits_, chosen_by,
                                              pooling_);
  }

  // Of all passes that are needed, by the model of the CPU's algorithm; nothing where it does not
  // serve them or would be less accurate than direct sums.
  std::optional<double> estimate(const char* cpu_algorithm) const {
    const ConvAlgorithm& algorithm = *find_conv_algorithm(cpu_algorithm);
    double seconds = 0.0;
    for (const Pass pass : kAllPasses) {
      if (!needed(pass, options_)) continue;
      if (!algorithm.supports(problem_, pass) || !algorithm.is_accurate(problem_, pass))
        return std::nullopt;
      seconds += algorithm.estimated_seconds(problem_, pass, device_.compute_units);
    }
    return seconds;
  }

  // The least estimated time first.
  void find_candidates() {
    std::vector<std::pair<double, std::string>> domains = {{estimate("gemm").value(), "im2col"}};
    if (const auto seconds = estimate("fft")) domains.emplace_back(*seconds, "fft");
    std::sort(domains.begin(), domains.end());
    std::vector<std::string> reasons;
    double least = 0.0;
    for (const auto& [seconds, domain] : domains) {
      // Estimates know nothing of limits, and take a CPU's word for a GPU: they only rule out.
      if (!candidates_.empty() && seconds > kWorthATrial * least) break;
      if (add_candidates(domain, &reasons)) least = seconds;
    }
    if (candidates_.empty()) throw Error(ErrorKind::kDevice, "", joined(reasons));
  }

  // The first that are right, as far as they fit.
  bool add_candidates(const std::string& domain, std::vector<std::string>* reasons) {
    const std::size_t before = candidates_.size();
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
        make(name, ChosenBy::kEstimate);
        candidates_.push_back(name);
      } catch (const Error& error) {
        if (error.kind() != ErrorKind::kDevice) throw;
        reasons->push_back(error.what());
      }
    }
    return candidates_.size() > before;
  }

  std::optional<Name> candidate(const std::string& text) const {
    for (const Name& name : candidates_)
      if (name.text() == text) return name;
    return std::nullopt;
  }

  // A choice counts for the whole step; it is remembered with the first of its passes.
  ConvChoiceKey key() const {
    return {
        problem_,
        Pass::kForward,
        device_.compute_units,
        options_.scratch_limit,
        device_.name,
        std::string("Convoy ") + CONVOY_VERSION + ", " + device_.backend + ", " + device_.driver};
  }

  Name measure() const {
    ConvStep step(problem_);
    double least = std::numeric_limits<double>::infinity();
    Name fastest = candidates_.front();
    for (const Name& name : candidates_) {
      const double ms = least_time(*make(name, ChosenBy::kMeasurement), step, least);
      if (ms >= least) continue;
      least = ms;
      fastest = name;
    }
    return fastest;
  }

  // Milliseconds of a step: one run to warm up, then the least of three, or of more where they are
  // over at once. Ends early when it is far behind the best.
  double least_time(DeviceConv& conv, ConvStep& step, double best_ms) const {
    constexpr int kRuns = 3, kMostRuns = 20;
    constexpr double kEnoughMs = 10.0, kLongMs = 5000.0, kHopeless = 2.0;
    const auto run = [&] {
      const auto ms = step.run(conv, options_.needs_grad_input, options_.stop);
      return ms[0] + ms[1] + ms[2];
    };
    const double first_ms = run();
    if (first_ms > kLongMs) return first_ms;
    double least = std::numeric_limits<double>::infinity(), total = 0.0;
    for (int i = 0; i < kMostRuns && (i < kRuns || total < kEnoughMs); ++i) {
      const double ms = run();
      total += ms;
      least = std::min(least, ms);
      if (ms > kHopeless * best_ms) break;
    }
    return least;
  }

  const std::shared_ptr<OpenClContext>& context_;
  const DeviceInfo& device_;
  const ConvProblem& problem_;
  const OpenClLimits& limits_;
  const DeviceConvOptions& options_;
  ConvChoices& remembered_;
  std::shared_ptr<OpenClPooling> pooling_;  // null where the device does not pool
  std::vector<Name> candidates_;
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
