#include "datasets/data_file.h"

#include <algorithm>
#include <sstream>

#include "engine/base/atomic_file.h"

namespace fs = std::filesystem;

namespace convoy {

void refuse(const fs::path& path, const std::string& what) {
  throw Error(ErrorKind::kData, path.string(), what);
}

void refuse(const fs::path& path, std::uint64_t offset, const std::string& what) {
  throw Error(ErrorKind::kData, path.string() + ": byte " + std::to_string(offset), what);
}

std::string bytes_text(std::uint64_t count) {
  return std::to_string(count) + (count == 1 ? " byte" : " bytes");
}

std::string read_data_file(const fs::path& path, std::uint64_t max_bytes) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) refuse(path, "no such file");
  if (!fs::is_regular_file(status)) refuse(path, "is not a regular file");
  const std::uint64_t size = fs::file_size(path, error);
  if (error) refuse(path, "cannot read the file's size: " + error.message());
  if (size > max_bytes)
    refuse(path, "holds " + bytes_text(size) + "; a file of this kind has at most " +
                     std::to_string(max_bytes));
  return read_whole_file(path, ErrorKind::kData);
}

std::vector<std::string> read_class_names(const fs::path& path, std::size_t count) {
  std::istringstream lines(read_data_file(path, 1 << 20));
  std::vector<std::string> names;
  for (std::string line; std::getline(lines, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (!line.empty()) names.push_back(line);
  }
  if (names.size() != count)
    refuse(path, "holds " + std::to_string(names.size()) + " class names, one a line; expected " +
                     std::to_string(count));
  return names;
}

fs::path find_dataset_folder(const fs::path& path, DatasetKind kind,
                             std::span<const std::string_view> subfolders,
                             std::span<const std::string_view> markers) {
  const auto holds_marker = [&](const fs::path& folder) {
    return std::any_of(markers.begin(), markers.end(), [&](std::string_view marker) {
      std::error_code ignored;
      return fs::exists(folder / marker, ignored);
    });
  };
  if (holds_marker(path)) return path;
  for (const std::string_view subfolder : subfolders)
    if (holds_marker(path / subfolder)) return path / subfolder;

  std::error_code ignored;
  const std::string kind_name(dataset_kind_name(kind));
  const std::string found = !fs::exists(path, ignored)         ? "no such folder"
                            : !fs::is_directory(path, ignored) ? "is not a folder"
                                                               : "holds no " + kind_name + " files";
  refuse(path, found + "; expected a folder with " + std::string(markers[0]) + ", or one with " +
                   std::string(subfolders[0]) + "/ in it; `convoy data fetch " + kind_name +
                   " --to FOLDER` downloads the data set");
}

std::size_t limited(std::size_t available, std::optional<int> limit) {
  return limit ? std::min(available, static_cast<std::size_t>(std::max(*limit, 0))) : available;
}

}  // namespace convoy
