// What a trainer computes in.
#pragma once

#include <optional>

#include "engine/training/trainer.h"

namespace convoy {

struct Trainer::Workspace {
  explicit Workspace(RunSetup& setup)
      : model(setup.spec, setup.batch_size, *setup.devices.master_pool),
        batch(setup.data.train, setup.normalisation, setup.batch_size, *setup.devices.master_pool) {
  }

  Model model;
  Batch batch;
  std::optional<Batch> test_batch;
  std::optional<DistributedConv> convolutions;  // none where setting it up has failed so far
};

template <class Attempt>
auto Trainer::outlive_losses(int number, const std::string& what, const Attempt& attempt) {
  for (;;) {
    std::optional<DeviceLost> loss;
    try {
      return attempt();
    } catch (const DeviceLost& lost) {
      loss = lost;
    }
    recover(std::move(*loss), number, what);
  }
}

}  // namespace convoy
