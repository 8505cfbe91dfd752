// A training on devices that a test can break, and what it leaves.
#pragma once

#include <QTest>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine/cluster/in_process_worker.h"
#include "engine/cluster/quarantine.h"
#include "engine/training/trainer.h"
#include "tests/cluster/faulty_device.h"
#include "tests/device/cpu_id.h"
#include "tests/training/small_run.h"

namespace convoy {

constexpr int kSteps = 5;  // unless a test asks for more

// A training on `devices` devices that a test can break.
class Bench {
 public:
  explicit Bench(std::size_t devices, const DistributionOptions& options = {},
                 const LinkSettings& link = {}, int length = kSteps, int batch = 8) {
    Experiment experiment = small_experiment({7, 10}, batch, length);
    experiment.training.sgd.momentum = 0.9;
    experiment.devices = {device_on(cpu_id(0), "A")};
    experiment.distribution.shares = ShareMode::kEqual;
    setup = prepare_run(experiment, control, listeners);
    setup.experiment.distribution.options = options;
    setup.devices.members.clear();  // the pool stays, with the device that has it
    host = open_device(cpu_id(0));
    setup.devices.master_pool = host->host_pool();
    setup.experiment.devices.clear();
    setup.devices.described.clear();
    for (std::size_t i = 0; i < devices; ++i) {
      const std::string name(1, static_cast<char>('A' + i));
      faults.push_back(std::make_shared<Faults>());
      auto device = std::make_unique<FaultyDevice>(open_device(cpu_id(i)), faults.back());
      setup.devices.described.push_back({name, device->info(), 1.0, std::nullopt});
      setup.devices.members.push_back({std::move(device), link});
      setup.experiment.devices.push_back(device_on(cpu_id(i), name));
    }
    setup.policy = {false, std::vector<double>(devices, 1.0 / static_cast<double>(devices))};
    // A hang is certain, not a matter of time.
    setup.overdue = [hung = faults](int device, const WorkerCommand&, SteadyClock::duration) {
      return hung[static_cast<std::size_t>(device)]->hanging();
    };
    cluster = std::make_unique<Cluster>(std::move(setup.devices.members), &control.stop_token());
    cluster->set_overdue(setup.overdue);
    ClusterPlan plan;
    for (const ConvProblem& problem : setup.problems) {
      LayerPlan layer;
      layer.problem = problem;
      layer.needs_grad_input = !plan.layers.empty();
      layer.split = options.split;
      layer.measured_counts.assign(devices, 1);
      layer.measured.resize(devices);
      layer.cost.assign(devices, {0.0, 1.0});
      layer.set_counts(share_out(layer, setup.policy, std::vector<bool>(devices, true)));
      plan.layers.push_back(layer);
    }
    first_plan = plan;
  }
  ~Bench() {
    for (const auto& fault : faults) fault->release();
    trainer.reset();
    cluster.reset();
    while (threads_left_behind() > 0) std::this_thread::yield();
  }

  void begin() { trainer = std::make_unique<Trainer>(setup, *cluster, first_plan, listeners); }
  double step() { return trainer->step(++steps, std::nullopt).loss; }

  RunRecorder events;
  RunListeners listeners{{&events}};
  RunControl control;
  RunSetup setup;
  std::unique_ptr<Device> host;
  std::vector<std::shared_ptr<Faults>> faults;  // [device]
  std::unique_ptr<Cluster> cluster;
  ClusterPlan first_plan;
  std::unique_ptr<Trainer> trainer;
  int steps = 0;
};

// What a training leaves, to the bit.
struct Outcome {
  std::vector<double> losses;
  Parameters parameters;
  double accuracy = 0.0;
};

inline bool same(const FloatBuffer& a, const FloatBuffer& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

inline bool same(const Parameters& a, const Parameters& b) {
  for (std::size_t i = 0; i < a.conv.size(); ++i)
    if (!same(a.conv[i].weight, b.conv[i].weight) || !same(a.conv[i].bias, b.conv[i].bias))
      return false;
  return same(a.fc_weight, b.fc_weight) && same(a.fc_bias, b.fc_bias);
}

inline Outcome undisturbed(std::size_t devices, const DistributionOptions& options = {},
                           int length = kSteps) {
  Bench bench(devices, options, {}, length);
  bench.begin();
  Outcome outcome;
  for (int i = 0; i < length; ++i) outcome.losses.push_back(bench.step());
  outcome.accuracy = bench.trainer->test_accuracy([](int, int) {});
  outcome.parameters = bench.trainer->parameters().copy();
  return outcome;
}

inline int kernels_of(const RunShares& shares, std::size_t device) {
  int sum = 0;
  for (const auto& layer : shares.kernels) sum += layer[device];
  return sum;
}

inline const char* fault_name(Fault fault) {
  return fault == Fault::kThrow ? "throws" : fault == Fault::kHang ? "hangs" : "has no memory";
}
inline const char* call_name(Call call) {
  switch (call) {
    case Call::kMakeConv:
      return "set-up";
    case Call::kForward:
      return "forward";
    case Call::kBackwardWeights:
      return "backward-weights";
    case Call::kBackwardData:
      return "backward-data";
    case Call::kForEach:
      break;
  }
  return "work beside the convolutions";
}

}  // namespace convoy
