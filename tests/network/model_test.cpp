#include <QtTest>
#include <cmath>
#include <cstring>

#include "engine/network/model.h"
#include "tests/network/double_network.h"
#include "tests/network/executors.h"

using namespace convoy;

namespace {

constexpr std::uint64_t kSeed = 31;

NetworkSpec spec_of(std::vector<int> kernels, int kernel_size, PaddingMode padding, int channels,
                    int height, int width, int classes) {
  NetworkSpec spec;
  spec.design = {std::move(kernels), kernel_size, padding};
  spec.in_channels = channels;
  spec.in_height = height;
  spec.in_width = width;
  spec.classes = classes;
  return spec;
}

// A model with everything that a step needs, all of it from kSeed.
struct Bench {
  Bench(const NetworkSpec& spec, int batch, int threads)
      : pool(test_cores(threads)), executor(spec, batch), model(spec, batch, pool) {
    Random random(kSeed);
    model.parameters() = Parameters::he(spec, kSeed);
    for (ConvParameters& layer : model.parameters().conv)
      for (float& bias : layer.bias.span()) bias = static_cast<float>(0.1 * random.normal());
    images = random_values(spec.conv_problems(batch).front().input_size(), random);
    labels = random_labels(static_cast<std::size_t>(batch), spec.classes, random);
  }
  StepResult step(const SgdSettings& sgd) {
    return model.train_step(images.data(), labels.data(), sgd, executor);
  }

  ThreadPool pool;
  NaiveExecutor executor;
  Model model;
  std::vector<float> images;
  std::vector<std::uint16_t> labels;
};

bool same_bits(const FloatBuffer& a, const FloatBuffer& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

bool same_bits(const Parameters& a, const Parameters& b) {
  for (std::size_t layer = 0; layer < a.conv.size(); ++layer)
    if (!same_bits(a.conv[layer].weight, b.conv[layer].weight) ||
        !same_bits(a.conv[layer].bias, b.conv[layer].bias))
      return false;
  return same_bits(a.fc_weight, b.fc_weight) && same_bits(a.fc_bias, b.fc_bias);
}

// A device that fails in the backward pass of the first layer.
class FailingExecutor : public NaiveExecutor {
 public:
  using NaiveExecutor::NaiveExecutor;
  void backward(int layer, const LayerBackward& operands) override {
    if (layer == 0) throw Error(ErrorKind::kDevice, "cpu:0", "unplugged");
    NaiveExecutor::backward(layer, operands);
  }
};

// Notes the calls and checks what ConvExecutor promises its implementers.
class WatchingExecutor : public NaiveExecutor {
 public:
  using NaiveExecutor::NaiveExecutor;
  void forward(int layer, const LayerForward& operands) override {
    calls += QString("f%1 ").arg(layer);
    inputs.resize(static_cast<std::size_t>(layer));
    inputs.push_back({operands.input, *operands.input});
    NaiveExecutor::forward(layer, operands);
  }
  void backward(int layer, const LayerBackward& operands) override {
    calls += QString(operands.grad_input ? "b%1 " : "B%1 ").arg(layer);
    const auto [input, first] = inputs.at(static_cast<std::size_t>(layer));
    inputs_kept = inputs_kept && *input == first && input != operands.grad_input;
    NaiveExecutor::backward(layer, operands);
  }
  QString calls;
  std::vector<std::pair<const float*, float>> inputs;
  bool inputs_kept = true;
};

}  // namespace

class ModelTest : public QObject {
  Q_OBJECT

