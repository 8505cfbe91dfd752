// MNIST and sets in its form (Fashion-MNIST, KMNIST): IDX files (LeCun, Cortes and Burges,
// http://yann.lecun.com/exdb/mnist/), plain or compressed with gzip.
#pragma once

#include <filesystem>
#include <optional>

#include "datasets/image_set.h"

namespace convoy {

// `path` holds train-images, train-labels, t10k-images and t10k-labels, each as
// "train-images-idx3-ubyte" or "train-images.idx3-ubyte" (labels: idx1), perhaps with ".gz"; or it
// holds mnist/ with them. One channel, ten classes, any picture size up to 1024x1024. Every file
// is checked to its end, whatever the limits.
Dataset read_mnist(const std::filesystem::path& path, std::optional<int> train_limit,
                   std::optional<int> test_limit, const StopToken* stop);

}  // namespace convoy
