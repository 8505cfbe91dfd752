// Keeps a user's other processes, and other threads, from changing a file at the same time.
#pragma once

#include <filesystem>

namespace convoy {

// An advisory lock (flock) on `file` with ".lock" appended, held until destroyed. Waits a second at
// most: nobody should hold it for longer than a small file takes to write, and a process that hangs
// must not stop others. Never throws; ask locked() before writing.
class FileLock {
 public:
  explicit FileLock(const std::filesystem::path& file);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  bool locked() const { return locked_; }

 private:
  int file_ = -1;
  bool locked_ = false;
};

}  // namespace convoy
