#include "datasets/image_folder.h"

#include <algorithm>

#include "datasets/data_file.h"
#include "datasets/picture_file.h"

namespace fs = std::filesystem;

namespace convoy {
namespace {

constexpr const char* kExpected =
    "expected train/<class>/*.png and test/<class>/*.png (or .jpg), or <class>/*.png alone, with "
    "two classes or more";

// The visible entries of a folder that `keep` accepts, by name.
template <class Keep>
std::vector<fs::path> sorted_entries(const fs::path& folder, Keep keep) {
  std::error_code error;
  std::vector<fs::path> entries;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (it->path().filename().native().front() != '.' && keep(*it)) entries.push_back(it->path());
  if (error) refuse(folder, "cannot list the folder: " + error.message());
  std::sort(entries.begin(), entries.end());
  return entries;
}

bool is_folder(const fs::directory_entry& entry) {
  std::error_code ignored;
  return entry.is_directory(ignored);
}

std::vector<fs::path> pictures_in(const fs::path& class_folder) {
  std::vector<fs::path> pictures = sorted_entries(class_folder, [](const fs::directory_entry& e) {
    std::error_code ignored;
    return is_picture_name(e.path()) && !e.is_directory(ignored);
  });
  if (pictures.empty()) refuse(class_folder, "the class folder holds no .png, .jpg or .jpeg file");
  return pictures;
}

using PicturesByClass = std::vector<std::vector<fs::path>>;

ImageSet read_part(const PicturesByClass& classes, int side, std::optional<int> limit,
                   const StopToken* stop) {
  std::size_t total = 0, longest = 0;
  for (const auto& pictures : classes) {
    total += pictures.size();
    longest = std::max(longest, pictures.size());
  }
  const std::size_t count = limited(total, limit);
  ImageSet set{3, side, side, {}, {}};
  set.pixels.reserve(count * set.image_size());
  for (std::size_t turn = 0; turn < longest; ++turn) {
    for (std::size_t label = 0; label < classes.size() && set.labels.size() < count; ++label) {
      if (turn >= classes[label].size()) continue;
      if (stop) stop->throw_if_stopped();
      const auto planes = read_picture(classes[label][turn], side);
      set.pixels.insert(set.pixels.end(), planes.begin(), planes.end());
      set.labels.push_back(static_cast<std::uint16_t>(label));
    }
  }
  return set;
}

}  // namespace

Dataset read_image_folder(const fs::path& path, int image_size, std::optional<int> train_limit,
                          std::optional<int> test_limit, const StopToken* stop) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) refuse(path, std::string("no such folder; ") + kExpected);
  if (!fs::is_directory(path, ignored)) refuse(path, std::string("is not a folder; ") + kExpected);
  const bool has_train = fs::is_directory(path / "train", ignored);
  const bool has_test = fs::is_directory(path / "test", ignored);
  if (has_train != has_test)
    refuse(path, std::string("holds ") +
                     (has_train ? "train/ but no test/; " : "test/ but no train/; ") + kExpected);

  const fs::path train_folder = has_train ? path / "train" : path;
  const std::vector<fs::path> class_folders = sorted_entries(train_folder, is_folder);
  if (class_folders.size() < 2 || class_folders.size() > 65536)
    refuse(train_folder,
           "holds " + std::to_string(class_folders.size()) + " class folder(s); " + kExpected);

  Dataset dataset;
  dataset.name =
      path.filename().empty() ? path.parent_path().filename().string() : path.filename().string();
  PicturesByClass train(class_folders.size()), test(class_folders.size());
  for (std::size_t label = 0; label < class_folders.size(); ++label) {
    dataset.class_names.push_back(class_folders[label].filename().string());
    std::vector<fs::path> pictures = pictures_in(class_folders[label]);
    if (has_test) {
      train[label] = std::move(pictures);
      continue;
    }
    for (std::size_t i = 0; i < pictures.size(); ++i)
      (i % 5 == 4 ? test : train)[label].push_back(pictures[i]);
  }
  if (has_test) {
    for (const fs::path& folder : sorted_entries(path / "test", is_folder)) {
      const std::string name = folder.filename().string();
      const auto found = std::find(dataset.class_names.begin(), dataset.class_names.end(), name);
      if (found == dataset.class_names.end())
        refuse(folder, "the class is not in train/; both parts must have the same classes");
      test[static_cast<std::size_t>(found - dataset.class_names.begin())] = pictures_in(folder);
    }
  }
  const auto no_pictures = [](const auto& pictures) { return pictures.empty(); };
  if (std::all_of(test.begin(), test.end(), no_pictures))
    refuse(path,
           "the test part would be empty: without test/ every fifth picture of a class is "
           "taken for it, and no class has five; " +
               std::string(kExpected));
  dataset.train = read_part(train, image_size, train_limit, stop);
  dataset.test = read_part(test, image_size, test_limit, stop);
  return dataset;
}

}  // namespace convoy
