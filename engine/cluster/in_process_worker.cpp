#include "engine/cluster/in_process_worker.h"

#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "engine/cluster/watched_link.h"
#include "engine/cluster/worker_program.h"

namespace convoy {
namespace {

std::atomic<int> left_behind{0};

void stay_on(const std::vector<int>& cores) {
  if (cores.empty()) return;  // a GPU's thread may be anywhere
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int core : cores) CPU_SET(core, &set);
  // Costs speed only, when it fails: the device's own threads were pinned, or refused, before.
  pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

}  // namespace

int threads_left_behind() {
  return left_behind.load();
}

struct InProcessWorker::State {
  State(std::unique_ptr<Device> worker_device, int place, std::unique_ptr<Link> inner)
      : device(std::move(worker_device)),
        index(place),
        link(std::move(inner)),
        program(*device, index, &link, halt) {}

  // In this order: the program goes first.
  std::unique_ptr<Device> device;
  int index;
  WatchedLink link;
  StopToken halt;  // follows the exchange under way
  WorkerProgram program;

  std::mutex mutex;
  std::condition_variable changed;
  std::optional<WorkerCommand> command;  // from start() until the thread has obeyed it
  std::shared_ptr<ExchangeContext> context;
  WorkerReport report;
  std::exception_ptr error;
  bool quit = false;
  bool left_behind = false;
};

InProcessWorker::InProcessWorker(std::unique_ptr<Device> device, int index,
                                 std::unique_ptr<Link> link)
    : state_(std::make_shared<State>(std::move(device), index, std::move(link))),
      thread_([state = state_] { thread_main(*state); }) {}

InProcessWorker::~InProcessWorker() {
  bool hanging = false;
  {
    const std::lock_guard lock(state_->mutex);
    state_->quit = true;
    hanging = state_->left_behind = state_->command.has_value();
    if (hanging) ++left_behind;
  }
  state_->changed.notify_all();
  if (hanging)
    thread_.detach();
  else
    thread_.join();
}

const DeviceInfo& InProcessWorker::info() const {
  return state_->device->info();
}

void InProcessWorker::set_link(const LinkSettings& settings) {
  state_->link.set_settings(settings);
}

void InProcessWorker::start(const WorkerCommand& command,
                            std::shared_ptr<ExchangeContext> context) {
  {
    const std::lock_guard lock(state_->mutex);
    state_->command = command;
    state_->context = std::move(context);
    state_->error = nullptr;
    state_->report = {};
    state_->link.restart();
  }
  state_->changed.notify_all();
}

bool InProcessWorker::wait_for(SteadyClock::duration time) {
  std::unique_lock lock(state_->mutex);
  return state_->changed.wait_for(lock, time, [&] { return !state_->command; });
}

WorkerReport InProcessWorker::finish() {
  const std::lock_guard lock(state_->mutex);
  if (state_->error) std::rethrow_exception(std::exchange(state_->error, nullptr));
  return std::exchange(state_->report, {});
}

SteadyClock::duration InProcessWorker::device_time() const {
  return state_->link.idle_time();
}

void InProcessWorker::thread_main(State& state) {
  pthread_setname_np(pthread_self(), ("worker " + std::to_string(state.index)).c_str());
  stay_on(state.device->info().cores);
  for (;;) {
    WorkerCommand command;
    std::shared_ptr<ExchangeContext> context;
    {
      std::unique_lock lock(state.mutex);
      state.changed.wait(lock, [&] { return state.quit || state.command; });
      if (!state.command || state.left_behind) break;
      command = *state.command;
      context = std::move(state.context);
    }
    state.halt.follow(&context->halt);
    WorkerReport report;
    std::exception_ptr error;
    try {
      report = state.program.obey(command);
    } catch (const Interrupted&) {
      error = std::current_exception();
    } catch (...) {
      error = std::current_exception();
      context->halt.request_stop();
    }
    state.halt.follow(nullptr);
    context.reset();  // the master may want the memory back
    {
      const std::lock_guard lock(state.mutex);
      state.report = std::move(report);
      state.error = std::move(error);  // the only reference from here on
      state.command.reset();
    }
    state.changed.notify_all();
  }
  if (state.left_behind) --left_behind;
}

}  // namespace convoy
