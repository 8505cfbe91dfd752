#include "engine/base/thread_pool.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

namespace convoy {
namespace {

// What a thread that waits looks around before it sleeps: some 20 microseconds, about what falling
// asleep and waking up would take. Its core is the device's own.
constexpr int kLooks = 500;

void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Whether `is_so` becomes true within a moment.
template <class Condition>
bool soon(const Condition& is_so) {
  for (int n = 0; n < kLooks; ++n) {
    if (is_so()) return true;
    pause();
  }
  return false;
}

cpu_set_t only(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  return set;
}

// Keeps the calling thread on a core, and lets it go back to where it was allowed. Where the core
// cannot be had (it was taken offline) that costs speed, not correctness.
class OnCore {
 public:
  explicit OnCore(int core) {
    const cpu_set_t own = only(core);
    if (sched_getaffinity(0, sizeof(before_), &before_) != 0 || CPU_EQUAL(&before_, &own)) return;
    moved_ = sched_setaffinity(0, sizeof(own), &own) == 0;
  }
  ~OnCore() {
    if (moved_) sched_setaffinity(0, sizeof(before_), &before_);
  }
  OnCore(const OnCore&) = delete;
  OnCore& operator=(const OnCore&) = delete;

 private:
  cpu_set_t before_;
  bool moved_ = false;
};

}  // namespace

ThreadPool::ThreadPool(std::vector<int> cores) : cores_(std::move(cores)) {
  if (cores_.empty())
    throw Error(ErrorKind::kDevice, "cpu", "a CPU device needs at least one core");
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  sched_getaffinity(0, sizeof(allowed), &allowed);
  for (int core : cores_) {
    if (core < 0 || core >= CPU_SETSIZE || !CPU_ISSET(core, &allowed))
      throw Error(ErrorKind::kDevice, "cpu:" + std::to_string(core),
                  "this machine has no core " + std::to_string(core) +
                      " that this process may use; `convoy devices` lists them");
  }
  for (int thread = 1; thread < size(); ++thread) {
    try {
      threads_.emplace_back([this, thread] { thread_main(thread); });
    } catch (const std::system_error& error) {
      end_threads();
      throw Error(ErrorKind::kDevice, "cpu:" + std::to_string(cores_[threads_.size() + 1]),
                  std::string("no thread could be started (") + error.what() +
                      "); fewer devices, or fewer cores of them, need fewer threads");
    }
  }
}

ThreadPool::~ThreadPool() {
  end_threads();
}

void ThreadPool::end_threads() {
  {
    std::lock_guard lock(mutex_);
    quit_ = true;
  }
  start_.notify_all();
  for (auto& thread : threads_) thread.join();
}

// False when the pool is being destroyed. Returns with this thread counted as working.
bool ThreadPool::wait_for_work(unsigned long* seen) {
  const auto is_new = [&] { return quit_ || generation_ != *seen; };
  for (;;) {
    soon(is_new);
    std::unique_lock lock(mutex_);
    start_.wait(lock, is_new);
    if (quit_) return false;
    *seen = generation_;
    if (!open_) continue;  // too late
    ++working_;
    return true;
  }
}

void ThreadPool::work_as(int thread) {
  try {
    for (std::size_t i = next_.fetch_add(1); i < count_; i = next_.fetch_add(1)) {
      if (stop_) stop_->throw_if_stopped();
      (*work_)(i, thread);
    }
  } catch (...) {
    std::lock_guard lock(mutex_);
    if (!error_) error_ = std::current_exception();
    next_.store(count_);
  }
}

void ThreadPool::thread_main(int thread) {
  // Checked against the allowed set in the constructor.
  const cpu_set_t own = only(cores_[static_cast<std::size_t>(thread)]);
  pthread_setaffinity_np(pthread_self(), sizeof(own), &own);
  unsigned long seen = 0;
  while (wait_for_work(&seen)) {
    work_as(thread);
    std::lock_guard lock(mutex_);
    if (--working_ == 0) done_.notify_one();
  }
}

void ThreadPool::wait_for_others() {
  {
    std::lock_guard lock(mutex_);
    open_ = false;
  }
  const auto all_done = [this] { return working_ == 0; };
  soon(all_done);
  std::unique_lock lock(mutex_);
  done_.wait(lock, all_done);
}

void ThreadPool::parallel_for(std::size_t count, const std::function<void(std::size_t, int)>& work,
                              const StopToken* stop) {
  if (count == 0) return;
  std::lock_guard call(call_mutex_);
  const bool alone = count == 1 || size() == 1;
  {
    std::lock_guard lock(mutex_);
    work_ = &work;
    stop_ = stop;
    count_ = count;
    next_.store(0);
    error_ = nullptr;
    open_ = !alone;
    if (!alone) ++generation_;
  }
  if (!alone) start_.notify_all();
  {
    const OnCore own(cores_.front());
    work_as(0);
    if (!alone) wait_for_others();
  }
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

void ThreadPool::run_here(const std::function<void(int)>& work) {
  std::lock_guard call(call_mutex_);
  work(0);
}

void ThreadPool::parallel_ranges(std::size_t count, std::size_t grain,
                                 const std::function<void(std::size_t, std::size_t, int)>& work) {
  if (count == 0) return;
  grain = std::max<std::size_t>(grain, 1);
  const std::size_t grains = (count + grain - 1) / grain;
  const std::size_t parts = std::min<std::size_t>(grains, static_cast<std::size_t>(size()));
  parallel_for(parts, [&](std::size_t part, int thread) {
    const std::size_t begin = std::min(count, grains * part / parts * grain);
    const std::size_t end = std::min(count, grains * (part + 1) / parts * grain);
    if (begin < end) work(begin, end, thread);
  });
}

}  // namespace convoy
