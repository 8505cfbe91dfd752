// The matrix product behind every dense layer.
//
// OpenBLAS computes each product with one thread; parallelism comes from many products at once, one
// on each thread of a device. Its own threads would leave the device's cores, and the packaged
// version serialises multi-threaded calls from several threads (OpenBLAS issue 4217).
#pragma once

#include <cstddef>
#include <string>

namespace convoy {

enum class Transpose { kNo, kYes };

// C = A * B + beta * C in single precision, row-major; A is rows x inner and B is inner x columns
// after their transpositions, each with its leading dimension. When beta is 0, C is only written.
// No size may pass kMaxBlasSize. Safe to call from several threads.
void sgemm(Transpose transpose_a, Transpose transpose_b, std::size_t rows, std::size_t columns,
           std::size_t inner, const float* a, std::size_t lda, const float* b, std::size_t ldb,
           float beta, float* c, std::size_t ldc);

inline constexpr std::size_t kMaxBlasSize = 0x7fffffff;

std::string blas_version();  // "OpenBLAS 0.3.21"
std::string blas_kernels();  // the processor that its kernels were written for: "SkylakeX"

// OpenBLAS takes kernels of 2004 on processors that came after it, a fifth as fast as those that
// their instructions allow. The kernels to take instead of `chosen` with these instructions (FMA is
// part of avx2); empty where there are no better ones, or OpenBLAS knew the processor. sgemm() and
// blas_kernels() follow this, unless the user has set OPENBLAS_CORETYPE.
std::string better_blas_kernels(const std::string& chosen, bool avx2, bool avx512);

}  // namespace convoy
