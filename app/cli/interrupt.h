// Ctrl-C (SIGINT) and SIGTERM ask the work to stop; a second one ends the program at once.
#pragma once

namespace convoy::cli {

// While it lives, the first signal calls target.request_stop(), which must be safe in a signal
// handler, and the next one has the system's own effect. One at a time.
class InterruptGuard {
 public:
  template <class Target>
  explicit InterruptGuard(Target& target)
      : InterruptGuard(&target,
                       [](void* object) { static_cast<Target*>(object)->request_stop(); }) {}
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

 private:
  InterruptGuard(void* target, void (*stop)(void*));
};

}  // namespace convoy::cli
