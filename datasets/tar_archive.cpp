#include "datasets/tar_archive.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <vector>

#include "datasets/data_file.h"
#include "datasets/gzip.h"

namespace fs = std::filesystem;

namespace convoy {
namespace {

constexpr std::size_t kBlock = 512;
using Block = std::array<char, kBlock>;

std::string text_field(const Block& header, std::size_t offset, std::size_t size) {
  return std::string(header.data() + offset, strnlen(header.data() + offset, size));
}

// An octal number, perhaps between spaces; nothing if it is none.
std::optional<std::uint64_t> octal_field(const Block& header, std::size_t offset,
                                         std::size_t size) {
  std::string text = text_field(header, offset, size);
  text.erase(0, text.find_first_not_of(' '));
  text.erase(text.find_last_not_of(' ') + 1);
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '7') return std::nullopt;
    value = 8 * value + static_cast<std::uint64_t>(digit - '0');
  }
  return value;
}

// The sum of the header's bytes, with its own field taken as spaces.
std::uint64_t header_sum(const Block& header) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kBlock; ++i)
    sum += i >= 148 && i < 156 ? ' ' : static_cast<unsigned char>(header[i]);
  return sum;
}

bool is_unsafe(const std::string& name) {
  const fs::path path(name);
  return name.empty() || path.is_absolute() ||
         std::any_of(path.begin(), path.end(), [](const fs::path& part) { return part == ".."; });
}

class Unpacker {
 public:
  Unpacker(const fs::path& archive, const fs::path& to, std::uint64_t max_file_bytes,
           const StopToken* stop)
      : archive_(archive),
        to_(to),
        max_file_bytes_(max_file_bytes),
        stop_(stop),
        file_(archive, std::ios::binary),
        reader_([this] { return next_piece(); }, archive) {
    if (!file_) refuse(archive_, std::string("cannot open the file: ") + std::strerror(errno));
  }

  void run(std::vector<std::string> wanted) {
    Block header;
    while (read_block(header)) {
      if (std::all_of(header.begin(), header.end(), [](char c) { return c == '\0'; })) {
        // The end mark. Reading on to the end of the data verifies the checksum of gzip.
        while (read_block(header)) {
        }
        break;
      }
      unpack_member(header, wanted);
    }
    if (!wanted.empty()) refuse(archive_, "the archive lacks " + wanted.front());
  }

 private:
  std::string_view next_piece() {
    if (stop_) stop_->throw_if_stopped();
    file_.read(piece_.data(), static_cast<std::streamsize>(piece_.size()));
    if (file_.bad()) refuse(archive_, "cannot read the file to its end");
    return {piece_.data(), static_cast<std::size_t>(file_.gcount())};
  }

  // False at the end of the data.
  bool read_block(Block& block) {
    const std::size_t got = reader_.read(block.data(), kBlock);
    if (got != 0 && got != kBlock)
      refuse(archive_, position_,
             "the unpacked archive ends within a block of 512 bytes; it is truncated");
    position_ += got;
    return got != 0;
  }

  void unpack_member(const Block& header, std::vector<std::string>& wanted) {
    const std::uint64_t at = position_ - kBlock;  // of the unpacked data
    const auto size = octal_field(header, 124, 12);
    if (text_field(header, 257, 5) != "ustar" ||
        octal_field(header, 148, 8) != header_sum(header) || !size)
      refuse(archive_, at, "no valid tar header here (counted in the unpacked data)");
    std::string name = text_field(header, 0, 100);
    // GNU headers ("ustar" and two spaces) use the place of the prefix for other things.
    if (header[262] == '\0' && header[345] != '\0')
      name = text_field(header, 345, 155) + "/" + name;
    const char type = header[156];
    const bool regular = type == '0' || type == '\0';
    // Besides files: folders, and the extended headers of pax and GNU, which are passed over.
    if (!regular && std::string_view("5xgLK").find(type) == std::string_view::npos)
      refuse(archive_, at, "member '" + name + "' is a link or device; only files are unpacked");
    if (is_unsafe(name))
      refuse(archive_, at, "member '" + name + "' would leave the folder of the data set");
    if (*size > max_file_bytes_)
      refuse(archive_, at,
             "member '" + name + "' of " + bytes_text(*size) + "; valid are up to " +
                 std::to_string(max_file_bytes_));
    const auto found = std::find(wanted.begin(), wanted.end(), name);
    if (!regular || found == wanted.end()) {
      copy_content(*size, nullptr);
      return;
    }
    wanted.erase(found);
    const fs::path target = to_ / fs::path(name).filename();
    std::ofstream out(target, std::ios::binary);
    if (out) copy_content(*size, &out);
    out.close();
    if (!out)
      throw Error(ErrorKind::kRun, target.string(),
                  std::string("cannot write the file: ") + std::strerror(errno));
  }

  void copy_content(std::uint64_t size, std::ofstream* out) {
    Block block;
    while (size > 0) {
      if (!read_block(block))
        refuse(archive_, position_, "the unpacked archive ends within a file; it is truncated");
      const std::uint64_t count = std::min<std::uint64_t>(size, kBlock);
      if (out && !out->write(block.data(), static_cast<std::streamsize>(count))) return;
      size -= count;
    }
  }

  fs::path archive_, to_;
  std::uint64_t max_file_bytes_;
  const StopToken* stop_;
  std::ifstream file_;
  std::array<char, 1 << 16> piece_;
  std::uint64_t position_ = 0;  // in the unpacked data
  GzipReader reader_;
};

}  // namespace

void unpack_tar_gz(const fs::path& archive, std::span<const std::string> wanted, const fs::path& to,
                   std::uint64_t max_file_bytes, const StopToken* stop) {
  Unpacker(archive, to, max_file_bytes, stop).run({wanted.begin(), wanted.end()});
}

}  // namespace convoy
