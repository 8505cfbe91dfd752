// Calibration records with round numbers, and experiments on their devices.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "engine/training/prediction_study.h"

namespace convoy {

// One layer of 8 kernels, 5x5 on 3x32x32, batch 10. Device "cpu:0" takes 10 ms a kernel, "cpu:1"
// the same; the rest takes 20 ms.
inline CalibrationRecord one_layer() {
  CalibrationRecord record;
  record.network = {{{8}, 5, PaddingMode::kValid}, 3, 32, 32, 10};
  record.batch_size = 10;
  CalibrationRecord::LayerTimes layer;
  layer.count = 4;
  layer.ms = {10.0, 0.0, 30.0};
  layer.algorithm = {"gemm", "", "gemm"};
  layer.cost = {0.0, 10.0};
  record.devices = {{"cpu:0", "A", std::nullopt, {layer}}, {"cpu:1", "B", std::nullopt, {layer}}};
  record.baseline_device = 0;
  record.baseline_ms = {{20.0, 0.0, 60.0}};
  record.rest = {{"bias, ReLU, pooling 1", 4.0},
                 {"bias, ReLU, pooling 1 backward", 6.0},
                 {"update", 7.0},
                 {"other", 3.0}};
  return record;
}

inline Experiment one_layer_experiment(std::size_t devices = 2) {
  Experiment experiment;
  experiment.network = {{8}, 5, PaddingMode::kValid};
  experiment.training.batch_size = 10;
  for (std::size_t i = 0; i < devices; ++i)
    experiment.devices.push_back({"cpu:" + std::to_string(i % 2),
                                  std::string(1, static_cast<char>('A' + i)), 1.0, std::nullopt});
  return experiment;
}

// Two layers in the frequency domain: 40 and 80 kernels at batch 64, of which "cpu:0" takes 20 and
// 60 ms alone. Cuts and moving cost something.
inline CalibrationRecord two_layers() {
  CalibrationRecord record;
  record.network = {{{40, 80}, 5, PaddingMode::kValid}, 3, 32, 32, 10};
  record.batch_size = 64;
  CalibrationRecord::LayerTimes first, second;
  first.count = 20;
  first.ms = {4.0, 0.0, 6.0};
  first.algorithm = {"fft", "", "fft"};
  first.cost = {0.0, 0.5};
  first.cut_ms = CutCost{0.2, 0.0};
  first.moving = {{0.4, 0.8, 0.6}, 0.3, 0.5, 1};
  second = first;
  second.count = 40;
  second.ms = {10.0, 11.0, 9.0};
  second.algorithm = {"fft", "fft", "fft"};
  second.cost = {4.0, 0.7};
  second.cut_ms = CutCost{0.5, 0.4};
  record.devices = {{"cpu:0", "A", std::nullopt, {first, second}}};
  record.baseline_device = 0;
  record.baseline_ms = {{8.0, 0.0, 12.0}, {20.0, 22.0, 18.0}};
  record.rest = {{"bias, ReLU, pooling 1", 2.0},
                 {"bias, ReLU, pooling 1 backward", 3.0},
                 {"bias, ReLU, pooling 2", 0.5},
                 {"bias, ReLU, pooling 2 backward", 0.5},
                 {"update", 1.0},
                 {"other", 3.0}};
  return record;
}

// Devices of such speeds.
inline Experiment two_layers_experiment(const std::vector<double>& speeds,
                                        double latency_ms = 0.0) {
  Experiment experiment;
  experiment.network = {{40, 80}, 5, PaddingMode::kValid};
  experiment.training.batch_size = 64;
  experiment.clock = ClockMode::kVirtual;
  experiment.link.latency_ms = latency_ms;
  experiment.distribution.options = best_options();
  for (const double speed : speeds)
    experiment.devices.push_back(
        {"cpu:0", std::string(1, static_cast<char>('A' + experiment.devices.size())), speed,
         std::nullopt});
  return experiment;
}

// Those of the curves, and many more.
inline std::vector<double> many_bandwidths() {
  std::vector<double> mbps = curve_bandwidths();
  for (double value = 0.1; value < 1e7; value *= 1.15) mbps.push_back(value);
  std::sort(mbps.begin(), mbps.end());
  return mbps;
}

}  // namespace convoy
