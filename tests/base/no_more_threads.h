// A process in which no more than so many threads can be started, as long as this lives.
#pragma once

#include <pthread.h>
#include <sys/resource.h>

#include <fstream>

namespace convoy {

class NoMoreThreads {
 public:
  // Threads are given stacks so large that the address space ends.
  explicit NoMoreThreads(unsigned but) {
    pthread_getattr_default_np(&attributes_);
    getrlimit(RLIMIT_AS, &space_);
    pthread_attr_t large;
    pthread_attr_init(&large);
    pthread_attr_setstacksize(&large, kStack);
    pthread_setattr_default_np(&large);
    pthread_attr_destroy(&large);
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    rlimit tight = space_;
    tight.rlim_cur = pages * 4096 + but * kStack + kStack / 2;
    setrlimit(RLIMIT_AS, &tight);
  }
  ~NoMoreThreads() {
    setrlimit(RLIMIT_AS, &space_);
    pthread_setattr_default_np(&attributes_);
  }
  NoMoreThreads(const NoMoreThreads&) = delete;
  NoMoreThreads& operator=(const NoMoreThreads&) = delete;

 private:
  static constexpr std::size_t kStack = std::size_t{4} << 30;

  pthread_attr_t attributes_;
  rlimit space_;
};

}  // namespace convoy
