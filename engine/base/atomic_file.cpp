#include "engine/base/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

namespace convoy {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const char* doing, int reason) {
  throw Error(ErrorKind::kRun, path.string(),
              std::string("cannot ") + doing + ": " + std::strerror(reason));
}

// 0, or the system's reason. Closes the file.
int write_and_close(int file, std::string_view content) {
  while (!content.empty()) {
    const ssize_t n = ::write(file, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int reason = errno;
      ::close(file);
      return reason;
    }
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  return ::close(file) == 0 ? 0 : errno;
}

// Renaming over a device or a pipe would put a file in its place, for everybody on the machine.
void write_through(const std::filesystem::path& path, std::string_view content) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (file < 0) fail(path, "open it", errno);
  if (const int reason = write_and_close(file, content)) fail(path, "write to it", reason);
}

}  // namespace

void write_file_atomically(const std::filesystem::path& path, std::string_view content) {
  struct stat there {};
  const bool exists = ::stat(path.c_str(), &there) == 0;
  if (exists && !S_ISREG(there.st_mode) && !S_ISDIR(there.st_mode))
    return write_through(path, content);
  // Whoever made a link wants the file behind it.
  std::error_code unresolved;
  std::filesystem::path target = exists ? std::filesystem::canonical(path, unresolved) : path;
  if (unresolved) target = path;
  const std::string temporary = target.string() + ".part";
  const auto give_up = [&](const char* doing, int reason) {
    ::unlink(temporary.c_str());
    fail(path, doing, reason);
  };
  const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0) fail(path, "create the file", errno);
  // Where the file system has no such thing, there is nothing to keep.
  if (exists) (void)!::fchmod(file, there.st_mode & 07777);
  if (const int reason = write_and_close(file, content)) give_up("write the file", reason);
  if (::rename(temporary.c_str(), target.c_str()) != 0) give_up("put the file in place", errno);
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
