#include <QtTest>

#include "engine/base/error.h"
#include "engine/network/network_spec.h"

using namespace convoy;

namespace {

NetworkSpec spec_of(std::vector<int> kernels, int kernel_size, PaddingMode padding, int channels,
                    int height, int width) {
  NetworkSpec spec;
  spec.design = {std::move(kernels), kernel_size, padding};
  spec.in_channels = channels;
  spec.in_height = height;
  spec.in_width = width;
  return spec;
}

QString refusal(const NetworkSpec& spec, int batch = 1) {
  try {
    static_cast<void>(spec.conv_problems(batch));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kExperiment) return "wrong kind";
    return error.what();
  }
  return {};
}

}  // namespace

class NetworkSpecTest : public QObject {
  Q_OBJECT

 private slots:
  void the_papers_network() {
    const NetworkSpec spec = spec_of({500, 1500}, 5, PaddingMode::kValid, 3, 32, 32);
    QCOMPARE(network_name(spec.design), std::string("500:1500"));
    const auto problems = spec.conv_problems(128);
    QCOMPARE(problems.size(), std::size_t{2});
    const ConvProblem first{128, 3, 32, 32, 500, 5, 5, {}, 1, 1};
    const ConvProblem second{128, 500, 14, 14, 1500, 5, 5, {}, 1, 1};
    QVERIFY(problems[0] == first);
    QVERIFY(problems[1] == second);
    QCOMPARE(spec.features(), std::size_t{1500 * 5 * 5});
  }

  void same_padding_keeps_sizes() {
    const auto problems = spec_of({4, 5, 6}, 4, PaddingMode::kSame, 1, 28, 27).conv_problems(7);
    QCOMPARE(problems[0].out_height(), 28);
    QCOMPARE(problems[0].out_width(), 27);
    QVERIFY(problems[0].padding == (Padding{1, 1, 2, 2}));
    QCOMPARE(problems[1].in_width, 13);
    QCOMPARE(problems[2].in_height, 7);
    QCOMPARE(problems[2].in_width, 6);
    QCOMPARE(spec_of({4, 5, 6}, 4, PaddingMode::kSame, 1, 28, 27).features(),
             std::size_t{6 * 3 * 3});
  }

  void as_deep_as_the_picture_allows() {
    QVERIFY(refusal(spec_of({8, 8}, 5, PaddingMode::kValid, 3, 16, 16)).isEmpty());
    QVERIFY(refusal(spec_of({1, 1, 1, 1, 1}, 3, PaddingMode::kSame, 3, 32, 32)).isEmpty());
    QVERIFY(refusal(spec_of({1}, 31, PaddingMode::kValid, 3, 32, 32)).isEmpty());
  }

  void refusals_data() {
    QTest::addColumn<QList<int>>("kernels");
    QTest::addColumn<int>("kernel_size");
    QTest::addColumn<bool>("same");
    QTest::addColumn<int>("height");
    QTest::addColumn<QStringList>("words");
    QTest::newRow("maps smaller than the kernel")
        << QList<int>{16, 32, 64} << 5 << false << 24
        << QStringList{"16:32:64",    "layer 3",   "3x21 input maps",
                       "5x5 kernels", "at most 2", "\"same\""};
    QTest::newRow("maps vanish in pooling")
        << QList<int>{4, 4, 4} << 3 << true << 7
        << QStringList{"4:4:4", "layer 3", "1x7 output maps", "at most 2", "smaller kernel_size"};
    QTest::newRow("kernel larger than the picture")
        << QList<int>{4} << 33 << false << 32
        << QStringList{"layer 1", "32x128 input maps", "33x33", "larger pictures"};
    QTest::newRow("no layer") << QList<int>{} << 5 << false << 32 << QStringList{"at least one"};
    QTest::newRow("no kernels") << QList<int>{4, 0} << 5 << false << 32
                                << QStringList{"layer 2", "0 kernels", "at least 1"};
    QTest::newRow("negative size")
        << QList<int>{4} << -1 << false << 32 << QStringList{"kernel_size is -1", "at least 1"};
  }
  // Pictures are four times as wide as high, so that the height is what fails.
  void refusals() {
    QFETCH(QList<int>, kernels);
    QFETCH(int, kernel_size);
    QFETCH(bool, same);
    QFETCH(int, height);
    QFETCH(QStringList, words);
    const QString message =
        refusal(spec_of({kernels.begin(), kernels.end()}, kernel_size,
                        same ? PaddingMode::kSame : PaddingMode::kValid, 3, height, 4 * height));
    for (const QString& word : words)
      QVERIFY2(message.contains(word), qPrintable("'" + word + "' not in: " + message));
  }

  void batch_and_picture() {
    QVERIFY(refusal(spec_of({4}, 3, PaddingMode::kValid, 3, 8, 8), 0).contains("batch_size is 0"));
    QVERIFY(refusal(spec_of({4}, 3, PaddingMode::kValid, 0, 8, 8)).contains("channels is 0"));
    QVERIFY(refusal(spec_of({4}, 3, PaddingMode::kValid, 3, 8, -8)).contains("width is -8"));
    NetworkSpec spec = spec_of({4}, 3, PaddingMode::kValid, 3, 8, 8);
    spec.classes = 0;
    QVERIFY(refusal(spec).contains("classes is 0"));
  }
};

QTEST_GUILESS_MAIN(NetworkSpecTest)
#include "network_spec_test.moc"
