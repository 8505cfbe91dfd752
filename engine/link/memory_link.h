// The link between a master and a worker of one process: a copy, as fast as memory allows.
#pragma once

#include "engine/link/link.h"

namespace convoy {

class MemoryLink : public Link {
 public:
  void transfer(Direction direction, std::size_t bytes, const Carry& carry,
                const StopToken* stop) override;
  bool in_place() const override { return true; }
  // Has no rate of its own; ThrottledLink gives one.
  void set_settings(const LinkSettings&) override {}
};

}  // namespace convoy