 private slots:
  // Every gradient of small networks against central differences of the loss in double precision.
  void gradients_data() {
    QTest::addColumn<QList<int>>("kernels");
    QTest::addColumn<int>("kernel_size");
    QTest::addColumn<bool>("same");
    QTest::addColumn<int>("height");
    QTest::addColumn<int>("width");
    QTest::addColumn<int>("batch");
    QTest::newRow("one layer") << QList<int>{3} << 3 << false << 6 << 6 << 2;
    QTest::newRow("odd sizes") << QList<int>{2, 3} << 3 << false << 13 << 12 << 3;
    QTest::newRow("same, even kernel") << QList<int>{2, 2} << 4 << true << 7 << 5 << 1;
    QTest::newRow("three layers") << QList<int>{2, 3, 2} << 2 << true << 9 << 8 << 5;
  }
  void gradients() {
    QFETCH(QList<int>, kernels);
    QFETCH(int, kernel_size);
    QFETCH(bool, same);
    QFETCH(int, height);
    QFETCH(int, width);
    QFETCH(int, batch);
    const NetworkSpec spec =
        spec_of({kernels.begin(), kernels.end()}, kernel_size,
                same ? PaddingMode::kSame : PaddingMode::kValid, 2, height, width, 4);
    Bench bench(spec, batch, 2);
    DoubleParameters at(bench.model.parameters());
    const StepResult result = bench.step({0.1, 0.9, 0.0});
    const auto loss = [&] { return double_loss(spec, at, bench.images, bench.labels); };
    QVERIFY(std::abs(result.loss - loss()) <= 1e-6);

    // A step this small crosses next to no kink of ReLU and pooling, and its error is below 1e-7.
    constexpr double kStep = 1e-6;
    const auto check = [&](std::vector<double>& values, const FloatBuffer& gradient) {
      QCOMPARE(values.size(), gradient.size());
      for (std::size_t i = 0; i < values.size(); ++i) {
        const double value = values[i];
        values[i] = value + kStep;
        const double above = loss();
        values[i] = value - kStep;
        const double below = loss();
        values[i] = value;
        const double expected = (above - below) / (2 * kStep);
        QVERIFY2(std::abs(static_cast<double>(gradient[i]) - expected) <=
                     2e-6 * (1.0 + std::abs(expected)),
                 qPrintable(QString("[%1] is %2, not %3").arg(i).arg(gradient[i]).arg(expected)));
      }
    };
    const Parameters& gradient = bench.model.gradients();
    for (std::size_t layer = 0; layer < gradient.conv.size(); ++layer) {
      check(at.layers[layer].weight, gradient.conv[layer].weight);
      check(at.layers[layer].bias, gradient.conv[layer].bias);
      if (QTest::currentTestFailed()) return;
    }
    check(at.layers.back().weight, gradient.fc_weight);
    check(at.layers.back().bias, gradient.fc_bias);
  }

  // v = g + wd w at first, then m v + g + wd w; w -= lr v.
  void sgd_over_two_steps() {
    const NetworkSpec spec = spec_of({3}, 3, PaddingMode::kValid, 1, 8, 8, 3);
    Bench bench(spec, 4, 1);
    const SgdSettings sgd{0.05, 0.8, 0.01};
    const auto number = [](const FloatBuffer& buffer) { return static_cast<double>(buffer[2]); };
    const double w0 = number(bench.model.parameters().fc_weight);
    bench.step(sgd);
    const double v1 = number(bench.model.gradients().fc_weight) + 0.01 * w0;
    const double w1 = number(bench.model.parameters().fc_weight);
    QVERIFY(std::abs(w1 - (w0 - 0.05 * v1)) <= 1e-7);
    bench.step(sgd);
    const double v2 = 0.8 * v1 + number(bench.model.gradients().fc_weight) + 0.01 * w1;
    const double w2 = number(bench.model.parameters().fc_weight);
    QVERIFY(std::abs(w2 - (w1 - 0.05 * v2)) <= 1e-7);
  }

  void threads_change_no_bit() {
    const NetworkSpec spec = spec_of({5, 7}, 3, PaddingMode::kSame, 3, 21, 18, 10);
    Bench one(spec, 19, 1), two(spec, 19, 2);
    for (int step = 0; step < 3; ++step) {
      const StepResult a = one.step({0.02, 0.9, 0.001}), b = two.step({0.02, 0.9, 0.001});
      QCOMPARE(a.loss, b.loss);
      QCOMPARE(a.correct, b.correct);
    }
    QVERIFY(same_bits(one.model.gradients(), two.model.gradients()));
    QVERIFY(same_bits(one.model.parameters(), two.model.parameters()));
  }

  void a_small_set_is_learnt() {
    const NetworkSpec spec = spec_of({8}, 3, PaddingMode::kValid, 1, 8, 8, 4);
    Bench bench(spec, 16, 2);
    StepResult result;
    for (int step = 0; step < 200; ++step) result = bench.step({0.05, 0.9, 0.0});
    QVERIFY2(result.loss < 0.01, qPrintable(QString::number(result.loss)));
    QCOMPARE(result.correct, 16);
  }

  void evaluation_changes_nothing() {
    const NetworkSpec spec = spec_of({4, 4}, 3, PaddingMode::kValid, 1, 14, 14, 3);
    Bench plain(spec, 6, 1), evaluated(spec, 6, 1);
    plain.step({0.02, 0.9, 0.0});
    evaluated.step({0.02, 0.9, 0.0});
    const StepResult evaluation = evaluated.model.evaluate(
        evaluated.images.data(), evaluated.labels.data(), 6, evaluated.executor);
    QVERIFY(evaluation.slices.empty());
    QVERIFY(same_bits(plain.model.gradients(), evaluated.model.gradients()));
    const StepResult next = plain.step({0.02, 0.9, 0.0});
    QCOMPARE(evaluation.loss, next.loss);  // both see the weights after the first step
    QCOMPARE(evaluation.correct, next.correct);
    QCOMPARE(evaluated.step({0.02, 0.9, 0.0}).loss, next.loss);
    QVERIFY(same_bits(plain.model.parameters(), evaluated.model.parameters()));
  }

