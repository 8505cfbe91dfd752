#include "engine/base/thread_pool.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <system_error>

namespace convoy {

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
  for (int thread = 0; thread < size(); ++thread) {
    try {
      threads_.emplace_back([this, thread] { thread_main(thread); });
    } catch (const std::system_error& error) {
      end_threads();
      throw Error(ErrorKind::kDevice, "cpu:" + std::to_string(cores_[threads_.size()]),
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

void ThreadPool::thread_main(int thread) {
  cpu_set_t own;
  CPU_ZERO(&own);
  CPU_SET(cores_[static_cast<std::size_t>(thread)], &own);
  // Checked against the allowed set in the constructor; a core taken offline since then costs
  // speed, not correctness.
  pthread_setaffinity_np(pthread_self(), sizeof(own), &own);
  unsigned long seen = 0;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      start_.wait(lock, [&] { return quit_ || generation_ != seen; });
      if (quit_) return;
      seen = generation_;
    }
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
    std::lock_guard lock(mutex_);
    if (--running_ == 0) done_.notify_one();
  }
}

void ThreadPool::parallel_for(std::size_t count, const std::function<void(std::size_t, int)>& work,
                              const StopToken* stop) {
  if (count == 0) return;
  std::lock_guard call(call_mutex_);
  std::exception_ptr error;
  {
    std::unique_lock lock(mutex_);
    work_ = &work;
    stop_ = stop;
    count_ = count;
    next_.store(0);
    running_ = size();
    ++generation_;
    error_ = nullptr;
    start_.notify_all();
    done_.wait(lock, [&] { return running_ == 0; });
    error = error_;
  }
  if (error) std::rethrow_exception(error);
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
