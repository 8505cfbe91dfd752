// CIFAR-10 and CIFAR-100, binary version (Krizhevsky 2009,
// https://www.cs.toronto.edu/~kriz/cifar.html).
//
// A record is its label (CIFAR-100: the coarse one of 20, then the fine one of 100, which is used)
// and 3072 pixel bytes: red, green and blue plane of 32x32. A file is records and nothing else.
#pragma once

#include <filesystem>
#include <optional>

#include "datasets/image_set.h"

namespace convoy {

// `path` holds data_batch_1.bin up to data_batch_5.bin (later ones may be missing), test_batch.bin
// and perhaps batches.meta.txt with the class names; or it holds cifar-10-batches-bin/ with them.
// Every file is checked to its end, whatever the limits.
Dataset read_cifar10(const std::filesystem::path& path, std::optional<int> train_limit,
                     std::optional<int> test_limit, const StopToken* stop);

// `path` holds train.bin, test.bin and perhaps fine_label_names.txt; or cifar-100-binary/.
Dataset read_cifar100(const std::filesystem::path& path, std::optional<int> train_limit,
                      std::optional<int> test_limit, const StopToken* stop);

}  // namespace convoy
