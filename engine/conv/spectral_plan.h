// One pass of a convolution by products of spectra, planned.
#pragma once

#include <memory>

#include "engine/conv/conv_algorithm.h"
#include "engine/conv/spectral_blocking.h"

namespace convoy {

std::unique_ptr<ConvPlan> make_spectral_plan(const ConvProblem& problem, Pass pass, int threads,
                                             const SpectralBlocking& blocking,
                                             std::unique_ptr<const ConvSpectrum> spectrum);

}  // namespace convoy
