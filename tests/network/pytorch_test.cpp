// Training follows PyTorch: the numbers in data/ were made by data/make_fixtures.py.
#include <QtTest>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "engine/network/model.h"
#include "engine/network/weight_file.h"
#include "tests/network/executors.h"

using namespace convoy;

namespace {

// The generator of make_fixtures.py, number for number.
class Generator {
 public:
  explicit Generator(std::uint32_t seed) : state_(seed) {}
  std::uint32_t next(std::uint32_t count) {
    state_ = state_ * 1664525U + 1013904223U;
    return (state_ >> 16) * count >> 16;
  }

 private:
  std::uint32_t state_;
};

struct Batch {
  std::vector<float> images;
  std::vector<std::uint16_t> labels;
};

struct Case {
  NetworkSpec spec;
  int batch, steps;
  SgdSettings sgd;
  bool integer;
  nlohmann::json json;

  explicit Case(const nlohmann::json& from) : json(from) {
    spec.design.kernels = from.at("kernels").get<std::vector<int>>();
    spec.design.kernel_size = from.at("kernel_size");
    spec.design.padding = from.at("padding") == "same" ? PaddingMode::kSame : PaddingMode::kValid;
    spec.in_channels = from.at("shape")[0];
    spec.in_height = from.at("shape")[1];
    spec.in_width = from.at("shape")[2];
    spec.classes = from.at("classes");
    batch = from.at("batch");
    steps = from.at("steps");
    sgd = {from.at("learning_rate"), from.at("momentum"), from.at("weight_decay")};
    integer = from.value("integer", false);
  }

  // batch_of() of make_fixtures.py, its [batch][positions] turned to [positions][batch].
  Batch batch_of(int step) const {
    Generator generator(static_cast<std::uint32_t>(1000 + step));
    const auto pictures = static_cast<std::size_t>(batch);
    const std::size_t positions = spec.conv_problems(1).front().input_size();
    Batch result{std::vector<float>(positions * pictures), std::vector<std::uint16_t>(pictures)};
    for (std::size_t n = 0; n < pictures; ++n)
      for (std::size_t i = 0; i < positions; ++i)
        result.images[i * pictures + n] =
            integer ? static_cast<float>(generator.next(3))
                    : (static_cast<float>(generator.next(128)) - 64.0f) / 32.0f;
    for (auto& label : result.labels)
      label = static_cast<std::uint16_t>(generator.next(static_cast<std::uint32_t>(spec.classes)));
    return result;
  }

  Parameters weights(const char* kind) const {
    return read_weights(std::filesystem::path(CONVOY_TEST_DATA) /
                            (json.at("name").get<std::string>() + "." + kind + ".safetensors"),
                        spec);
  }
};

nlohmann::json all_cases() {
  std::ifstream file(CONVOY_TEST_DATA "/cases.json");
  return nlohmann::json::parse(file).at("cases");
}

// The fixtures are exact but for their rounding to float. A float sum of some hundred products of
// either sign is good to a few 1e-7 of its largest terms, and five layers and six steps hand this
// on: 2e-5 of the tensor's largest value leaves room for that, and for nothing else.
constexpr double kTolerance = 2e-5;

double largest_difference(const FloatBuffer& ours, const FloatBuffer& theirs) {
  double largest = 0.0, difference = 0.0;
  for (std::size_t i = 0; i < theirs.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(theirs[i])));
    difference = std::max(difference,
                          std::abs(static_cast<double>(ours[i]) - static_cast<double>(theirs[i])));
  }
  return largest > 0.0 ? difference / largest : difference;
}

void compare(const Parameters& ours, const Parameters& theirs, const char* what) {
  const auto check = [&](const FloatBuffer& a, const FloatBuffer& b, const std::string& name) {
    QCOMPARE(a.size(), b.size());
    const double difference = largest_difference(a, b);
    QVERIFY2(difference <= kTolerance, qPrintable(QString("%1 of %2 differ by %3 of their largest")
                                                      .arg(what, QString::fromStdString(name))
                                                      .arg(difference)));
  };
  for (std::size_t layer = 0; layer < theirs.conv.size(); ++layer) {
    const std::string name = "conv" + std::to_string(layer + 1);
    check(ours.conv[layer].weight, theirs.conv[layer].weight, name + ".weight");
    check(ours.conv[layer].bias, theirs.conv[layer].bias, name + ".bias");
  }
  check(ours.fc_weight, theirs.fc_weight, "fc.weight");
  check(ours.fc_bias, theirs.fc_bias, "fc.bias");
}

}  // namespace

class PytorchTest : public QObject {
  Q_OBJECT

 private slots:
  void training_follows_data() {
    QTest::addColumn<int>("index");
    QTest::addColumn<QString>("algorithm");
    const nlohmann::json cases = all_cases();
    for (std::size_t i = 0; i < cases.size(); ++i)
      for (const char* algorithm : {"naive", "reference", "gemm"})
        QTest::addRow("%s, %s", cases[i].at("name").get<std::string>().c_str(), algorithm)
            << static_cast<int>(i) << algorithm;
  }

  void training_follows() {
    QFETCH(int, index);
    QFETCH(QString, algorithm);
    const Case c(all_cases().at(static_cast<std::size_t>(index)));
    ThreadPool pool(test_cores(2));
    std::unique_ptr<ConvExecutor> executor;
    if (algorithm == "naive") {
      executor = std::make_unique<NaiveExecutor>(c.spec, c.batch);
    } else {
      const ConvAlgorithm* found = find_conv_algorithm(algorithm.toStdString());
      QVERIFY(found);
      executor = std::make_unique<AlgorithmExecutor>(c.spec, c.batch, *found, pool);
    }

    Model model(c.spec, c.batch, pool);
    model.parameters() = c.weights("initial");
    for (int step = 0; step < c.steps; ++step) {
      const Batch batch = c.batch_of(step);
      const StepResult result =
          model.train_step(batch.images.data(), batch.labels.data(), c.sgd, *executor);
      const double loss = c.json.at("losses")[static_cast<std::size_t>(step)];
      QVERIFY2(std::abs(result.loss - loss) <= kTolerance * loss,
               qPrintable(QString("step %1: loss %2, PyTorch %3")
                              .arg(step)
                              .arg(result.loss, 0, 'g', 9)
                              .arg(loss, 0, 'g', 9)));
      QCOMPARE(result.correct, c.json.at("correct")[static_cast<std::size_t>(step)].get<int>());
      if (step == 0) compare(model.gradients(), c.weights("gradients"), "gradients");
      if (QTest::currentTestFailed()) return;
    }
    compare(model.parameters(), c.weights("trained"), "trained weights");

    const Batch batch = c.batch_of(c.steps);
    const nlohmann::json& expected = c.json.at("evaluation");
    const StepResult evaluation =
        model.evaluate(batch.images.data(), batch.labels.data(), expected.at("count"), *executor);
    const double loss = expected.at("loss");
    QVERIFY(std::abs(evaluation.loss - loss) <= kTolerance * loss);
    QCOMPARE(evaluation.correct, expected.at("correct").get<int>());
  }
};

QTEST_GUILESS_MAIN(PytorchTest)
#include "pytorch_test.moc"
