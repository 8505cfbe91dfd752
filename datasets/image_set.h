// Labelled pictures in memory, and where they come from.
//
// Pixels are 8-bit and plane by plane, [image][channel][row][column], colour as red, green, blue;
// label i belongs to image i. Nothing here scales, normalises or shuffles: the trainer does, and
// `DatasetSpec::shuffle` is carried for it.
//
// Errors: Error(kData) for anything wrong with the files, naming the file, the byte offset or
// record, what was found and what would be valid; Error(kExperiment) for an impossible spec.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/stop_token.h"

namespace convoy {

struct ImageSet {
  int channels = 0;
  int height = 0;
  int width = 0;
  std::vector<std::uint8_t> pixels;
  std::vector<std::uint16_t> labels;

  int count() const { return static_cast<int>(labels.size()); }
  std::size_t image_size() const {
    return static_cast<std::size_t>(channels) * static_cast<std::size_t>(height) *
           static_cast<std::size_t>(width);
  }
  std::span<const std::uint8_t> image(int index) const {
    return {pixels.data() + static_cast<std::size_t>(index) * image_size(), image_size()};
  }
};

struct Dataset {
  std::string name;
  std::vector<std::string> class_names;  // every label is an index into it
  ImageSet train;
  ImageSet test;  // same channels, height and width as `train`
};

enum class DatasetKind { kSynthetic, kCifar10, kCifar100, kMnist, kFolder };

inline constexpr DatasetKind kDatasetKinds[] = {DatasetKind::kSynthetic, DatasetKind::kCifar10,
                                                DatasetKind::kCifar100, DatasetKind::kMnist,
                                                DatasetKind::kFolder};

// "synthetic", "cifar10", "cifar100", "mnist", "folder", as experiment files write them.
std::string_view dataset_kind_name(DatasetKind kind);
std::optional<DatasetKind> dataset_kind_from_name(std::string_view name);

struct DatasetSpec {
  DatasetKind kind = DatasetKind::kSynthetic;
  // The folder with the files; the folder above the one that the official archive unpacks to will
  // do too. Not used by `synthetic`. Empty for the others but `folder`: default_dataset_folder()
  // of datasets/fetch.h.
  std::string path;
  // The first N images in the order of the files; all where there are fewer.
  std::optional<int> train_limit;
  std::optional<int> test_limit;
  bool shuffle = true;
  // `folder` only: the side of the squares that pictures are resized to, 8 to 1024; 32 if unset.
  std::optional<int> image_size;
};

// Reads or generates both parts; neither is empty. `seed` decides the pictures of `synthetic` and
// has no meaning for the others. Polls `stop` (may be null) and throws Interrupted. Thread-safe.
Dataset load_dataset(const DatasetSpec& spec, std::uint64_t seed, const StopToken* stop = nullptr);

}  // namespace convoy
