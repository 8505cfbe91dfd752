#include "engine/device/opencl_staging.h"

#include <algorithm>
#include <utility>

#include "engine/device/opencl_events.h"

namespace convoy {
namespace {

// Calls copy(offset in the host's matrix, offset in the range, floats) for the runs of neighbours
// in a range of the part's floats.
template <class Copy>
void for_runs(const HostPart& part, std::size_t begin, std::size_t end, const Copy& copy) {
  if (part.columns == part.width)
    return copy(part.first_row * part.width + begin, std::size_t{0}, end - begin);
  for (std::size_t at = begin; at < end;) {
    const std::size_t row = at / part.columns, column = at % part.columns;
    const std::size_t run = std::min(part.columns - column, end - at);
    copy((part.first_row + row) * part.width + part.first_column + column, at - begin, run);
    at += run;
  }
}

}  // namespace

OpenClStaging::OpenClStaging(const OpenClContext& context, std::size_t slot_bytes)
    : context_(context), slot_bytes_(std::max(slot_bytes, sizeof(float))) {
  for (Direction* direction : {&up_, &down_}) {
    direction->queue = context_.make_queue();
    map_slots(*direction);
  }
}

void OpenClStaging::map_slots(Direction& direction) {
  for (Slot& slot : direction.ring) {
    slot.pinned = context_.make_pinned_buffer(slot_bytes_);
    cl_int code = CL_SUCCESS;
    slot.memory = static_cast<float*>(clEnqueueMapBuffer(direction.queue.get(), slot.pinned.get(),
                                                         CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, 0,
                                                         slot_bytes_, 0, nullptr, nullptr, &code));
    cl_check(code, "clEnqueueMapBuffer", context_.id());
  }
}

OpenClStaging::~OpenClStaging() {
  for (Direction* direction : {&up_, &down_}) {
    if (!direction->queue) continue;
    clFinish(direction->queue.get());
    for (Slot& slot : direction->ring)
      if (slot.memory)
        clEnqueueUnmapMemObject(direction->queue.get(), slot.pinned.get(), slot.memory, 0, nullptr,
                                nullptr);
    clFinish(direction->queue.get());
  }
}

void OpenClStaging::upload(cl_mem buffer, const float* host, const HostPart& part, cl_event unused,
                           cl_command_queue reader) {
  const std::size_t floats = part.rows * part.columns;
  cl_event last = nullptr;
  for (std::size_t begin = 0; begin < floats; begin += slot_floats()) {
    const std::size_t end = std::min(floats, begin + slot_floats());
    Slot& slot = up_.take();
    if (slot.moved) sleep_until_over(slot.moved.get(), context_.id());
    slot.moved.reset();
    for_runs(part, begin, end, [&](std::size_t from, std::size_t to, std::size_t run) {
      std::copy_n(host + from, run, slot.memory + to);
    });
    cl_event moved = nullptr;
    cl_check(clEnqueueWriteBuffer(up_.queue.get(), buffer, CL_FALSE,
                                  (part.device_offset + begin) * sizeof(float),
                                  (end - begin) * sizeof(float), slot.memory, unused ? 1 : 0,
                                  unused ? &unused : nullptr, &moved),
             "clEnqueueWriteBuffer", context_.id());
    slot.moved = ClEvent(moved);
    cl_check(clFlush(up_.queue.get()), "clFlush", context_.id());
    last = moved;
  }
  begin_after(reader, last, context_.id());  // the queue is in order: the last is enough
}

void OpenClStaging::download(cl_mem buffer, float* host, const HostPart& part, ClEvent made) {
  wanted_.push_back({buffer, host, part, 0, std::move(made)});
  advance();
}

void OpenClStaging::begin_downloads() {
  while (!wanted_.empty() && moving_.size() < kSlots) {
    Wanted& wanted = wanted_.front();
    const std::size_t floats = wanted.part.rows * wanted.part.columns;
    const std::size_t begin = wanted.begin, end = std::min(floats, begin + slot_floats());
    Slot& slot = down_.take();
    const cl_event made = wanted.made.get();
    cl_event moved = nullptr;
    cl_check(clEnqueueReadBuffer(down_.queue.get(), wanted.buffer, CL_FALSE,
                                 (wanted.part.device_offset + begin) * sizeof(float),
                                 (end - begin) * sizeof(float), slot.memory, 1, &made, &moved),
             "clEnqueueReadBuffer", context_.id());
    slot.moved = ClEvent(moved);
    cl_check(clFlush(down_.queue.get()), "clFlush", context_.id());
    moving_.push_back({wanted.buffer, wanted.host, wanted.part, begin, end, &slot});
    wanted.begin = end;
    if (end == floats) wanted_.pop_front();
  }
}

void OpenClStaging::end_download() {
  const Moving& moving = moving_.front();
  sleep_until_over(moving.slot->moved.get(), context_.id());
  for_runs(moving.part, moving.begin, moving.end,
           [&](std::size_t to, std::size_t from, std::size_t run) {
             std::copy_n(moving.slot->memory + from, run, moving.host + to);
           });
  moving.slot->moved.reset();
  moving_.pop_front();
}

void OpenClStaging::advance() {
  begin_downloads();
  while (!moving_.empty() && is_over(moving_.front().slot->moved.get(), context_.id())) {
    end_download();
    begin_downloads();
  }
}

void OpenClStaging::finish_downloads(cl_mem buffer) {
  const auto is_of = [buffer](const auto& transfer) { return transfer.buffer == buffer; };
  while (std::ranges::any_of(moving_, is_of) || std::ranges::any_of(wanted_, is_of)) {
    begin_downloads();
    end_download();
  }
}

void OpenClStaging::finish() {
  while (!moving_.empty() || !wanted_.empty()) {
    begin_downloads();
    end_download();
  }
  for (Slot& slot : up_.ring) {
    if (slot.moved) sleep_until_over(slot.moved.get(), context_.id());
    slot.moved.reset();
  }
}

}  // namespace convoy
