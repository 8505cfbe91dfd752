#include "engine/link/wire_transfer.h"

#include <algorithm>

namespace convoy {

std::byte* WireTransfer::staging(std::vector<std::byte>& buffer, std::size_t bytes) {
  if (buffer.size() < bytes) buffer.resize(bytes);
  return buffer.data();
}

std::uint64_t WireTransfer::move(WireFormat format, const Rows<const float>& from,
                                 const Rows<float>& to, const StopToken* stop) {
  const std::size_t bytes = from.size() * wire_size(format);
  if (stop) stop->throw_if_stopped();
  const bool as_is = format == WireFormat::kFp32;
  Link* const link = link_ && !link_->in_place() ? link_ : nullptr;
  if (as_is && !link) {
    // Row by row, from one array into the other.
    const std::size_t runs = from.dense() && to.dense() ? 1 : from.rows;
    const std::size_t run = from.size() / std::max<std::size_t>(runs, 1);
    for (std::size_t i = 0; i < runs; ++i)
      std::copy_n(from.data + i * from.stride, run, to.data + i * to.stride);
    return bytes;
  }
  const float scale = wire_scale(format, from.data, from.rows, from.columns, from.stride);
  std::span<const std::byte> source;
  if (as_is && from.dense()) {
    source = std::as_bytes(std::span(from.data, from.size()));
  } else {
    std::byte* const packed = staging(sent_, bytes);
    pack_wire(format, scale, from.data, from.rows, from.columns, from.stride, packed);
    source = {packed, bytes};
  }
  if (!link) {
    unpack_wire(format, scale, source.data(), to.rows, to.columns, to.stride, to.data);
    return bytes;
  }
  if (as_is && to.dense()) {
    link->transfer(direction_, source, std::as_writable_bytes(std::span(to.data, to.size())), stop);
    return bytes;
  }
  std::byte* const arrived = staging(received_, bytes);
  link->transfer(direction_, source, {arrived, bytes}, stop);
  unpack_wire(format, scale, arrived, to.rows, to.columns, to.stride, to.data);
  return bytes;
}

}  // namespace convoy
