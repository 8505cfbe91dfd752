// Threads of one CPU device, each pinned to one core.
//
// The caller is the first of them while it waits: it moves to the first core and works there, so a
// device never uses a core that is not its own, and work that is soon done waits for nobody to wake
// up. Threads that come too late find nothing left to do.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/base/stop_token.h"

namespace convoy {

class ThreadPool {
 public:
  // One thread for each core number (as the operating system counts them), the caller's among them.
  // Throws Error(kDevice) when a core does not exist or may not be used by this process, or no
  // thread can be started.
  explicit ThreadPool(std::vector<int> cores);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return static_cast<int>(cores_.size()); }
  const std::vector<int>& cores() const { return cores_; }

  // Calls work(index, thread) for every index in [0, count), thread in [0, size()), and returns
  // when all are done. Indices are handed out one by one in rising order. The first exception is
  // rethrown here, later indices are then skipped. Polls `stop` (may be null) before every index
  // and throws Interrupted. Not reentrant; callers of one pool take turns.
  void parallel_for(std::size_t count, const std::function<void(std::size_t, int)>& work,
                    const StopToken* stop = nullptr);

  // Calls work(0) in the calling thread on whatever core that runs, in turn with the other callers:
  // for what is done sooner than a thread wakes up or moves, some microseconds.
  void run_here(const std::function<void(int thread)>& work);

  // Splits [0, count) into at most size() contiguous ranges whose lengths are multiples of `grain`
  // (but for the last) and calls work(begin, end, thread) for each.
  void parallel_ranges(std::size_t count, std::size_t grain,
                       const std::function<void(std::size_t, std::size_t, int)>& work);

 private:
  void thread_main(int thread);
  bool wait_for_work(unsigned long* seen);
  void work_as(int thread);
  void wait_for_others();
  void end_threads();

  std::vector<int> cores_;
  std::vector<std::thread> threads_;  // of all cores but the first
  std::mutex call_mutex_;             // one parallel_for at a time
  std::mutex mutex_;
  std::condition_variable start_, done_;
  const std::function<void(std::size_t, int)>* work_ = nullptr;
  const StopToken* stop_ = nullptr;
  std::size_t count_ = 0;
  std::atomic<std::size_t> next_{0};
  // All written under the mutex; read without it only by who is about to look again under it.
  std::atomic<unsigned long> generation_{0};
  std::atomic<int> working_{0};  // threads beside the caller
  std::atomic<bool> quit_{false};
  bool open_ = false;  // whether threads may still join in
  std::exception_ptr error_;
};

}  // namespace convoy
