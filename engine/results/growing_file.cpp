#include "engine/results/growing_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "engine/base/error.h"

namespace convoy {

GrowingFile::GrowingFile(const std::filesystem::path& path, std::string_view opening,
                         std::string closing)
    : path_(path.string()), closing_(std::move(closing)) {
  // A new file beside one that somebody still reads, not that file made shorter.
  ::unlink(path_.c_str());
  file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file_ < 0)
    throw Error(ErrorKind::kRun, path_,
                std::string("cannot create the file: ") + std::strerror(errno));
  try {
    write_at_end(opening);
  } catch (...) {
    ::close(file_);
    throw;
  }
}

GrowingFile::~GrowingFile() {
  ::close(file_);
}

void GrowingFile::append(std::string_view piece) {
  write_at_end(piece);
}

void GrowingFile::write_at_end(std::string_view piece) {
  const std::string text = std::string(piece) + closing_;
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t n = ::pwrite(file_, text.data() + written, text.size() - written,
                               static_cast<off_t>(end_ + written));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int reason = errno;
      // Leave whole pieces: put the old closing back where the failed piece began.
      if (::ftruncate(file_, static_cast<off_t>(end_)) == 0 && !closing_.empty())
        (void)!::pwrite(file_, closing_.data(), closing_.size(), static_cast<off_t>(end_));
      throw Error(ErrorKind::kRun, path_,
                  std::string("cannot write the file: ") + std::strerror(reason));
    }
    written += static_cast<std::size_t>(n);
  }
  end_ += piece.size();
}

}  // namespace convoy
