#include "tests/bench/idle_convolutions.h"

#include <sys/resource.h>

#include <algorithm>

#include "engine/base/random.h"

namespace convoy::bench {

namespace {

constexpr std::size_t kOtherFloats = std::size_t{32} << 20;  // 128 MiB, more than any cache here
constexpr std::size_t kGrain = 1024;

long page_faults() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

}  // namespace

IdleConvolutions::IdleConvolutions(std::vector<ConvProblem> problems, ThreadPool& pool)
    : problems_(std::move(problems)),
      pool_(pool),
      // A length that no map's size divides: neighbouring maps differ.
      normal_((std::size_t{1} << 16) + 17),
      other_(kOtherFloats),
      sums_(static_cast<std::size_t>(pool.size())),
      faults_before_(page_faults()) {
  Random random(7);
  for (float& value : normal_) value = static_cast<float>(random.normal());
  other_.fill_zero();
}

void IdleConvolutions::forward(int layer, const LayerForward& operands) {
  const long before = page_faults();
  fill(operands.output, problem(layer).output_size());
  empty_caches();
  faults_inside_ += page_faults() - before;
}

void IdleConvolutions::backward(int layer, const LayerBackward& operands) {
  const long before = page_faults();
  fill(operands.grad_weight, problem(layer).weight_size());
  if (operands.grad_input) fill(operands.grad_input, problem(layer).input_size());
  empty_caches();
  faults_inside_ += page_faults() - before;
}

long IdleConvolutions::take_page_faults() {
  const long now = page_faults(), taken = now - faults_before_ - faults_inside_;
  faults_before_ = now;
  faults_inside_ = 0;
  return taken;
}

void IdleConvolutions::fill(float* values, std::size_t size) {
  const std::size_t run = normal_.size();
  pool_.parallel_for((size + run - 1) / run, [&](std::size_t index, int) {
    std::copy_n(normal_.data(), std::min(run, size - index * run), values + index * run);
  });
}

void IdleConvolutions::empty_caches() {
  pool_.parallel_ranges(other_.size(), kGrain, [&](std::size_t begin, std::size_t end, int thread) {
    float sum = 0.0F;
    for (std::size_t i = begin; i < end; i += 16) sum += other_[i];  // one of each cache line
    sums_[static_cast<std::size_t>(thread)] = sum;
  });
}

const ConvProblem& IdleConvolutions::problem(int layer) const {
  return problems_.at(static_cast<std::size_t>(layer));
}

}  // namespace convoy::bench
