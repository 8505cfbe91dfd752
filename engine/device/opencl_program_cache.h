// Compiled OpenCL programs in files that all of a user's processes share.
//
// A file is only ever used when it is whole and its key is, to the last character, the one asked
// for; any other is ignored, and replaced when the program has been compiled again. A folder that
// cannot be read or written costs a compilation and is never an error. Thread-safe; several
// processes may use one folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace convoy {

// All that decides what the compiler makes.
struct ProgramKey {
  std::string source;   // whole
  std::string options;  // of the compiler
  std::string device;   // platform, device and driver with their versions
};

class ProgramCache {
 public:
  // An empty path keeps nothing. The folder is made when first written to.
  explicit ProgramCache(std::filesystem::path folder, std::uintmax_t most_bytes = kMostBytes)
      : folder_(std::move(folder)), most_bytes_(most_bytes) {}

  std::optional<std::string> find(const ProgramKey& key) const;
  // Replaces what was kept for the key. The oldest files are deleted beyond `most_bytes`.
  void keep(const ProgramKey& key, std::string_view binary) const;
  void remove(const ProgramKey& key) const;
  // Where a key's binary is kept.
  std::filesystem::path file(const ProgramKey& key) const;

  static constexpr std::uintmax_t kMostBytes = 64 << 20;

 private:
  void delete_oldest() const;

  std::filesystem::path folder_;
  std::uintmax_t most_bytes_;
};

// "opencl" in the user's cache (engine/base/user_cache.h); empty when there is none.
std::filesystem::path program_cache_folder();

}  // namespace convoy
