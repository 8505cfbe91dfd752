#include "engine/cluster/in_process_worker.h"

#include <pthread.h>
#include <sched.h>

namespace convoy {
namespace {

void stay_on(const std::vector<int>& cores) {
  if (cores.empty()) return;  // a GPU's thread may be anywhere
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int core : cores) CPU_SET(core, &set);
  // Costs speed only, when it fails: the device's own threads were pinned, or refused, before.
  pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

}  // namespace

InProcessWorker::InProcessWorker(std::unique_ptr<Device> device, int index,
                                 std::unique_ptr<Link> link, StopToken& halt)
    : device_(std::move(device)),
      index_(index),
      link_(std::move(link)),
      halt_(halt),
      program_(*device_, index, link_.get(), halt),
      thread_([this] { thread_main(); }) {}

InProcessWorker::~InProcessWorker() {
  {
    std::lock_guard lock(mutex_);
    quit_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void InProcessWorker::start(const WorkerCommand& command) {
  {
    std::lock_guard lock(mutex_);
    command_ = command;
    done_ = false;
    error_ = nullptr;
    report_ = {};
  }
  changed_.notify_all();
}

WorkerReport InProcessWorker::finish() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return done_; });
  command_.reset();
  if (error_) std::rethrow_exception(error_);
  return std::move(report_);
}

void InProcessWorker::thread_main() {
  pthread_setname_np(pthread_self(), ("worker " + std::to_string(index_)).c_str());
  stay_on(device_->info().cores);
  for (;;) {
    WorkerCommand command;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return quit_ || (command_ && !done_); });
      if (quit_) return;
      command = *command_;
    }
    WorkerReport report;
    std::exception_ptr error;
    try {
      report = program_.obey(command);
    } catch (const Interrupted&) {
      error = std::current_exception();
    } catch (...) {
      error = std::current_exception();
      halt_.request_stop();
    }
    {
      std::lock_guard lock(mutex_);
      report_ = std::move(report);
      error_ = error;
      done_ = true;
    }
    changed_.notify_all();
  }
}

}  // namespace convoy
