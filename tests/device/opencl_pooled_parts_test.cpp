// Layers that pool on an OpenCL device and work in parts of the batch, as where transfers overlap
// with computing: by every algorithm, against the same layer in one piece.
#include <QTest>
#include <cmath>

#include "engine/device/opencl_mixed_conv.h"
#include "tests/device/first_opencl_device.h"
#include "tests/device/opencl_conv_case.h"
#include "tests/device/opencl_layer.h"
#include "tests/device/opencl_pooled_case.h"

using namespace convoy;
using convoy::test::logged_seed;

namespace {

// Two at least, adjoining, from the first picture to the last; all but the last multiples of 16.
std::vector<Range> random_parts(const ConvProblem& p, Random& random) {
  const auto batch = static_cast<std::size_t>(p.batch);
  std::vector<Range> parts;
  for (std::size_t begin = 0, end = 0; begin < batch; begin = end) {
    end = std::min(batch, begin + 16 * (1 + random.below(2)));
    parts.push_back({begin, end});
  }
  return parts;
}

// Called before each part, numbered from 0.
using BeforePart = std::function<void(Pass pass, std::size_t part, Range pictures)>;

// A pass whose operand arrives part by part. Until a part is computed its results are untouched.
void run_parts(DeviceConv& conv, Pass pass, const std::vector<Range>& parts,
               const FloatBuffer& from, FloatBuffer& arrived, std::vector<float>& result,
               const BeforePart& before) {
  constexpr float kUntouched = -12345.0f;
  const std::size_t batch = parts.back().end;
  std::ranges::fill(result, kUntouched);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    for (std::size_t row = 0; row < from.size(); row += batch)
      std::copy(from.data() + row + parts[i].begin, from.data() + row + parts[i].end,
                arrived.data() + row + parts[i].begin);
    if (before) before(pass, i, parts[i]);
    conv.run_part(pass, parts[i], result.data(), nullptr);
    for (std::size_t k = 0; k < result.size(); ++k)
      QVERIFY2(k % batch < parts[i].end || result[k] == kUntouched, pass_name(pass));
  }
}

FloatBuffer not_there_yet(std::size_t size) {
  FloatBuffer buffer(size);
  for (float& value : buffer.span()) value = std::nanf("");
  return buffer;
}

// The two exchanges are cut each in its own way.
PooledStep step_in_parts(DeviceConv& conv, const PooledCase& given, Random& random,
                         const BeforePart& before = {}) {
  const ConvProblem& p = given.problem;
  PooledStep step(p);
  FloatBuffer input = not_there_yet(p.input_size()), gradient = not_there_yet(p.pooled_size());
  conv.set_operand(Operand::kInput, input.data());
  conv.set_operand(Operand::kWeight, given.arrays.weight.data());
  conv.set_bias(given.bias.data(), true);
  run_parts(conv, Pass::kForward, random_parts(p, random), given.arrays.input, input, step.pooled,
            before);
  conv.set_operand(Operand::kGradOutput, gradient.data());
  run_parts(conv, Pass::kBackwardData, random_parts(p, random), given.grad_pooled, gradient,
            step.grad_input, before);
  conv.set_grad_bias(step.grad_bias.data());
  conv.run(Pass::kBackwardWeights, step.grad_weight.data(), nullptr);
  return step;
}

void same_bits(const PooledStep& found, const PooledStep& expected, const ConvProblem& p) {
  compare(found, expected, 0.0, p);
  QVERIFY2(found.grad_bias == expected.grad_bias, qPrintable(problem_text(p)));
}

OpenClLimits in_parts(bool in_place, int staging = 0) {
  OpenClLimits limits = opencl_limits(kPlenty, in_place, static_cast<std::size_t>(staging));
  limits.in_parts = true;
  return limits;
}

// An odd batch of several parts; and several kernels: what a single bias' gradient adds up may
// nearly cancel out, and rounding then is large beside it.
ConvProblem random_problem_of_parts(Random& random, bool transformable) {
  ConvProblem p = random_pooled(random, transformable);
  p.batch = 33 + 2 * static_cast<int>(random.below(24));
  p.out_channels = std::max(p.out_channels, 3);
  return p;
}

}  // namespace

class OpenClPooledPartsTest : public QObject {
  Q_OBJECT

 private slots:
  void initTestCase() {
    context_ = shared_opencl_context(first_opencl_device());
    as_gpu_ = first_opencl_device_as_gpu();
  }
  void cleanupTestCase() { as_gpu_.reset(); }
  void cleanup() { opencl_layer::end_injection(); }

