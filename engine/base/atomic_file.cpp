#include "engine/base/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

namespace convoy {

void write_file_atomically(const std::filesystem::path& path, std::string_view content) {
  const std::string temporary = path.string() + ".part";
  const auto fail = [&](const char* doing) {
    const std::string reason = std::strerror(errno);
    ::unlink(temporary.c_str());
    throw Error(ErrorKind::kRun, path.string(), std::string("cannot ") + doing + ": " + reason);
  };
  const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0) fail("create the file");
  std::size_t written = 0;
  while (written < content.size()) {
    const ssize_t n = ::write(file, content.data() + written, content.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int reason = errno;
      ::close(file);
      errno = reason;
      fail("write the file");
    }
    written += static_cast<std::size_t>(n);
  }
  if (::close(file) != 0) fail("write the file");
  if (::rename(temporary.c_str(), path.c_str()) != 0) fail("put the file in place");
}

void make_folder(const std::filesystem::path& folder, const char* purpose) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error || !std::filesystem::is_directory(folder, error))
    throw Error(ErrorKind::kRun, folder.string(),
                std::string("cannot create the folder for ") + purpose +
                    (error ? ": " + error.message() : ": a file of that name is in the way"));
}

std::string read_whole_file(const std::filesystem::path& path, ErrorKind kind) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    throw Error(kind, path.string(), "is a folder, not a file");
  if (std::filesystem::is_character_file(path, ignored))
    throw Error(kind, path.string(), "is a device, which may have no end, not a file");
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw Error(kind, path.string(), std::string("cannot open the file: ") + std::strerror(errno));
  // In one go where the system knows the size; not every file has one (pipes, /proc).
  constexpr std::size_t kBlock = 64 << 10;
  std::string content;
  const std::uintmax_t size = std::filesystem::file_size(path, ignored);
  for (std::size_t block = ignored ? kBlock : size + 1; file; block = kBlock) {
    const std::size_t begin = content.size();
    content.resize(begin + block);
    file.read(content.data() + begin, static_cast<std::streamsize>(block));
    content.resize(begin + static_cast<std::size_t>(file.gcount()));
  }
  if (file.bad()) throw Error(kind, path.string(), "cannot read the file to its end");
  return content;
}

}  // namespace convoy
