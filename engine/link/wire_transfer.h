// Moves maps or weights between the master's arrays and a worker's memory: picks the columns that
// are the worker's, rounds them to the wire's format, and sends what results over the link.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/link/link.h"
#include "engine/link/wire.h"

namespace convoy {

// `rows` rows of `columns` numbers each, `stride` numbers from the start of one to the next.
template <class Float>
struct Rows {
  Float* data = nullptr;
  std::size_t rows = 0, columns = 0, stride = 0;
  std::size_t size() const { return rows * columns; }
  operator Rows<const Float>() const { return {data, rows, columns, stride}; }
  bool dense() const { return columns == stride || rows <= 1; }
};

// One direction of a worker's link. Both ends' packing is done by the calling thread, as part of
// the transfer: piece by piece while the link is busy with the piece before. Used by one thread at
// a time.
class WireTransfer {
 public:
  // Without a link, or while it is in place, memory is copied (and rounded, should the format ask
  // for it).
  WireTransfer(Link* link, Direction direction) : link_(link), direction_(direction) {}

  // Whether there is nothing to move: who asks may use the master's memory, where it lies, as the
  // worker's own.
  bool in_place(WireFormat format, const Rows<const float>& rows) const {
    return (!link_ || link_->in_place()) && format == WireFormat::kFp32 && rows.dense();
  }

  // `from` and `to` have equally many rows and columns. Returns the bytes that travelled. Throws
  // Interrupted when stopped.
  std::uint64_t move(WireFormat format, const Rows<const float>& from, const Rows<float>& to,
                     const StopToken* stop);

 private:
  Link* link_;
  Direction direction_;
  std::vector<std::byte> packed_;  // one block, on its way
};

}  // namespace convoy
