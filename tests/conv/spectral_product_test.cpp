// The complex products of spectra against double precision: random sides, transpositions and
// strides, with every instruction set that this processor has.
#include <QTest>
#include <cmath>
#include <complex>
#include <vector>

#include "engine/base/random.h"
#include "engine/conv/spectral_product.h"
#include "engine/tensor/buffer.h"
#include "tests/conv/instruction_sets.h"

using namespace convoy;

namespace {

using Complex = std::complex<double>;

// A random matrix in two planes, of rows x columns after its transposition.
class RandomFactor {
 public:
  RandomFactor(std::size_t rows, std::size_t columns, Random& random)
      : transpose_(random.below(2) == 0 ? Transpose::kNo : Transpose::kYes),
        leading_((transpose_ == Transpose::kYes ? rows : columns) + random.below(5)),
        planes_(2 * plane(rows, columns)) {
    for (float& value : planes_.span()) value = static_cast<float>(random.normal());
    second_ = planes_.data() + plane(rows, columns);
  }
  Factor factor() const { return {planes_.data(), second_, leading_, transpose_}; }
  Complex at(std::size_t row, std::size_t column) const {
    const std::size_t n =
        transpose_ == Transpose::kYes ? column * leading_ + row : row * leading_ + column;
    return {planes_.data()[n], second_[n]};
  }

 private:
  std::size_t plane(std::size_t rows, std::size_t columns) const {
    return leading_ * (transpose_ == Transpose::kYes ? columns : rows);
  }
  Transpose transpose_;
  std::size_t leading_;
  FloatBuffer planes_;
  const float* second_ = nullptr;
};

}  // namespace

class SpectralProductTest : public QObject {
  Q_OBJECT

 private slots:
  void cleanup() { choose_all_instruction_sets(); }

  void complex_and_real_products_data() { add_instruction_sets(); }
  void complex_and_real_products() {
    QFETCH(qint64, target);
    choose_instruction_set(target);
    constexpr std::uint64_t kSeed = 5;
    Random random(kSeed);
    for (int n = 0; n < 60; ++n) {
      const auto side = [&](std::uint64_t most) {
        return 1 + static_cast<std::size_t>(random.below(most));
      };
      SpectralProduct p;
      p.rows = side(40);
      p.columns = side(n % 10 == 0 ? 1100 : 90);  // some over several blocks
      p.inner = side(n % 7 == 0 ? 1300 : 40);
      p.leading = (p.columns + 15) / 16 * 16;
      p.add = random.below(2) == 0;
      p.stream = random.below(2) == 0;
      const bool is_real = n % 4 == 0;
      const RandomFactor a(p.rows, p.inner, random), b(p.inner, p.columns, random);
      p.a = a.factor();
      p.b = b.factor();
      FloatBuffer first(p.rows * p.leading), second(p.rows * p.leading);
      for (FloatBuffer* result : {&first, &second})
        for (float& value : result->span())
          value = p.add ? static_cast<float>(random.normal()) : NAN;
      const std::vector<float> first_before(first.span().begin(), first.span().end());
      const std::vector<float> second_before(second.span().begin(), second.span().end());
      p.first = first.data();
      p.second = second.data();
      FloatBuffer work(spectral_product_work(p.columns, p.inner));
      if (is_real)
        multiply_real_spectra(p, work.data());
      else
        multiply_spectra(p, work.data());

      const double tolerance = 1e-5 * std::sqrt(static_cast<double>(p.inner) + 1);
      for (std::size_t row = 0; row < p.rows; ++row)
        for (std::size_t column = 0; column < p.columns; ++column) {
          Complex sum = 0;
          double real = 0;
          for (std::size_t k = 0; k < p.inner; ++k) {
            sum += a.at(row, k) * b.at(k, column);
            real += a.at(row, k).real() * b.at(k, column).real();
          }
          const std::size_t at = row * p.leading + column;
          // `first` is the imaginary part.
          const double want_first =
              (is_real ? real : sum.imag()) + (p.add ? first_before[at] : 0.0);
          QVERIFY2(std::abs(first.data()[at] - want_first) <= tolerance,
                   qPrintable(QString("%1 x %2 x %3, seed %4, case %5")
                                  .arg(p.rows)
                                  .arg(p.columns)
                                  .arg(p.inner)
                                  .arg(kSeed)
                                  .arg(n)));
          if (is_real) continue;
          const double want_second = sum.real() + (p.add ? second_before[at] : 0.0);
          QVERIFY(std::abs(second.data()[at] - want_second) <= tolerance);
        }
    }
  }

  // A part of a product computes what the whole would.
  void parts_make_the_whole() {
    Random random(6);
    SpectralProduct p;
    p.rows = 50, p.columns = 70, p.inner = 33, p.leading = 80;
    const RandomFactor a(p.rows, p.inner, random), b(p.inner, p.columns, random);
    p.a = a.factor();
    p.b = b.factor();
    FloatBuffer work(spectral_product_work(p.columns, p.inner));
    const auto compute = [&](std::size_t row_step, std::size_t column_step) {
      FloatBuffer result(2 * p.rows * p.leading);
      result.fill_zero();  // beyond the columns too
      p.first = result.data();
      p.second = result.data() + p.rows * p.leading;
      for (std::size_t row = 0; row < p.rows; row += row_step)
        for (std::size_t column = 0; column < p.columns; column += column_step)
          multiply_spectra(p.part(row, std::min(row_step, p.rows - row), column,
                                  std::min(column_step, p.columns - column)),
                           work.data());
      return std::vector<float>(result.span().begin(), result.span().end());
    };
    QVERIFY(compute(13, 32) == compute(p.rows, p.columns));
  }
};

QTEST_GUILESS_MAIN(SpectralProductTest)
#include "spectral_product_test.moc"
