#include "engine/device/opencl_program_cache.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <vector>

#include "engine/base/atomic_file.h"
#include "engine/base/file_lock.h"
#include "engine/base/user_cache.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

// The first line of a file. To be raised when the form changes.
constexpr std::string_view kFormat = "convoy OpenCL program 2\n";
constexpr std::string_view kExtension = ".clprogram";
constexpr std::size_t kNumberDigits = 16;

// After FNV-1a, 64 bits, eight bytes at a time, for PoCL's programs have megabytes: finds damage,
// and spreads names. Nobody is to be kept out by it: who can write to a user's cache can do worse.
std::uint64_t hash(std::string_view bytes) {
  std::uint64_t value = 0xcbf29ce484222325u ^ bytes.size();
  const auto add = [&value](const char* from, std::size_t count) {
    std::uint64_t word = 0;
    std::memcpy(&word, from, count);
    value = (value ^ word) * 0x100000001b3u;
    value ^= value >> 32;  // a product moves bits to the left only
  };
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  const std::size_t words = bytes.size() / kWord * kWord;
  for (std::size_t at = 0; at < words; at += kWord) add(bytes.data() + at, kWord);
  add(bytes.data() + words, bytes.size() - words);
  return value;
}

std::string hexadecimal(std::uint64_t value) {
  char digits[kNumberDigits];
  const auto end = std::to_chars(digits, digits + kNumberDigits, value, 16).ptr;
  std::string text(digits, end);
  return std::string(kNumberDigits - text.size(), '0') + text;
}

// No two keys give the same text: a source has no NUL, nor have the others.
std::string key_text(const ProgramKey& key) {
  std::string text = key.device;
  text.append(1, '\0').append(key.options).append(1, '\0').append(key.source).append(1, '\0');
  return text;
}

// The format's line; the hash of all that follows it; the key; the binary.
std::string file_content(const std::string& key, std::string_view binary) {
  std::string body = key;
  body.append(binary);
  return std::string(kFormat) + hexadecimal(hash(body)) + body;
}

}  // namespace

fs::path ProgramCache::file(const ProgramKey& key) const {
  return folder_ / (hexadecimal(hash(key_text(key))) + std::string(kExtension));
}

std::optional<std::string> ProgramCache::find(const ProgramKey& key) const {
  if (folder_.empty()) return std::nullopt;
  const fs::path path = file(key);
  std::error_code failed;
  if (!fs::is_regular_file(path, failed) || fs::file_size(path, failed) > most_bytes_ || failed)
    return std::nullopt;
  std::string content;
  try {
    content = read_whole_file(path, ErrorKind::kRun);
  } catch (const Error&) {
    return std::nullopt;
  }
  const std::string wanted = key_text(key);
  const std::size_t body = kFormat.size() + kNumberDigits;
  if (content.size() <= body + wanted.size()) return std::nullopt;
  const std::string_view whole = content;
  if (whole.substr(0, kFormat.size()) != kFormat || whole.substr(body, wanted.size()) != wanted ||
      whole.substr(kFormat.size(), kNumberDigits) != hexadecimal(hash(whole.substr(body))))
    return std::nullopt;
  content.erase(0, body + wanted.size());
  return content;
}

void ProgramCache::keep(const ProgramKey& key, std::string_view binary) const {
  if (folder_.empty() || binary.empty()) return;
  std::error_code ignored;
  fs::create_directories(folder_, ignored);
  const FileLock lock(folder_ / "programs");
  if (!lock.locked()) return;
  try {
    write_file_atomically(file(key), file_content(key_text(key), binary));
  } catch (const Error&) {  // compiled again by the next process
    return;
  }
  delete_oldest();
}

void ProgramCache::remove(const ProgramKey& key) const {
  if (folder_.empty()) return;
  std::error_code ignored;  // of a file that is not there
  fs::remove(file(key), ignored);
}

void ProgramCache::delete_oldest() const {
  struct Kept {
    fs::file_time_type time;
    std::uintmax_t bytes;
    fs::path path;
  };
  std::vector<Kept> files;
  std::uintmax_t sum = 0;
  std::error_code failed;
  for (fs::directory_iterator entry(folder_, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    if (entry->path().extension() != kExtension) continue;
    std::error_code unknown;
    const std::uintmax_t bytes = entry->file_size(unknown);
    const auto time = entry->last_write_time(unknown);
    if (unknown) continue;
    files.push_back({time, bytes, entry->path()});
    sum += bytes;
  }
  std::sort(files.begin(), files.end(),
            [](const Kept& a, const Kept& b) { return a.time < b.time; });
  for (const Kept& oldest : files) {
    if (sum <= most_bytes_) return;
    sum -= oldest.bytes;
    fs::remove(oldest.path, failed);
  }
}

fs::path program_cache_folder() {
  const auto folder = user_cache_folder();
  return folder.empty() ? folder : folder / "opencl";
}

}  // namespace convoy
