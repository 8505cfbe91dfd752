#include "datasets/mnist.h"

#include <array>
#include <cstdio>

#include "datasets/data_file.h"
#include "datasets/gzip.h"

namespace fs = std::filesystem;

namespace convoy {
namespace {

constexpr std::uint64_t kMaxBytes = 1 << 30;  // of one file, unpacked or not
constexpr std::uint32_t kMaxSide = 1024;
constexpr int kClasses = 10;

struct IdxFile {
  fs::path path;
  std::vector<std::uint32_t> sizes;
  std::string content;
  std::size_t header_bytes;  // the elements follow
};

std::string hexadecimal(std::uint32_t value) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%08x", static_cast<unsigned>(value));
  return text;
}

// The file of unsigned bytes in `dimensions` dimensions whose name starts with `stem`.
IdxFile read_idx(const fs::path& folder, const std::string& stem, std::uint32_t dimensions) {
  IdxFile file;
  const std::string form = "idx" + std::to_string(dimensions) + "-ubyte";
  for (const std::string& name : {stem + "-" + form, stem + "." + form, stem + "-" + form + ".gz",
                                  stem + "." + form + ".gz"}) {
    std::error_code ignored;
    if (file.path.empty() && fs::exists(folder / name, ignored)) file.path = folder / name;
  }
  if (file.path.empty())
    refuse(folder / (stem + "-" + form), "no such file, nor one with .gz behind its name");

  const std::string stored = read_data_file(file.path, kMaxBytes);
  const bool packed = is_gzip(stored);
  file.header_bytes = 4 + 4 * dimensions;
  const std::string header = packed ? gunzip_start(stored, file.path, file.header_bytes)
                                    : stored.substr(0, file.header_bytes);
  // Offsets in a compressed file are those of what it unpacks to; the messages say so.
  const std::string unpacked = packed ? " (of the unpacked data)" : "";
  if (header.size() < file.header_bytes)
    refuse(file.path, header.size(),
           "the header ends here" + unpacked + "; it has " + bytes_text(file.header_bytes));
  const std::uint32_t magic = 0x0800 + dimensions;  // unsigned bytes
  if (big_endian_32(header, 0) != magic)
    refuse(file.path, 0,
           "magic number " + hexadecimal(big_endian_32(header, 0)) + unpacked + "; valid is " +
               hexadecimal(magic));

  std::uint64_t elements = 1;
  for (std::uint32_t i = 0; i < dimensions; ++i) {
    const std::size_t offset = 4 + 4 * i;
    const std::uint32_t size = big_endian_32(header, offset);
    const std::uint64_t most = i == 0 ? kMaxBytes : kMaxSide;
    if (size == 0 || size > most)
      refuse(file.path, offset,
             (i == 0 ? "a count of " : "a picture side of ") + std::to_string(size) + unpacked +
                 "; valid are 1 to " + std::to_string(most));
    elements *= size;
    file.sizes.push_back(size);
  }
  const std::uint64_t expected = file.header_bytes + elements;
  // Deflate packs at most 1032 to 1, so a larger claim cannot be true; nothing is unpacked for it.
  const std::uint64_t possible = packed ? stored.size() * 1032 : stored.size();
  if (expected > kMaxBytes || expected > possible)
    refuse(file.path, 4,
           "the header tells of " + bytes_text(expected) + ", which the file of " +
               bytes_text(stored.size()) + " cannot hold; it is damaged or truncated");
  file.content = packed ? gunzip(stored, file.path, expected) : stored;
  if (file.content.size() != expected)
    refuse(file.path, std::min<std::uint64_t>(file.content.size(), expected),
           "holds " + bytes_text(file.content.size()) + unpacked + "; by its header it must hold " +
               std::to_string(expected));
  return file;
}

ImageSet read_part(const fs::path& folder, const std::string& part, std::optional<int> limit) {
  const IdxFile labels = read_idx(folder, part + "-labels", 1);
  const IdxFile images = read_idx(folder, part + "-images", 3);
  if (labels.sizes[0] != images.sizes[0])
    refuse(labels.path, 4,
           "holds " + std::to_string(labels.sizes[0]) + " labels, but " +
               images.path.filename().string() + " holds " + std::to_string(images.sizes[0]) +
               " pictures");
  for (std::size_t i = 0; i < labels.sizes[0]; ++i) {
    const int label = byte_at(labels.content, labels.header_bytes + i);
    if (label >= kClasses)
      refuse(labels.path, labels.header_bytes + i,
             "label " + std::to_string(label) + " of picture " + std::to_string(i) +
                 "; valid are 0 to 9");
  }

  ImageSet set{1, static_cast<int>(images.sizes[1]), static_cast<int>(images.sizes[2]), {}, {}};
  const std::size_t count = limited(labels.sizes[0], limit);
  const auto* label =
      reinterpret_cast<const std::uint8_t*>(labels.content.data()) + labels.header_bytes;
  const auto* pixel =
      reinterpret_cast<const std::uint8_t*>(images.content.data()) + images.header_bytes;
  set.labels.assign(label, label + count);
  set.pixels.assign(pixel, pixel + count * set.image_size());
  return set;
}

}  // namespace

Dataset read_mnist(const fs::path& path, std::optional<int> train_limit,
                   std::optional<int> test_limit, const StopToken* stop) {
  constexpr std::array<std::string_view, 2> kSubfolders = {"mnist", "MNIST/raw"};
  constexpr std::array<std::string_view, 8> kMarkers = {
      "train-images-idx3-ubyte",    "train-images-idx3-ubyte.gz", "train-images.idx3-ubyte",
      "train-images.idx3-ubyte.gz", "t10k-images-idx3-ubyte",     "t10k-images-idx3-ubyte.gz",
      "t10k-images.idx3-ubyte",     "t10k-images.idx3-ubyte.gz"};
  const fs::path folder = find_dataset_folder(path, DatasetKind::kMnist, kSubfolders, kMarkers);
  Dataset dataset;
  dataset.name = dataset_kind_name(DatasetKind::kMnist);
  for (int i = 0; i < kClasses; ++i) dataset.class_names.push_back(std::to_string(i));
  dataset.train = read_part(folder, "train", train_limit);
  if (stop) stop->throw_if_stopped();
  dataset.test = read_part(folder, "t10k", test_limit);
  if (dataset.train.height != dataset.test.height || dataset.train.width != dataset.test.width)
    refuse(folder, "the training pictures are " + std::to_string(dataset.train.height) + "x" +
                       std::to_string(dataset.train.width) + ", the test pictures " +
                       std::to_string(dataset.test.height) + "x" +
                       std::to_string(dataset.test.width) + "; both must have one size");
  return dataset;
}

}  // namespace convoy
