// A file that grows by whole pieces and is readable after each of them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace convoy {

// Every piece is handed to the system in one call, so that a program that is killed leaves whole
// pieces behind. All functions throw Error(kRun) with the path and the system's reason. Used by one
// thread at a time.
class GrowingFile {
 public:
  // Replaces a file of that name. `closing` stays the end of the file: the next piece overwrites it
  // and puts it behind itself ("]}" of a JSON list).
  GrowingFile(const std::filesystem::path& path, std::string_view opening,
              std::string closing = {});
  ~GrowingFile();
  GrowingFile(const GrowingFile&) = delete;
  GrowingFile& operator=(const GrowingFile&) = delete;

  void append(std::string_view piece);

 private:
  void write_at_end(std::string_view piece);

  std::string path_;
  std::string closing_;
  int file_ = -1;
  std::size_t end_ = 0;  // where the next piece begins
};

}  // namespace convoy
