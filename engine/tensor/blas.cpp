#include "engine/tensor/blas.h"

#include <cblas.h>

#include <sstream>

namespace convoy {

void sgemm(Transpose transpose_a, Transpose transpose_b, std::size_t rows, std::size_t columns,
           std::size_t inner, const float* a, std::size_t lda, const float* b, std::size_t ldb,
           float beta, float* c, std::size_t ldc) {
  static const bool one_thread = [] {
    openblas_set_num_threads(1);
    return true;
  }();
  static_cast<void>(one_thread);
  const auto order = [](Transpose t) { return t == Transpose::kYes ? CblasTrans : CblasNoTrans; };
  const auto size = [](std::size_t n) { return static_cast<blasint>(n); };
  cblas_sgemm(CblasRowMajor, order(transpose_a), order(transpose_b), size(rows), size(columns),
              size(inner), 1.0f, a, size(lda), b, size(ldb), beta, c, size(ldc));
}

std::string blas_version() {
  std::istringstream config(openblas_get_config());
  std::string name, version;
  config >> name >> version;
  return name + " " + version;
}

std::string blas_kernels() {
  return openblas_get_corename();
}

}  // namespace convoy
