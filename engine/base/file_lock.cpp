#include "engine/base/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>

namespace convoy {

FileLock::FileLock(const std::filesystem::path& file) {
  const std::string name = file.string() + ".lock";
  file_ = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  for (int i = 0; file_ >= 0 && i < 100; ++i) {
    if (::flock(file_, LOCK_EX | LOCK_NB) == 0) {
      locked_ = true;
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

FileLock::~FileLock() {
  if (file_ >= 0) ::close(file_);
}

}  // namespace convoy
