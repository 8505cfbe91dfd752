#include "datasets/cifar.h"

#include <array>

#include "datasets/data_file.h"

namespace fs = std::filesystem;

namespace convoy {
namespace {

constexpr int kSide = 32;
constexpr std::size_t kImageBytes = 3 * kSide * kSide;
constexpr std::uint64_t kMaxFileBytes = 1 << 30;

struct RecordFormat {
  std::vector<int> label_counts;  // one for each label byte; the last label is the class

  std::size_t label_bytes() const { return label_counts.size(); }
  std::size_t bytes() const { return label_bytes() + kImageBytes; }
};

// Checks all of the file and appends its images until `set` has `wanted` of them.
void append_records(const fs::path& file, const RecordFormat& format, std::size_t wanted,
                    ImageSet& set) {
  const std::string content = read_data_file(file, kMaxFileBytes);
  const std::size_t count = content.size() / format.bytes();
  if (count == 0 || content.size() % format.bytes() != 0)
    refuse(file, count * format.bytes(),
           "the file of " + bytes_text(content.size()) + " ends with " +
               bytes_text(content.size() % format.bytes()) + " of a record; valid is one or more " +
               "whole records of " + bytes_text(format.bytes()));
  for (std::size_t record = 0; record < count; ++record) {
    const std::size_t offset = record * format.bytes();
    for (std::size_t i = 0; i < format.label_bytes(); ++i) {
      const int label = byte_at(content, offset + i);
      if (label >= format.label_counts[i])
        refuse(file, offset + i,
               "label " + std::to_string(label) + " in record " + std::to_string(record) +
                   "; valid are 0 to " + std::to_string(format.label_counts[i] - 1));
    }
    if (set.labels.size() >= wanted) continue;
    set.labels.push_back(byte_at(content, offset + format.label_bytes() - 1));
    const auto* image =
        reinterpret_cast<const std::uint8_t*>(content.data()) + offset + format.label_bytes();
    set.pixels.insert(set.pixels.end(), image, image + kImageBytes);
  }
}

ImageSet read_part(const std::vector<fs::path>& files, const RecordFormat& format,
                   std::optional<int> limit, const StopToken* stop) {
  ImageSet set{3, kSide, kSide, {}, {}};
  const std::size_t wanted = limited(SIZE_MAX, limit);
  for (const fs::path& file : files) {
    if (stop) stop->throw_if_stopped();
    append_records(file, format, wanted, set);
  }
  return set;
}

}  // namespace

Dataset read_cifar10(const fs::path& path, std::optional<int> train_limit,
                     std::optional<int> test_limit, const StopToken* stop) {
  constexpr std::array<std::string_view, 1> kSubfolders = {"cifar-10-batches-bin"};
  constexpr std::array<std::string_view, 2> kMarkers = {"data_batch_1.bin", "test_batch.bin"};
  const fs::path folder = find_dataset_folder(path, DatasetKind::kCifar10, kSubfolders, kMarkers);

  std::vector<fs::path> batches;
  fs::path missing;
  for (int i = 1; i <= 5; ++i) {
    const fs::path file = folder / ("data_batch_" + std::to_string(i) + ".bin");
    if (!fs::exists(file)) {
      if (missing.empty()) missing = file;
    } else if (!missing.empty()) {
      refuse(missing, "no such file, though " + file.filename().string() +
                          " is there; valid are data_batch_1.bin to the last one without a gap");
    } else {
      batches.push_back(file);
    }
  }
  if (batches.empty()) refuse(missing, "no such file; the training images start there");

  Dataset dataset;
  dataset.name = dataset_kind_name(DatasetKind::kCifar10);
  dataset.class_names = {"airplane", "automobile", "bird",  "cat",  "deer",
                         "dog",      "frog",       "horse", "ship", "truck"};
  const fs::path names = folder / "batches.meta.txt";
  if (fs::exists(names)) dataset.class_names = read_class_names(names, dataset.class_names.size());
  const RecordFormat format{{10}};
  dataset.train = read_part(batches, format, train_limit, stop);
  dataset.test = read_part({folder / "test_batch.bin"}, format, test_limit, stop);
  return dataset;
}

Dataset read_cifar100(const fs::path& path, std::optional<int> train_limit,
                      std::optional<int> test_limit, const StopToken* stop) {
  constexpr std::array<std::string_view, 1> kSubfolders = {"cifar-100-binary"};
  constexpr std::array<std::string_view, 2> kMarkers = {"train.bin", "test.bin"};
  const fs::path folder = find_dataset_folder(path, DatasetKind::kCifar100, kSubfolders, kMarkers);

  Dataset dataset;
  dataset.name = dataset_kind_name(DatasetKind::kCifar100);
  const fs::path names = folder / "fine_label_names.txt";
  if (fs::exists(names)) {
    dataset.class_names = read_class_names(names, 100);
  } else {
    for (int i = 0; i < 100; ++i) dataset.class_names.push_back("class " + std::to_string(i));
  }
  const RecordFormat format{{20, 100}};
  dataset.train = read_part({folder / "train.bin"}, format, train_limit, stop);
  dataset.test = read_part({folder / "test.bin"}, format, test_limit, stop);
  return dataset;
}

}  // namespace convoy
