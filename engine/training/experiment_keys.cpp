#include "engine/training/experiment_keys.h"

namespace convoy {
namespace {

constexpr std::string_view kRoot[] = {"$schema",      "name",    "note",     "seed",
                                      "dataset",      "network", "training", "devices",
                                      "distribution", "link",    "clock",    "baseline"};
constexpr std::string_view kDataset[] = {"kind",       "path",    "train_limit",
                                         "test_limit", "shuffle", "image_size"};
constexpr std::string_view kNetwork[] = {"kernels", "kernel_size", "padding"};
constexpr std::string_view kTraining[] = {"batch_size",     "steps",    "epochs",
                                          "learning_rate",  "momentum", "weight_decay",
                                          "initial_weights"};
constexpr std::string_view kDevice[] = {"id", "name", "speed", "link", "scratch_limit_mb"};
constexpr std::string_view kDistribution[] = {
    "split", "shares", "resident_kernels", "fuse_pooling", "overlap", "wire", "rebalance"};
constexpr std::string_view kLink[] = {"bandwidth_mbps", "latency_ms", "duplex"};

constexpr ExperimentKeys kKeys[] = {
    {"", kRoot},
    {"/dataset", kDataset},
    {"/network", kNetwork},
    {"/training", kTraining},
    {"/devices/*", kDevice},
    {"/devices/*/link", kLink},
    {"/distribution", kDistribution},
    {"/link", kLink},
};

}  // namespace

std::span<const ExperimentKeys> experiment_keys() {
  return kKeys;
}

}  // namespace convoy
