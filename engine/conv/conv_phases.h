// Where the time of a pass goes.
#pragma once

namespace convoy {

// Wall time, for algorithms that work in phases.
struct ConvPhases {
  double transform_ms = 0, product_ms = 0, inverse_ms = 0;
};

}  // namespace convoy
