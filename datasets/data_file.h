// What the readers share: finding the folder, and reading files without trusting them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "datasets/image_set.h"
#include "engine/base/error.h"

namespace convoy {

// Throws Error(kData) with `path` as the place.
[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& what);
[[noreturn]] void refuse(const std::filesystem::path& path, std::uint64_t offset,
                         const std::string& what);

// "1 byte", "3 bytes".
std::string bytes_text(std::uint64_t count);

// The whole file as bytes. Refuses one of more than `max_bytes` before reading any of it.
std::string read_data_file(const std::filesystem::path& path, std::uint64_t max_bytes);

// The non-empty lines of a file with one class name a line; there must be `count`.
std::vector<std::string> read_class_names(const std::filesystem::path& path, std::size_t count);

// The first of `path` and its `subfolders` that holds one of `markers`. If none does, the error
// says what was expected there and how to get it.
std::filesystem::path find_dataset_folder(const std::filesystem::path& path, DatasetKind kind,
                                          std::span<const std::string_view> subfolders,
                                          std::span<const std::string_view> markers);

// How many of `available` images to take.
std::size_t limited(std::size_t available, std::optional<int> limit);

inline std::uint8_t byte_at(std::string_view bytes, std::size_t offset) {
  return static_cast<std::uint8_t>(bytes[offset]);
}

inline std::uint32_t big_endian_32(std::string_view bytes, std::size_t offset) {
  return static_cast<std::uint32_t>(byte_at(bytes, offset)) << 24 |
         static_cast<std::uint32_t>(byte_at(bytes, offset + 1)) << 16 |
         static_cast<std::uint32_t>(byte_at(bytes, offset + 2)) << 8 |
         static_cast<std::uint32_t>(byte_at(bytes, offset + 3));
}

}  // namespace convoy
