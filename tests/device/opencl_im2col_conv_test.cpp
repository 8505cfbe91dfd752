// Every pass of a layer on an OpenCL device against the reference, whole and in pieces.
#include "engine/device/opencl_im2col_conv.h"

#include <QTest>
#include <cmath>

#include "engine/device/discovery.h"
#include "tests/conv/random_convolution.h"
#include "tests/device/first_opencl_device.h"

using namespace convoy;

namespace {

constexpr std::size_t kPlenty = std::size_t{1} << 30;

OpenClLimits limits(std::size_t total, bool in_place) {
  return {total, total, 1e15, 1 << 30, in_place};
}

void set_operands(DeviceConv& conv, const Arrays& arrays) {
  conv.set_operand(Operand::kInput, arrays.input.data());
  conv.set_operand(Operand::kWeight, arrays.weight.data());
  conv.set_operand(Operand::kGradOutput, arrays.grad_output.data());
}

}  // namespace

class OpenClIm2colConvTest : public QObject {
  Q_OBJECT

 private slots:
  void initTestCase() {
    context_ = shared_opencl_context(first_opencl_device());
    pool_ = std::make_unique<ThreadPool>(available_cores());
  }
  void cleanupTestCase() { pool_.reset(); }

  void whole_numbers_are_exact_data() {
    QTest::addColumn<QString>("product");
    QTest::addColumn<bool>("in_place");
    for (const std::string& name : product_names(DeviceKind::kCpu))
      for (const bool in_place : {true, false})
        QTest::addRow("%s %s", name.c_str(), in_place ? "in place" : "copied")
            << QString::fromStdString(name) << in_place;
  }
  void whole_numbers_are_exact() {
    QFETCH(QString, product);
    QFETCH(bool, in_place);
    Random random(seed(11));
    for (int round = 0; round < 30; ++round) {
      const ConvProblem p = random_problem(random);
      const Arrays arrays(p, random);
      OpenClIm2colConv conv(context_, p, product.toStdString(), limits(kPlenty, in_place));
      set_operands(conv, arrays);
      compare(conv, arrays, p);
    }
  }

  void pieces_of_any_size_give_the_same_data() {
    QTest::addColumn<QString>("product");
    for (const std::string& name : product_names(DeviceKind::kCpu))
      QTest::newRow(name.c_str()) << QString::fromStdString(name);
  }
  void pieces_of_any_size_give_the_same() {
    QFETCH(QString, product);
    Random random(seed(12));
    int cut_pictures = 0, cut_kernels = 0, cut_positions = 0;
    for (int round = 0; round < 6; ++round) {
      const ConvProblem p = random_problem(random);
      const Arrays arrays(p, random);
      const int positions = p.out_height() * p.out_width();
      std::size_t total = 4 * (p.input_size() * 2 + p.weight_size() * 2 + p.output_size() * 2);
      for (int step = 0; step < 6; ++step, total -= total / 3) {
        try {
          OpenClIm2colConv conv(context_, p, product.toStdString(), limits(total, step % 2));
          const OpenClBlocks blocks = conv.blocks();
          const int pieces = parts(p.batch, blocks.batch) * parts(p.out_channels, blocks.kernels) *
                             parts(positions, blocks.positions);
          if (pieces > 200) break;  // nothing new, but slow
          cut_pictures += blocks.batch < p.batch;
          cut_kernels += blocks.kernels < p.out_channels;
          cut_positions += blocks.positions < positions;
          set_operands(conv, arrays);
          compare(conv, arrays, p);
        } catch (const Error& error) {
          QVERIFY2(QString(error.what()).contains("may be used"), error.what());
          break;
        }
      }
    }
    QVERIFY(cut_pictures > 0);
    QVERIFY(cut_kernels > 0);
    QVERIFY(cut_positions > 0);
  }

