// Decompression with zlib, of data that is not trusted.
//
// Errors are Error(kData) for a damaged or truncated stream and for anything behind its end, with
// the path and the byte of the compressed data where.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace convoy {

inline bool is_gzip(std::string_view bytes) {
  return bytes.substr(0, 2) == "\x1f\x8b";
}

// Unpacks piece by piece. One thread at a time.
class GzipReader {
 public:
  // The next piece of compressed data, valid until the next call; empty at the end.
  using Source = std::function<std::string_view()>;

  // `path` is named in errors.
  GzipReader(Source source, std::filesystem::path path);
  ~GzipReader();
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;

  // Fills `out` and returns how much; less than `count` only at the end of the data, whose checksum
  // has then been verified.
  std::size_t read(char* out, std::size_t count);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The first `count` bytes of what `gzip` unpacks to, or all if it has fewer.
std::string gunzip_start(std::string_view gzip, const std::filesystem::path& path,
                         std::size_t count);

// Everything. Refuses what unpacks to more than `max_size` bytes; memory grows with what was
// really unpacked.
std::string gunzip(std::string_view gzip, const std::filesystem::path& path, std::size_t max_size);

}  // namespace convoy
