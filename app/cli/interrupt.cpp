#include "app/cli/interrupt.h"

#include <atomic>
#include <csignal>

namespace convoy::cli {
namespace {

// Lock-free, so that the handler may read them.
std::atomic<void*> stop_target{nullptr};
std::atomic<void (*)(void*)> stop_function{nullptr};
static_assert(std::atomic<void*>::is_always_lock_free);

extern "C" void on_signal(int) {
  void* const target = stop_target.load();
  if (target) stop_function.load()(target);
}

}  // namespace

InterruptGuard::InterruptGuard(void* target, void (*stop)(void*)) {
  stop_function = stop;
  stop_target = target;
  struct sigaction action {};
  action.sa_handler = on_signal;
  // SA_RESETHAND makes the second signal deadly, for work that does not listen.
  action.sa_flags = SA_RESTART | static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

InterruptGuard::~InterruptGuard() {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  stop_target = nullptr;
}

}  // namespace convoy::cli