  void parts_give_the_bits_of_the_whole_data() {
    QTest::addColumn<QString>("domain");
    QTest::addColumn<bool>("gpu");
    QTest::addColumn<bool>("in_place");
    QTest::addColumn<int>("staging");
    for (const char* domain : {"im2col", "fft"}) {
      QTest::addRow("%s in place", domain) << QString(domain) << false << true << 0;
      QTest::addRow("%s copied", domain) << QString(domain) << false << false << 0;
      QTest::addRow("%s staged", domain) << QString(domain) << false << false << 700;
      QTest::addRow("%s as a GPU", domain) << QString(domain) << true << false << 700;
    }
  }
  void parts_give_the_bits_of_the_whole() {
    QFETCH(QString, domain);
    QFETCH(bool, gpu);
    QFETCH(bool, in_place);
    QFETCH(int, staging);
    const auto& context = gpu ? as_gpu_ : context_;
    const QString product = gpu ? "tiled" : "vector";
    Random random(logged_seed(71));
    for (int round = 0; round < 2; ++round) {
      const ConvProblem p = random_problem_of_parts(random, domain == "fft");
      const PooledCase given(p, random);
      const auto plain =
          make_by(domain, context, p, product, opencl_limits(kPlenty, in_place), nullptr);
      const PooledStep expected = step_on_host(*plain, given);
      OpenClLimits limits = in_parts(in_place, staging);
      for (const bool cut : {false, true}) {  // into blocks of pictures or kernels, and columns
        if (cut) limits.piece_columns = 100;
        const auto conv = make_by(domain, context, p, product, limits, pooling_of(p, context));
        QVERIFY(conv->pools() && conv->works_in_parts());
        limits.total = conv->device_bytes() / 2;
        const PooledStep whole = step_on_device(*conv, *conv, given);
        compare(whole, expected, cut ? 2e-6 : 0.0, p);
        for (int step = 0; step < 2; ++step)  // again, with all that is still there
          same_bits(step_in_parts(*conv, given, random), whole, p);
      }
    }
  }

  // One algorithm's choices, made in parts, serve another one's backward passes.
  void a_mix_works_in_parts() {
    using Names = std::array<std::string, 3>;
    Random random(logged_seed(72));
    for (const Names& names : {Names{"im2col", "fft", "fft"}, Names{"fft", "im2col", "fft"},
                               Names{"fft", "fft", "im2col"}, Names{"im2col", "im2col", "fft"}}) {
      const ConvProblem p = random_problem_of_parts(random, true);
      const PooledCase given(p, random);
      const auto pooling = pooling_of(p, context_);
      OpenClMixedConv mixed(
          names, in_parts(true), [&](const std::string& name, const OpenClLimits& own) {
            return make_by(QString::fromStdString(name), context_, p, "vector", own, pooling);
          });
      QVERIFY(mixed.pools() && mixed.works_in_parts());
      same_bits(step_in_parts(mixed, given, random), step_on_device(mixed, mixed, given), p);
    }
  }

  // What a product cannot do in parts is refused, and still done in one piece.
  void clblast_pools_in_one_piece_only_data() { domains(); }
  void clblast_pools_in_one_piece_only() {
    QFETCH(QString, domain);
    Random random(logged_seed(73));
    const ConvProblem p = make_problem(37, 3, 8, 4, 3);
    const PooledCase given(p, random);
    const auto conv =
        make_by(domain, context_, p, "clblast", in_parts(true), pooling_of(p, context_));
    QVERIFY(conv->pools() && !conv->works_in_parts());
    PooledStep step(p);
    conv->set_operand(Operand::kInput, given.arrays.input.data());
    conv->set_operand(Operand::kWeight, given.arrays.weight.data());
    conv->set_bias(given.bias.data(), true);
    const QString refused = error_of([&] {
      conv->run_part(Pass::kForward, {0, 16}, step.pooled.data(), nullptr);
    });
    QVERIFY2(refused.contains("clblast") && refused.contains("does not work in parts"),
             qPrintable(refused));
    const auto plain =
        make_by(domain, context_, p, "clblast", opencl_limits(kPlenty, true), nullptr);
    compare(step_on_device(*conv, *conv, given), step_on_host(*plain, given), 0.0, p);
  }

