#include "engine/link/wire_transfer.h"

#include <algorithm>

namespace convoy {
namespace {

// Numbers that are packed and unpacked at once: few enough to stay in the caches in between.
constexpr std::size_t kBlock = std::size_t{1} << 15;

// Cuts two arrays of equal shape into the same blocks: of whole rows, or of numbers where neither
// has gaps.
class Blocks {
 public:
  Blocks(const Rows<const float>& from, const Rows<float>& to)
      : flat_(from.dense() && to.dense()),
        unit_(flat_ ? 1 : from.columns),
        size_(std::max<std::size_t>(1, kBlock / std::max<std::size_t>(unit_, 1)) * unit_) {}

  std::size_t size() const { return size_; }  // numbers
  template <class Float>
  Rows<Float> at(const Rows<Float>& all, std::size_t first) const {
    const std::size_t count = std::min(size_, all.size() - first);
    if (flat_) return {all.data + first, 1, count, count};
    return {all.data + first / unit_ * all.stride, count / unit_, unit_, all.stride};
  }

 private:
  bool flat_;
  std::size_t unit_, size_;
};

void copy_rows(const Rows<const float>& from, const Rows<float>& to) {
  for (std::size_t row = 0; row < from.rows; ++row)
    std::copy_n(from.data + row * from.stride, from.columns, to.data + row * to.stride);
}

}  // namespace

std::uint64_t WireTransfer::move(WireFormat format, const Rows<const float>& from,
                                 const Rows<float>& to, const StopToken* stop) {
  const std::size_t number = wire_size(format);
  const std::size_t bytes = from.size() * number;
  if (stop) stop->throw_if_stopped();
  if (bytes == 0) return 0;
  const Blocks blocks(from, to);
  packed_.resize(blocks.size() * number);
  std::size_t next = 0;  // the first number that has not been carried
  // A block goes with the piece in which it begins: so blocks, and with them the numbers' rounding,
  // do not depend on the rate.
  const Carry carry = [&](std::size_t at, std::size_t size) {
    for (; next * number < at + size; next += blocks.size()) {
      const Rows<const float> source = blocks.at(from, next);
      const Rows<float> destination = blocks.at(to, next);
      if (format == WireFormat::kFp32) {
        copy_rows(source, destination);
        continue;
      }
      const float scale =
          wire_scale(format, source.data, source.rows, source.columns, source.stride);
      pack_wire(format, scale, source.data, source.rows, source.columns, source.stride,
                packed_.data());
      unpack_wire(format, scale, packed_.data(), destination.rows, destination.columns,
                  destination.stride, destination.data);
    }
  };
  if (link_ && !link_->in_place())
    link_->transfer(direction_, bytes, carry, stop);
  else
    carry(0, bytes);
  return bytes;
}

}  // namespace convoy