  void evaluation_of_a_part() {
    const NetworkSpec spec = spec_of({4}, 3, PaddingMode::kValid, 1, 9, 9, 3);
    Bench bench(spec, 5, 1);
    const auto evaluate = [&](int count) {
      return bench.model.evaluate(bench.images.data(), bench.labels.data(), count, bench.executor);
    };
    const DoubleParameters parameters(bench.model.parameters());
    std::vector<float> first_two;
    for (std::size_t i = 0; i < bench.images.size(); i += 5)
      first_two.insert(first_two.end(), {bench.images[i], bench.images[i + 1]});
    const double expected =
        double_loss(spec, parameters, first_two, {bench.labels[0], bench.labels[1]});
    QVERIFY(std::abs(evaluate(2).loss - expected) <= 1e-6);
    QVERIFY_THROWS_EXCEPTION(Error, evaluate(6));
    QVERIFY_THROWS_EXCEPTION(Error, evaluate(-1));
  }

  void a_failed_step_changes_no_weight() {
    const NetworkSpec spec = spec_of({3, 3}, 3, PaddingMode::kSame, 1, 8, 8, 3);
    Bench bench(spec, 2, 2);
    const Parameters before = bench.model.parameters().copy();
    FailingExecutor failing(spec, 2);
    QVERIFY_THROWS_EXCEPTION(Error, bench.model.train_step(bench.images.data(), bench.labels.data(),
                                                           {0.1, 0.9, 0.1}, failing));
    QVERIFY(same_bits(bench.model.parameters(), before));
    // And the next one is as if nothing had happened.
    Bench fresh(spec, 2, 2);
    QCOMPARE(bench.step({0.1, 0.9, 0.1}).loss, fresh.step({0.1, 0.9, 0.1}).loss);
    QVERIFY(same_bits(bench.model.parameters(), fresh.model.parameters()));
  }

  void executor_is_called_as_promised() {
    const NetworkSpec spec = spec_of({3, 4, 5}, 3, PaddingMode::kSame, 2, 16, 17, 3);
    Bench bench(spec, 3, 2);
    WatchingExecutor watching(spec, 3);
    bench.model.train_step(bench.images.data(), bench.labels.data(), {}, watching);
    QCOMPARE(watching.calls, QString("f0 f1 f2 b2 b1 B0 "));
    QVERIFY(watching.inputs_kept);
    watching.calls.clear();
    bench.model.evaluate(bench.images.data(), bench.labels.data(), 3, watching);
    QCOMPARE(watching.calls, QString("f0 f1 f2 "));
  }

  void slices_cover_the_masters_work() {
    const NetworkSpec spec = spec_of({3, 4}, 3, PaddingMode::kSame, 1, 8, 8, 3);
    std::vector<MasterSlice> slices;
    {
      Bench bench(spec, 2, 1);
      slices = bench.step({}).slices;
    }
    QStringList names;  // which outlive the model
    for (const MasterSlice& slice : slices) {
      names << slice.name;
      QVERIFY(slice.begin <= slice.end);
    }
    for (std::size_t i = 1; i < slices.size(); ++i) QVERIFY(slices[i - 1].end <= slices[i].begin);
    QCOMPARE(names,
             QStringList({"bias, ReLU, pooling 1", "bias, ReLU, pooling 2", "fully connected",
                          "softmax", "fully connected backward", "bias, ReLU, pooling 2 backward",
                          "bias, ReLU, pooling 1 backward", "update"}));
  }

  void impossible_sizes_are_refused() {
    ThreadPool pool(test_cores(1));
    QVERIFY_THROWS_EXCEPTION(Error, Model(NetworkSpec(), 0, pool));
    QVERIFY_THROWS_EXCEPTION(Error, Model(NetworkSpec(), -5, pool));
    QVERIFY_THROWS_EXCEPTION(
        Error, Model(spec_of({1, 1, 1}, 5, PaddingMode::kValid, 3, 32, 32, 10), 1, pool));
  }
};

QTEST_GUILESS_MAIN(ModelTest)
#include "model_test.moc"
