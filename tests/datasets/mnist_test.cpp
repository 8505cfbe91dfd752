// MNIST's IDX files, plain and compressed, whole and damaged.
#include "datasets/mnist.h"

#include <QTemporaryDir>
#include <QtTest>

#include "tests/datasets/test_files.h"

using namespace convoy;
using namespace convoy::test;

class MnistTest : public QObject {
  Q_OBJECT

  std::unique_ptr<QTemporaryDir> temporary_;
  fs::path folder_;

  DatasetSpec spec() const {
    DatasetSpec spec;
    spec.kind = DatasetKind::kMnist;
    spec.path = folder_.string();
    return spec;
  }
  std::string error() const {
    return data_error_of([&] { load_dataset(spec(), 0); });
  }
  // Writes a good set in which one file has this content instead.
  std::string error_with(const std::string& name, const std::string& content) const {
    write_mnist(folder_);
    write_file(folder_ / name, content);
    return error();
  }

 private slots:
  void init() {
    temporary_ = std::make_unique<QTemporaryDir>();
    QVERIFY(temporary_->isValid());
    folder_ = temporary_->path().toStdString();
  }

  void reads_data() {
    QTest::addColumn<bool>("dotted");
    QTest::addColumn<bool>("packed");
    QTest::addColumn<QString>("subfolder");
    QTest::newRow("plain") << false << false << "";
    QTest::newRow("dotted names") << true << false << "";
    QTest::newRow("gzip") << false << true << "";
    QTest::newRow("dotted names, gzip") << true << true << "";
    QTest::newRow("folder above") << false << true << "mnist";
  }
  void reads() {
    QFETCH(bool, dotted);
    QFETCH(bool, packed);
    QFETCH(QString, subfolder);
    write_mnist(folder_ / subfolder.toStdString(), dotted, packed);
    const Dataset dataset = load_dataset(spec(), 0);
    QCOMPARE(dataset.name, std::string("mnist"));
    QCOMPARE(dataset.class_names.size(), std::size_t{10});
    QCOMPARE(dataset.train.channels, 1);
    QCOMPARE(dataset.train.height, 4);
    QCOMPARE(dataset.train.width, 5);
    QCOMPARE(dataset.train.count(), 6);
    QCOMPARE(dataset.test.count(), 3);
    for (int i = 0; i < 6; ++i)
      QCOMPARE(int{dataset.train.labels[static_cast<std::size_t>(i)]}, i * 3 % 10);
    for (std::size_t p = 0; p < 120; ++p)
      QCOMPARE(dataset.train.pixels[p], static_cast<std::uint8_t>(p * 7));
  }

  void limitsTakeTheFirst() {
    write_mnist(folder_);
    DatasetSpec limits = spec();
    limits.train_limit = 2;
    limits.test_limit = 99;
    const Dataset dataset = load_dataset(limits, 0);
    QCOMPARE(dataset.train.count(), 2);
    QCOMPARE(dataset.train.pixels.size(), std::size_t{40});
    QCOMPARE(dataset.test.count(), 3);
  }

  void missingFilesAreNamed() {
    VERIFY_CONTAINS(error(), "convoy data fetch mnist");
    write_mnist(folder_);
    fs::remove(folder_ / "t10k-labels-idx1-ubyte");
    VERIFY_CONTAINS(error(), "t10k-labels-idx1-ubyte: no such file, nor one with .gz");
  }

  void refusesWrongMagic() {
    VERIFY_CONTAINS(error_with("train-images-idx3-ubyte", idx_labels(6) + std::string(20, 'x')),
                    "train-images-idx3-ubyte: byte 0: magic number 0x00000801; valid is "
                    "0x00000803");
    VERIFY_CONTAINS(error_with("t10k-labels-idx1-ubyte", "ab"),
                    "t10k-labels-idx1-ubyte: byte 2: the header ends here; it has 8 bytes");
  }

