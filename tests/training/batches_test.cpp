// Normalisation, batch order and the layout that the network takes.
#include <QTest>
#include <numeric>

#include "engine/device/discovery.h"
#include "engine/training/batches.h"

using namespace convoy;

namespace {

// Pixel value 10 * image + 3 * channel + position: every place is recognisable.
ImageSet numbered(int count, int channels, int height, int width) {
  ImageSet images{channels, height, width, {}, {}};
  for (int i = 0; i < count; ++i) {
    images.labels.push_back(static_cast<std::uint16_t>(i % 4));
    for (int c = 0; c < channels; ++c)
      for (int p = 0; p < height * width; ++p)
        images.pixels.push_back(static_cast<std::uint8_t>(10 * i + 3 * c + p));
  }
  return images;
}

}  // namespace

class BatchesTest : public QObject {
  Q_OBJECT
 private slots:
  void normalisationIsMeanAndPopulationDeviation() {
    ImageSet images{2, 1, 2, {0, 255, 7, 7, 255, 0, 7, 7}, {0, 1}};
    const Normalisation n = normalisation_of(images);
    QCOMPARE(n.mean.size(), std::size_t{2});
    QCOMPARE(n.mean[0], 0.5);
    QCOMPARE(n.deviation[0], 0.5);
    QVERIFY(std::abs(n.mean[1] - 7.0 / 255.0) < 1e-15);
    QCOMPARE(n.deviation[1], 1.0);  // a channel that never varies stays finite
  }

  void picturesLieBatchInnermost_data() {
    QTest::addColumn<int>("size");
    QTest::addColumn<int>("count");
    QTest::addRow("full") << 3 << 3;
    QTest::addRow("one") << 1 << 1;
    QTest::addRow("padded") << 5 << 2;
  }
  void picturesLieBatchInnermost() {
    QFETCH(int, size);
    QFETCH(int, count);
    const ImageSet images = numbered(8, 3, 9, 10);
    const Normalisation n{{0.1, 0.2, 0.3}, {0.5, 0.25, 2.0}};
    ThreadPool pool({available_cores()[0]});
    Batch batch(images, n, size, pool);
    const std::vector<int> order = {7, 5, 2, 0, 1, 3, 4, 6};
    batch.load(order, 1, count);
    for (int b = 0; b < size; ++b) {
      const int image = order[static_cast<std::size_t>(1 + b)];
      QCOMPARE(int{batch.labels()[b]}, b < count ? image % 4 : 0);
      for (int c = 0; c < 3; ++c)
        for (int p = 0; p < 90; ++p) {
          const float found = batch.pixels()[(c * 90 + p) * size + b];
          const auto channel = static_cast<std::size_t>(c);
          const double pixel = (10 * image + 3 * c + p) % 256;
          const double expected =
              b < count ? (pixel / 255.0 - n.mean[channel]) / n.deviation[channel] : 0.0;
          QVERIFY2(std::abs(found - expected) < 1e-6,
                   qPrintable(QString("image %1, channel %2, place %3").arg(image).arg(c).arg(p)));
        }
    }
  }

  void epochsAreShuffledFromTheSeed() {
    const auto order = epoch_order(1000, true, 1, 1);
    QCOMPARE(order, epoch_order(1000, true, 1, 1));
    QVERIFY(order != epoch_order(1000, true, 1, 2));
    QVERIFY(order != epoch_order(1000, true, 2, 1));
    auto sorted = order;
    std::sort(sorted.begin(), sorted.end());
    std::vector<int> all(1000);
    std::iota(all.begin(), all.end(), 0);
    QCOMPARE(sorted, all);
    QCOMPARE(epoch_order(1000, false, 1, 5), all);
  }
};

QTEST_GUILESS_MAIN(BatchesTest)
#include "batches_test.moc"
