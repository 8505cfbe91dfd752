#include "engine/training/run_control.h"

#include <algorithm>
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

void RunControl::readmit(const std::string& device) {
  const std::lock_guard lock(mutex_);
  if (std::find(readmissions_.begin(), readmissions_.end(), device) == readmissions_.end())
    readmissions_.push_back(device);
}

std::vector<std::string> RunControl::take_readmissions() {
  const std::lock_guard lock(mutex_);
  return std::exchange(readmissions_, {});
}

std::optional<LinkSettings> RunControl::link() const {
  std::lock_guard lock(mutex_);
  return link_;
}

}  // namespace convoy
