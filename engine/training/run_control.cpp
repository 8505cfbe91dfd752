#include "engine/training/run_control.h"

#include <utility>

namespace convoy {

void RunControl::set_link(const LinkSettings& settings) {
  std::lock_guard lock(mutex_);
  link_ = settings;
  if (apply_link_) apply_link_(settings);
}

void RunControl::attach(std::function<void(const LinkSettings&)> apply_link) {
  std::lock_guard lock(mutex_);
  apply_link_ = std::move(apply_link);
  if (apply_link_ && link_) apply_link_(*link_);
}

std::optional<LinkSettings> RunControl::link() const {
  std::lock_guard lock(mutex_);
  return link_;
}

}  // namespace convoy
