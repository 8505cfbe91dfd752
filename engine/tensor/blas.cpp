#include "engine/tensor/blas.h"

#include <cblas.h>
#include <hwy/targets.h>

#include <cstdlib>
#include <sstream>

// Of OpenBLAS, in no header of it; absent where it was built for one processor only.
extern "C" {
[[gnu::weak]] void gotoblas_dynamic_init();
[[gnu::weak]] void gotoblas_dynamic_quit();
}

namespace convoy {
namespace {

constexpr const char* kKernelsVariable = "OPENBLAS_CORETYPE";

void take_better_kernels() {
  if (std::getenv(kKernelsVariable) || !gotoblas_dynamic_init || !gotoblas_dynamic_quit) return;
#if HWY_ARCH_X86
  const auto has = [](std::int64_t target) { return (hwy::SupportedTargets() & target) != 0; };
  const std::string better =
      better_blas_kernels(openblas_get_corename(), has(HWY_AVX2), has(HWY_AVX3));
  if (better.empty()) return;
  setenv(kKernelsVariable, better.c_str(), 1);
  gotoblas_dynamic_quit();
  gotoblas_dynamic_init();
  unsetenv(kKernelsVariable);
#endif
}

// Before anything else is asked of OpenBLAS.
void prepare_once() {
  static const bool prepared = [] {
    openblas_set_num_threads(1);
    take_better_kernels();
    return true;
  }();
  static_cast<void>(prepared);
}

}  // namespace

std::string better_blas_kernels(const std::string& chosen, bool avx2, bool avx512) {
  if (chosen != "Prescott" || !avx2) return "";
  return avx512 ? "SkylakeX" : "Haswell";
}

void sgemm(Transpose transpose_a, Transpose transpose_b, std::size_t rows, std::size_t columns,
           std::size_t inner, const float* a, std::size_t lda, const float* b, std::size_t ldb,
           float beta, float* c, std::size_t ldc) {
  prepare_once();
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
  prepare_once();
  return openblas_get_corename();
}

}  // namespace convoy
