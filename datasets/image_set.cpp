#include "datasets/image_set.h"

#include <algorithm>
#include <new>

#include "datasets/cifar.h"
#include "datasets/fetch.h"
#include "datasets/image_folder.h"
#include "datasets/mnist.h"
#include "datasets/synthetic.h"
#include "engine/base/error.h"

namespace convoy {
namespace {

constexpr int kDefaultImageSize = 32;
constexpr int kMinImageSize = 8;
constexpr int kMaxImageSize = 1024;

void check_limit(const char* name, std::optional<int> limit) {
  if (limit && *limit < 1)
    throw Error(ErrorKind::kExperiment, std::string("/dataset/") + name,
                std::to_string(*limit) + " images; valid are 1 or more");
}

Dataset load(const DatasetSpec& spec, std::uint64_t seed, const StopToken* stop) {
  if (spec.path.empty() && spec.kind == DatasetKind::kFolder)
    throw Error(ErrorKind::kExperiment, "/dataset/path",
                "is empty; kind \"folder\" needs the folder with the class folders");
  const std::filesystem::path path =
      spec.path.empty() ? default_dataset_folder() : std::filesystem::path(spec.path);
  switch (spec.kind) {
    case DatasetKind::kSynthetic:
      return generate_synthetic(
          seed, std::min(spec.train_limit.value_or(kSyntheticTrainCount), kSyntheticMaxCount),
          std::min(spec.test_limit.value_or(kSyntheticTestCount), kSyntheticMaxCount), stop);
    case DatasetKind::kCifar10:
      return read_cifar10(path, spec.train_limit, spec.test_limit, stop);
    case DatasetKind::kCifar100:
      return read_cifar100(path, spec.train_limit, spec.test_limit, stop);
    case DatasetKind::kMnist:
      return read_mnist(path, spec.train_limit, spec.test_limit, stop);
    case DatasetKind::kFolder:
      break;
  }
  const int size = spec.image_size.value_or(kDefaultImageSize);
  if (size < kMinImageSize || size > kMaxImageSize)
    throw Error(ErrorKind::kExperiment, "/dataset/image_size",
                std::to_string(size) + " pixels; valid are " + std::to_string(kMinImageSize) +
                    " to " + std::to_string(kMaxImageSize));
  return read_image_folder(path, size, spec.train_limit, spec.test_limit, stop);
}

}  // namespace

std::string_view dataset_kind_name(DatasetKind kind) {
  switch (kind) {
    case DatasetKind::kSynthetic:
      return "synthetic";
    case DatasetKind::kCifar10:
      return "cifar10";
    case DatasetKind::kCifar100:
      return "cifar100";
    case DatasetKind::kMnist:
      return "mnist";
    case DatasetKind::kFolder:
      break;
  }
  return "folder";
}

std::optional<DatasetKind> dataset_kind_from_name(std::string_view name) {
  for (const DatasetKind kind : kDatasetKinds)
    if (dataset_kind_name(kind) == name) return kind;
  return std::nullopt;
}

Dataset load_dataset(const DatasetSpec& spec, std::uint64_t seed, const StopToken* stop) {
  check_limit("train_limit", spec.train_limit);
  check_limit("test_limit", spec.test_limit);
  try {
    return load(spec, seed, stop);
  } catch (const std::bad_alloc&) {
    throw Error(ErrorKind::kRun, "/dataset",
                "not enough memory for the images; a smaller train_limit takes fewer");
  }
}

}  // namespace convoy
