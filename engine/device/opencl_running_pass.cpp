#include "engine/device/opencl_running_pass.h"

#include <limits>
#include <utility>

#include "engine/device/opencl_events.h"

namespace convoy {

OpenClRunningPass::OpenClRunningPass(OpenClContext& context, cl_command_queue queue,
                                     std::size_t slot_bytes, const StopToken* stop)
    : context_(context), queue_(queue), stop_(stop) {
  if (stop_) stop_->throw_if_stopped();
  if (slot_bytes > 0) staging_ = context_.lend_staging(slot_bytes);
}

OpenClRunningPass::~OpenClRunningPass() {
  clFlush(queue_);  // what staging waits for may be there
  staging_.reset();
  clFinish(queue_);
}

void OpenClRunningPass::end_piece() {
  ClEvent ended = make_marker(queue_, context_.id());
  if (staging_) staging_->advance();
  if (under_way_) sleep_until_over(under_way_.get(), context_.id());
  under_way_ = std::move(ended);
  if (stop_) stop_->throw_if_stopped();
}

void OpenClRunningPass::upload(cl_mem buffer, const float* host, const HostPart& part) {
  if (!staging_) return write_part(context_, queue_, buffer, host, part);
  const auto unused = unused_.find(buffer);
  staging_->upload(buffer, host, part, unused == unused_.end() ? nullptr : unused->second.get(),
                   queue_);
}

void OpenClRunningPass::set_unused(cl_mem buffer) {
  if (staging_) unused_[buffer] = make_marker(queue_, context_.id());
}

void OpenClRunningPass::download(cl_mem buffer, float* host, const HostPart& part) {
  if (!staging_) return read_part(context_, queue_, buffer, host, part);
  staging_->download(buffer, host, part, make_marker(queue_, context_.id()));
}

void OpenClRunningPass::finish_downloads(cl_mem buffer) {
  if (staging_) staging_->finish_downloads(buffer);
}

void OpenClRunningPass::finish() {
  if (staging_) {
    staging_->finish();
    context_.take_back(std::move(staging_));
  }
  // Only then is known whether all has been done.
  if (under_way_) sleep_until_over(under_way_.get(), context_.id());
}

std::size_t OpenClRunningPass::floats_at_once() const {
  return staging_ ? staging_->slot_bytes() / sizeof(float)
                  : std::numeric_limits<std::size_t>::max();
}

}  // namespace convoy
