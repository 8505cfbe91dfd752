// The matrix product: against double precision in all shapes and transpositions, and by kernels
// that are worth the processor.
#include <QFile>
#include <QTest>
#include <cmath>
#include <vector>

#include "engine/base/random.h"
#include "engine/tensor/blas.h"
#include "tests/base/logged_seed.h"

using namespace convoy;

namespace {

struct Matrix {
  std::size_t rows, columns, leading;
  std::vector<float> values;

  Matrix(std::size_t r, std::size_t c, std::size_t margin, Random& random)
      : rows(r), columns(c), leading(c + margin), values(r * leading) {
    for (float& value : values) value = static_cast<float>(random.normal());
  }
  // After transposition.
  double at(Transpose transpose, std::size_t row, std::size_t column) const {
    return transpose == Transpose::kYes ? values[column * leading + row]
                                        : values[row * leading + column];
  }
};

}  // namespace

class BlasTest : public QObject {
  Q_OBJECT

 private slots:
  void products_are_right_data() {
    QTest::addColumn<Transpose>("left");
    QTest::addColumn<Transpose>("right");
    QTest::addColumn<float>("beta");
    for (const Transpose left : {Transpose::kNo, Transpose::kYes})
      for (const Transpose right : {Transpose::kNo, Transpose::kYes})
        for (const float beta : {0.0f, 1.0f})
          QTest::addRow("%s%s, beta %g", left == Transpose::kYes ? "At" : "A",
                        right == Transpose::kYes ? "Bt" : "B", static_cast<double>(beta))
              << left << right << beta;
  }
  void products_are_right() {
    QFETCH(Transpose, left);
    QFETCH(Transpose, right);
    QFETCH(float, beta);
    Random random(test::logged_seed(3));
    for (int n = 0; n < 40; ++n) {
      const auto side = [&] { return 1 + random.below(n % 4 == 0 ? 300 : 40); };
      const std::size_t rows = side(), columns = side(), inner = side(), margin = random.below(3);
      const auto shape = [&](Transpose transpose, std::size_t r, std::size_t c) {
        return transpose == Transpose::kYes ? Matrix(c, r, margin, random)
                                            : Matrix(r, c, margin, random);
      };
      const Matrix a = shape(left, rows, inner), b = shape(right, inner, columns);
      Matrix c(rows, columns, margin, random);
      const Matrix before = c;
      if (beta == 0.0f)
        for (float& value : c.values) value = std::nanf("");
      sgemm(left, right, rows, columns, inner, a.values.data(), a.leading, b.values.data(),
            b.leading, beta, c.values.data(), c.leading);
      for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t j = 0; j < columns; ++j) {
          double sum = beta == 0.0f ? 0.0 : before.at(Transpose::kNo, i, j);
          for (std::size_t k = 0; k < inner; ++k) sum += a.at(left, i, k) * b.at(right, k, j);
          const double error = std::abs(c.at(Transpose::kNo, i, j) - sum);
          // Products of standard normals: their sum deviates by the root of their number.
          QVERIFY2(error <= 1e-5 * std::sqrt(static_cast<double>(inner + 1)),
                   qPrintable(QString("%1 x %2 x %3, element %4, %5: off by %6")
                                  .arg(rows)
                                  .arg(inner)
                                  .arg(columns)
                                  .arg(i)
                                  .arg(j)
                                  .arg(error)));
        }
    }
  }

  void an_unknown_processor_gets_the_kernels_that_its_instructions_allow() {
    QCOMPARE(better_blas_kernels("Prescott", true, true), "SkylakeX");
    QCOMPARE(better_blas_kernels("Prescott", true, false), "Haswell");
    QCOMPARE(better_blas_kernels("Prescott", false, false), "");
    for (const char* known : {"SkylakeX", "Cooperlake", "Haswell", "Zen", "Nehalem"})
      QCOMPARE(better_blas_kernels(known, true, true), "");
  }

  void this_processor_has_kernels_that_use_its_instructions() {
    QFile file("/proc/cpuinfo");
    const QByteArray flags = file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    const bool chosen_by_user = qEnvironmentVariableIsSet("OPENBLAS_CORETYPE");
    if (flags.contains(" avx2 ") && flags.contains(" fma ") && !chosen_by_user)
      QVERIFY2(blas_kernels() != "Prescott", "kernels without AVX2");
  }
};

QTEST_GUILESS_MAIN(BlasTest)
#include "blas_test.moc"