  void refusesWrongSizes() {
    const std::string images = idx_images(6), name = "train-images-idx3-ubyte";
    VERIFY_CONTAINS(error_with(name, images.substr(0, 100)), "cannot hold");
    VERIFY_CONTAINS(error_with(name, images + "xy"),
                    "byte 136: holds 138 bytes; by its header it must hold 136");
    VERIFY_CONTAINS(error_with(name, images.substr(0, 4) + big_endian(0) + images.substr(8)),
                    "byte 4: a count of 0; valid are 1 to");
    VERIFY_CONTAINS(error_with(name, images.substr(0, 8) + big_endian(70000) + images.substr(12)),
                    "byte 8: a picture side of 70000; valid are 1 to 1024");
    VERIFY_CONTAINS(
        error_with(name, images.substr(0, 4) + big_endian(0xffffffff) + images.substr(8)),
        "byte 4: a count of 4294967295; valid are 1 to");
    VERIFY_CONTAINS(
        error_with(name, images.substr(0, 4) + big_endian(1000000) + images.substr(8)),
        "byte 4: the header tells of 20000016 bytes, which the file of 136 bytes cannot hold");
  }

  void refusesDisagreeingFiles() {
    VERIFY_CONTAINS(error_with("train-labels-idx1-ubyte", idx_labels(5)),
                    "train-labels-idx1-ubyte: byte 4: holds 5 labels, but train-images-idx3-ubyte "
                    "holds 6 pictures");
    VERIFY_CONTAINS(error_with("t10k-images-idx3-ubyte", idx_images(3, 5, 4)),
                    "the training pictures are 4x5, the test pictures 5x4");
  }

  void refusesLabelsOutOfRangeEvenBehindTheLimit() {
    write_mnist(folder_);
    std::string labels = idx_labels(6);
    labels[8 + 5] = 10;
    write_file(folder_ / "train-labels-idx1-ubyte", labels);
    DatasetSpec limits = spec();
    limits.train_limit = 1;
    VERIFY_CONTAINS(data_error_of([&] { load_dataset(limits, 0); }),
                    "train-labels-idx1-ubyte: byte 13: label 10 of picture 5; valid are 0 to 9");
  }

  void refusesDamagedGzip() {
    const std::string name = "train-images-idx3-ubyte.gz";
    const std::string good = gzip(idx_images(6));
    const auto packed_error = [&](const std::string& content) {
      write_mnist(folder_, false, true);
      write_file(folder_ / name, content);
      return error();
    };
    VERIFY_CONTAINS(packed_error(good.substr(0, good.size() - 3)), "the file is truncated");
    VERIFY_CONTAINS(packed_error(good + "more"), "more data behind the end of the gzip data");
    std::string checksum = good;
    checksum[checksum.size() - 6] ^= 1;
    VERIFY_CONTAINS(packed_error(checksum), "damaged gzip data: incorrect data check");
    std::string method = good;
    method[2] = 3;
    VERIFY_CONTAINS(packed_error(method), "damaged gzip data: unknown compression method");
    VERIFY_CONTAINS(packed_error(gzip(idx_images(6) + "x")), "unpacks to more than the 136 bytes");
    VERIFY_CONTAINS(packed_error(gzip(idx_images(6).substr(0, 130))),
                    "byte 130: holds 130 bytes (of the unpacked data); by its header");
  }

  // 100 MB of zeros in 100 kB: stopped at what the header tells of.
  void refusesAGzipBomb() {
    write_mnist(folder_, false, true);
    write_file(folder_ / "t10k-images-idx3-ubyte.gz",
               gzip(idx_images(3) + std::string(100'000'000, '\0')));
    VERIFY_CONTAINS(error(), "t10k-images-idx3-ubyte.gz: unpacks to more than the 76 bytes");
  }
};

QTEST_APPLESS_MAIN(MnistTest)
#include "mnist_test.moc"
