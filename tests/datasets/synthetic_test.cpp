// The built-in data set: reproducible, balanced, and not to be learnt from single pixels.
#include "datasets/synthetic.h"

#include <QtTest>
#include <array>
#include <cmath>

#include "engine/base/error.h"
#include "tests/datasets/test_files.h"

using namespace convoy;

namespace {

// Softmax regression on normalised pixels, trained by plain SGD; the share of `test` it gets right.
double linear_accuracy(const ImageSet& train, const ImageSet& test) {
  const std::size_t size = train.image_size();
  std::vector<float> mean(size), deviation(size);
  for (int i = 0; i < train.count(); ++i)
    for (std::size_t p = 0; p < size; ++p) {
      const float value = train.image(i)[p];
      mean[p] += value;
      deviation[p] += value * value;
    }
  const float count = static_cast<float>(train.count());
  for (std::size_t p = 0; p < size; ++p) {
    mean[p] /= count;
    deviation[p] = std::sqrt(deviation[p] / count - mean[p] * mean[p]) + 1e-3f;
  }

  std::vector<float> weight(10 * size), input(size);
  std::array<float, 10> score{};
  const auto forward = [&](const ImageSet& set, int i) {
    for (std::size_t p = 0; p < size; ++p) input[p] = (set.image(i)[p] - mean[p]) / deviation[p];
    for (std::size_t c = 0; c < 10; ++c) {
      score[c] = 0;
      for (std::size_t p = 0; p < size; ++p) score[c] += weight[c * size + p] * input[p];
    }
  };
  for (int epoch = 0; epoch < 3; ++epoch) {
    for (int i = 0; i < train.count(); ++i) {
      forward(train, i);
      const float top = *std::max_element(score.begin(), score.end());
      float sum = 0;
      for (float& s : score) sum += s = std::exp(s - top);
      for (std::size_t c = 0; c < 10; ++c) {
        const float gradient =
            score[c] / sum - (c == train.labels[static_cast<std::size_t>(i)] ? 1.0f : 0.0f);
        for (std::size_t p = 0; p < size; ++p) weight[c * size + p] -= 1e-4f * gradient * input[p];
      }
    }
  }
  int right = 0;
  for (int i = 0; i < test.count(); ++i) {
    forward(test, i);
    const auto best = std::max_element(score.begin(), score.end()) - score.begin();
    right += best == test.labels[static_cast<std::size_t>(i)];
  }
  return static_cast<double>(right) / test.count();
}

}  // namespace

class SyntheticTest : public QObject {
  Q_OBJECT

 private slots:
  void hasTheStatedShape() {
    const Dataset dataset = generate_synthetic(1, 30, 20);
    QCOMPARE(dataset.name, std::string("synthetic"));
    QCOMPARE(dataset.class_names.size(), std::size_t{10});
    QCOMPARE(dataset.train.count(), 30);
    QCOMPARE(dataset.test.count(), 20);
    for (const ImageSet* set : {&dataset.train, &dataset.test}) {
      QCOMPARE(set->channels, 3);
      QCOMPARE(set->height, 32);
      QCOMPARE(set->width, 32);
      QCOMPARE(set->pixels.size(), static_cast<std::size_t>(set->count()) * 3072);
    }
  }

  void sameSeedSamePictures() {
    const Dataset first = generate_synthetic(7, 200, 100), second = generate_synthetic(7, 200, 100);
    QVERIFY(first.train.pixels == second.train.pixels);
    QVERIFY(first.train.labels == second.train.labels);
    QVERIFY(first.test.pixels == second.test.pixels);
    QVERIFY(first.test.labels == second.test.labels);
  }

  void anotherSeedOtherPictures() {
    const Dataset first = generate_synthetic(7, 200, 100), second = generate_synthetic(8, 200, 100);
    QVERIFY(first.train.pixels != second.train.pixels);
    QVERIFY(first.train.labels != second.train.labels);
    QVERIFY(first.test.pixels != second.test.pixels);
  }

  void noPictureIsInBothParts() {
    const Dataset dataset = generate_synthetic(1, 300, 300);
    std::vector<std::string> seen;
    for (const ImageSet* set : {&dataset.train, &dataset.test})
      for (int i = 0; i < set->count(); ++i)
        seen.emplace_back(set->image(i).begin(), set->image(i).end());
    std::sort(seen.begin(), seen.end());
    QVERIFY(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
  }

  void aShorterSetIsTheStartOfALongerOne() {
    const Dataset shorter = generate_synthetic(3, 57, 20), longer = generate_synthetic(3, 90, 40);
    QVERIFY(std::equal(shorter.train.pixels.begin(), shorter.train.pixels.end(),
                       longer.train.pixels.begin()));
    QVERIFY(std::equal(shorter.train.labels.begin(), shorter.train.labels.end(),
                       longer.train.labels.begin()));
  }

  void classesAreBalancedAndInRandomOrder() {
    const Dataset dataset = generate_synthetic(5, 500, 200);
    std::array<int, 10> counts{};
    int repeats = 0;
    for (std::size_t i = 0; i < 500; ++i) {
      const std::uint16_t label = dataset.train.labels[i];
      QVERIFY(label < 10);
      ++counts[label];
      if (i >= 10) repeats += label == dataset.train.labels[i - 10];
    }
    for (const int count : counts) QCOMPARE(count, 50);
    // A fixed order of the classes would repeat 490 times; chance is a tenth of that.
    QVERIFY2(repeats > 20 && repeats < 90, qPrintable(QString::number(repeats)));
  }

  void aLinearClassifierFails() {
    Dataset dataset = generate_synthetic(1, 2000, 500);
    const double accuracy = linear_accuracy(dataset.train, dataset.test);
    qInfo("linear classifier: %.1f %% of the test part", 100 * accuracy);
    QVERIFY(accuracy < 0.4);

    // The same classifier does learn when the class can be read off: a bright bar in its own row.
    for (ImageSet* set : {&dataset.train, &dataset.test})
      for (int i = 0; i < set->count(); ++i)
        std::fill_n(
            set->pixels.begin() + i * 3072 + set->labels[static_cast<std::size_t>(i)] * 3 * 32, 64,
            std::uint8_t{255});
    const double control = linear_accuracy(dataset.train, dataset.test);
    qInfo("with the class in the pixels: %.1f %%", 100 * control);
    QVERIFY(control > 0.8);
  }

  void limitsSetTheSize() {
    DatasetSpec spec;
    spec.train_limit = 40;
    spec.test_limit = 15;
    const Dataset dataset = load_dataset(spec, 1);
    QCOMPARE(dataset.train.count(), 40);
    QCOMPARE(dataset.test.count(), 15);
    QVERIFY(dataset.train.pixels == generate_synthetic(1, 40, 1).train.pixels);
    spec.train_limit = 0;
    const std::string message =
        test::error_of(ErrorKind::kExperiment, [&] { load_dataset(spec, 1); });
    VERIFY_CONTAINS(message, "/dataset/train_limit: 0 images; valid are 1 or more");
  }

  void stops() {
    StopToken stop;
    stop.request_stop();
    QVERIFY_EXCEPTION_THROWN(load_dataset({}, 1, &stop), Interrupted);
  }

  void kindNamesReadBack() {
    for (const DatasetKind kind : kDatasetKinds)
      QVERIFY(dataset_kind_from_name(dataset_kind_name(kind)) == kind);
    QVERIFY(!dataset_kind_from_name("imagenet"));
  }
};

QTEST_APPLESS_MAIN(SyntheticTest)
#include "synthetic_test.moc"
