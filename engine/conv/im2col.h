// Parts of the matrix whose product with the weights is a convolution (im2col, Chellapilla et al.
// 2006), and its adjoint.
//
// The column matrix has a row for every element of a kernel, (channel, i, j), and a column for
// every element of an output map, (y, x, image): kernel_elements() x (out_height * out_width *
// batch). With the batch innermost a row of it at stride 1 is a copy of whole image rows, shifted.
#pragma once

#include <cstddef>

#include "engine/conv/conv_problem.h"
#include "engine/conv/range.h"

namespace convoy {

// The part `rows` x `columns`, zero where the kernel lies on padding, to `block`, row-major with
// columns.size() floats a row.
void im2col(const ConvProblem& problem, const float* input, Range rows, Range columns,
            float* block);

// Adds every element of `block` to the input element that im2col would have taken it from.
// `grad_input` has the whole input's shape. Blocks of different channels touch different elements.
void add_col2im(const ConvProblem& problem, const float* block, Range rows, Range columns,
                float* grad_input);

}  // namespace convoy
