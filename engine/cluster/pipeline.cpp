#include "engine/cluster/pipeline.h"

#include <condition_variable>
#include <exception>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>

#include "engine/base/error.h"

namespace convoy {
namespace {

// How many chunks a stage has done, for the next stage to wait for.
class Progress {
 public:
  void advance() {
    {
      const std::lock_guard lock(mutex_);
      ++done_;
    }
    changed_.notify_all();
  }
  // No more will come.
  void give_up() {
    {
      const std::lock_guard lock(mutex_);
      given_up_ = true;
    }
    changed_.notify_all();
  }
  void wait_for(int chunk) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return done_ > chunk || given_up_; });
    if (done_ <= chunk) throw Interrupted();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int done_ = 0;
  bool given_up_ = false;
};

// The first exception that is not just an echo of another stage's.
class Failure {
 public:
  void note(std::exception_ptr error, bool echo) {
    const std::lock_guard lock(mutex_);
    if (!error_ || (is_echo_ && !echo)) {
      error_ = std::move(error);
      is_echo_ = echo;
    }
  }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::mutex mutex_;
  std::exception_ptr error_;
  bool is_echo_ = false;
};

}  // namespace

void run_pipeline(int chunks, bool side_by_side, const Stage& receive, const Stage& compute,
                  const Stage& send, const StopToken& stop) {
  if (!side_by_side) {
    for (int chunk = 0; chunk < chunks; ++chunk) {
      receive(chunk, stop);
      compute(chunk, stop);
      send(chunk, stop);
    }
    return;
  }
  StopToken halt(&stop);
  Failure failure;
  Progress received, computed;
  const auto run = [&](const Stage& stage, Progress* before, Progress* after) {
    try {
      for (int chunk = 0; chunk < chunks; ++chunk) {
        if (before) before->wait_for(chunk);
        stage(chunk, halt);
        if (after) after->advance();
      }
    } catch (const Interrupted&) {
      failure.note(std::current_exception(), true);
      halt.request_stop();
    } catch (...) {
      failure.note(std::current_exception(), false);
      halt.request_stop();
    }
    if (after) after->give_up();
  };
  std::jthread receiver, sender;
  try {
    receiver = std::jthread([&] { run(receive, nullptr, &received); });
    sender = std::jthread([&] { run(send, &computed, nullptr); });
  } catch (const std::system_error& error) {
    halt.request_stop();
    throw Error(ErrorKind::kRun, "overlapping transfers",
                std::string("no thread could be started (") + error.what() + ")");
  }
  run(compute, &received, &computed);
  receiver.join();
  sender.join();
  failure.rethrow();
}

}  // namespace convoy
