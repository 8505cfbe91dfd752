// One pass of a convolution in the frequency domain, planned.
#pragma once

#include <memory>

#include "engine/conv/conv_algorithm.h"
#include "engine/conv/fft_blocking.h"

namespace convoy {

std::unique_ptr<ConvPlan> make_fft_plan(const ConvProblem& problem, Pass pass, int threads,
                                        const FftBlocking& blocking);

}  // namespace convoy