  void rounding_stays_small_and_is_the_same_every_time() {
    Random random(seed(13));
    ConvProblem p;
    p.batch = 19;
    p.in_channels = 30;
    p.in_height = p.in_width = 12;
    p.out_channels = 45;
    p.kernel_height = p.kernel_width = 5;
    p.padding = Padding::same(5, 5);
    Arrays arrays(p);
    fill_normal(arrays.input, random);
    fill_normal(arrays.weight, random);
    fill_normal(arrays.grad_output, random);
    for (const std::string& name : product_names(DeviceKind::kCpu)) {
      OpenClIm2colConv conv(context_, p, name, limits(kPlenty, true));
      OpenClIm2colConv again(context_, p, name, limits(kPlenty, true));
      set_operands(conv, arrays);
      set_operands(again, arrays);
      for (const Pass pass : kAllPasses) {
        GuardedBuffer result(result_size(p, pass)), second(result_size(p, pass));
        conv.run(pass, result.data(), nullptr);
        again.run(pass, second.data(), nullptr);
        QVERIFY(std::memcmp(result.data(), second.data(), result.span().size_bytes()) == 0);
        const auto expected = run_reference(p, pass, arrays, *pool_);
        double error = 0.0, norm = 0.0;
        for (std::size_t i = 0; i < expected.size(); ++i) {
          error += std::pow(static_cast<double>(result.data()[i]) - expected[i], 2);
          norm += std::pow(static_cast<double>(expected[i]), 2);
        }
        const double relative = std::sqrt(error / norm);
        // Single precision rounds to 6e-8; sums of some 2000 terms lose a few bits of that.
        QVERIFY2(relative < 2e-6,
                 qPrintable(QString("%1 %2: %3").arg(name.c_str(), pass_name(pass)).arg(relative)));
      }
    }
  }

  void operands_that_are_set_again_are_read_again_data() {
    QTest::addColumn<bool>("in_place");
    QTest::newRow("in place") << true;
    QTest::newRow("copied") << false;
  }
  void operands_that_are_set_again_are_read_again() {
    QFETCH(bool, in_place);
    Random random(seed(14));
    const ConvProblem p = random_problem(random);
    Arrays arrays(p, random);
    OpenClIm2colConv conv(context_, p, "vector", limits(kPlenty, in_place));
    set_operands(conv, arrays);
    compare(conv, arrays, p);
    for (int round = 0; round < 4; ++round) {
      // The same memory with other contents, as a training loop does it.
      fill_integers(arrays.weight, random);
      conv.set_operand(Operand::kWeight, arrays.weight.data());
      compare(conv, arrays, p);
      fill_integers(arrays.input, random);
      fill_integers(arrays.grad_output, random);
      conv.set_operand(Operand::kInput, arrays.input.data());
      conv.set_operand(Operand::kGradOutput, arrays.grad_output.data());
      compare(conv, arrays, p);
    }
  }

 private:
  static std::uint64_t seed(std::uint64_t value) {
    qInfo("seed %llu", static_cast<unsigned long long>(value));
    return value;
  }

  static int parts(int total, int block) { return (total + block - 1) / block; }

  // All passes, each twice: the first travels with the operands, the second finds them there.
  void compare(OpenClIm2colConv& conv, const Arrays& arrays, const ConvProblem& p) {
    for (const Pass pass : kAllPasses) {
      const auto expected = run_reference(p, pass, arrays, *pool_);
      for (int turn = 0; turn < 2; ++turn) {
        GuardedBuffer result(expected.size());
        conv.run(pass, result.data(), nullptr);
        const auto wrong = std::mismatch(expected.begin(), expected.end(), result.data());
        if (wrong.first != expected.end())
          QFAIL(qPrintable(QString("%1 of %2 in blocks of %3 pictures, %4 kernels, %5 positions: "
                                   "element %6 is %7, not %8")
                               .arg(pass_name(pass), problem_text(p))
                               .arg(conv.blocks().batch)
                               .arg(conv.blocks().kernels)
                               .arg(conv.blocks().positions)
                               .arg(wrong.first - expected.begin())
                               .arg(*wrong.second)
                               .arg(*wrong.first)));
        QVERIFY(result.guards_are_whole());
      }
    }
  }

  std::shared_ptr<OpenClContext> context_;
  std::unique_ptr<ThreadPool> pool_;
};

QTEST_GUILESS_MAIN(OpenClIm2colConvTest)
#include "opencl_im2col_conv_test.moc"
