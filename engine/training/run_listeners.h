// All listeners of a run as one.
#pragma once

#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "engine/results/run_events.h"

namespace convoy {

// Hands every event to every listener, the files first.
class RunListeners {
 public:
  explicit RunListeners(std::vector<RunListener*> listeners) : listeners_(std::move(listeners)) {}
  template <class Event>
  void tell(const Event& event) const {
    for (RunListener* listener : listeners_) event(*listener);
  }
  void phase(RunPhase phase, const std::string& what, int done, int total) const {
    tell([&](RunListener& l) { l.on_phase(phase, what, done, total); });
  }
  void message(Severity severity, const std::string& text) const {
    tell([&](RunListener& l) { l.on_message(severity, text); });
  }
  // Every listener hears of the end, also when one of them fails to write it down.
  void finished(const RunSummary& summary) const {
    std::exception_ptr failure;
    for (RunListener* listener : listeners_) {
      try {
        listener->on_finished(summary);
      } catch (...) {
        if (!failure) failure = std::current_exception();
      }
    }
    if (failure) std::rethrow_exception(failure);
  }

 private:
  std::vector<RunListener*> listeners_;
};

}  // namespace convoy