  // Backward passes read the choices of all pictures.
  void a_forward_pass_ends_with_its_last_part_data() { domains(); }
  void a_forward_pass_ends_with_its_last_part() {
    QFETCH(QString, domain);
    Random random(logged_seed(74));
    const ConvProblem p = make_problem(37, 3, 8, 4, 3);
    const PooledCase given(p, random);
    const auto conv =
        make_by(domain, context_, p, "vector", in_parts(true), pooling_of(p, context_));
    PooledStep step(p);
    const auto forward = [&](Range pictures) {
      conv->run_part(Pass::kForward, pictures, step.pooled.data(), nullptr);
    };
    const auto backward = [&] {
      return error_of([&] { conv->run(Pass::kBackwardData, step.grad_input.data(), nullptr); });
    };
    conv->set_operand(Operand::kInput, given.arrays.input.data());
    conv->set_operand(Operand::kWeight, given.arrays.weight.data());
    conv->set_operand(Operand::kGradOutput, given.grad_pooled.data());
    conv->set_bias(given.bias.data(), true);
    for (int turn = 0; turn < 2; ++turn) {  // those of the step before do not count
      forward({0, 16});
      QVERIFY2(backward().contains("what a forward pass has chosen"), qPrintable(backward()));
      forward({16, 32});
      QVERIFY2(backward().contains("what a forward pass has chosen"), qPrintable(backward()));
      forward({32, 37});
      QCOMPARE(backward(), QString("no error"));
    }
    conv->set_bias(given.bias.data(), false);
    for (const Range part : {Range{0, 16}, Range{16, 37}}) forward(part);
    QVERIFY2(backward().contains("what a forward pass has chosen"), qPrintable(backward()));
  }

  // Memory that is gone for one part, of either pass: what those before have chosen still counts.
  void running_out_in_a_part_keeps_what_was_chosen_data() { domains(); }
  void running_out_in_a_part_keeps_what_was_chosen() {
    QFETCH(QString, domain);
    Random random(logged_seed(75));
    const ConvProblem p = make_problem(69, 3, 9, 6, 3);
    const PooledCase given(p, random);
    const auto plain =
        make_by(domain, context_, p, "vector", opencl_limits(kPlenty, true), nullptr);
    const PooledStep expected = step_on_host(*plain, given);
    for (const Pass pass : {Pass::kForward, Pass::kBackwardData})
      for (const std::size_t part : {0, 1}) {
        const auto conv =
            make_by(domain, context_, p, "vector", in_parts(false), pooling_of(p, context_));
        const std::size_t before = conv->device_bytes();
        const auto short_of_memory = [&](Pass then, std::size_t i, Range) {
          if (then == pass && i == part)
            opencl_layer::inject(
                {CL_MEM_OBJECT_ALLOCATION_FAILURE, 1, false, "clEnqueueNDRangeKernel"});
        };
        const PooledStep step = step_in_parts(*conv, given, random, short_of_memory);
        QCOMPARE(opencl_layer::end_injection().failed, 1);
        QVERIFY(conv->device_bytes() < before);
        compare(step, expected, 2e-6, p);
      }
  }

  // Stopped between any of its pieces, a part can be run again, and the step goes on as if nothing
  // had been.
  void a_stopped_part_can_be_run_again_data() { domains(); }
  void a_stopped_part_can_be_run_again() {
    QFETCH(QString, domain);
    Random random(logged_seed(76));
    const ConvProblem p = make_problem(37, 3, 6, 5, 3);
    const PooledCase given(p, random);
    OpenClLimits limits = in_parts(false);
    limits.piece_flops = 1.0;
    const auto conv = make_by(domain, context_, p, "vector", limits, pooling_of(p, context_));
    const PooledStep whole = step_on_device(*conv, *conv, given);
    int stopped = 0, pieces = 0;
    for (bool interrupted = true; interrupted; pieces += 1 + pieces / 4) {
      interrupted = false;
      const PooledStep step =
          step_in_parts(*conv, given, random, [&](Pass pass, std::size_t i, Range pictures) {
            if (i == 0) return;
            StopToken stop;
            std::vector<float> scrap(result_size(p, pass));
            const opencl_layer::OnCall end_of_piece("clEnqueueMarkerWithWaitList", pieces,
                                                    [&] { stop.request_stop(); });
            try {
              conv->run_part(pass, pictures, scrap.data(), &stop);
            } catch (const Interrupted&) {
              interrupted = true;
              ++stopped;
            }
          });
      same_bits(step, whole, p);
    }
    QVERIFY2(stopped > 8, qPrintable(QString::number(stopped)));
  }

 private:
  static void domains() {
    QTest::addColumn<QString>("domain");
    for (const char* domain : {"im2col", "fft"}) QTest::newRow(domain) << QString(domain);
  }

  template <class Work>
  static QString error_of(const Work& work) {
    try {
      work();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  std::shared_ptr<OpenClContext> context_, as_gpu_;
};

QTEST_GUILESS_MAIN(OpenClPooledPartsTest)
#include "opencl_pooled_parts_test.moc"
