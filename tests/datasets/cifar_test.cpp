// CIFAR-10 and CIFAR-100 binary files, whole and damaged.
#include "datasets/cifar.h"

#include <QTemporaryDir>
#include <QtTest>

#include "tests/datasets/test_files.h"

using namespace convoy;
using namespace convoy::test;

namespace {

DatasetSpec spec_of(DatasetKind kind, const fs::path& path) {
  DatasetSpec spec;
  spec.kind = kind;
  spec.path = path.string();
  return spec;
}

}  // namespace

class CifarTest : public QObject {
  Q_OBJECT

  std::unique_ptr<QTemporaryDir> temporary_;
  fs::path folder_;

  std::string error10() const {
    return data_error_of([&] { load_dataset(spec_of(DatasetKind::kCifar10, folder_), 0); });
  }
  std::string error100() const {
    return data_error_of([&] { load_dataset(spec_of(DatasetKind::kCifar100, folder_), 0); });
  }
  void change(const std::string& name, std::size_t offset, int value) const {
    std::string content = read_file(folder_ / name);
    content[offset] = static_cast<char>(value);
    write_file(folder_ / name, content);
  }

 private slots:
  void init() {
    temporary_ = std::make_unique<QTemporaryDir>();
    QVERIFY(temporary_->isValid());
    folder_ = temporary_->path().toStdString();
  }

  void readsCifar10InFileOrder() {
    write_cifar10(folder_);
    const Dataset dataset = load_dataset(spec_of(DatasetKind::kCifar10, folder_), 0);
    QCOMPARE(dataset.name, std::string("cifar10"));
    QCOMPARE(dataset.class_names[9], std::string("truck"));
    QCOMPARE(dataset.train.count(), 20);
    QCOMPARE(dataset.test.count(), 3);
    QCOMPARE(dataset.train.channels, 3);
    QCOMPARE(dataset.train.height, 32);
    QCOMPARE(dataset.train.width, 32);
    for (int i = 0; i < 20; ++i) {
      QCOMPARE(int{dataset.train.labels[static_cast<std::size_t>(i)]}, i % 10);
      for (int p = 0; p < 3072; ++p)
        QCOMPARE(dataset.train.image(i)[static_cast<std::size_t>(p)], test_pixel(i, p));
    }
    QCOMPARE(dataset.test.image(2)[3071], test_pixel(102, 3071));
  }

  void takesTheFolderAboveAndFewerBatches() {
    write_cifar10(folder_ / "cifar-10-batches-bin", 2);
    fs::remove(folder_ / "cifar-10-batches-bin" / "batches.meta.txt");
    const Dataset dataset = load_dataset(spec_of(DatasetKind::kCifar10, folder_), 0);
    QCOMPARE(dataset.train.count(), 8);
    QCOMPARE(dataset.class_names[0], std::string("airplane"));
  }

  void limitsTakeTheFirst() {
    write_cifar10(folder_);
    DatasetSpec spec = spec_of(DatasetKind::kCifar10, folder_);
    spec.train_limit = 6;
    spec.test_limit = 1000;
    const Dataset dataset = load_dataset(spec, 0);
    QCOMPARE(dataset.train.count(), 6);
    QCOMPARE(dataset.train.pixels.size(), std::size_t{6 * 3072});
    QCOMPARE(dataset.train.image(5)[0], test_pixel(5, 0));
    QCOMPARE(dataset.test.count(), 3);
  }

  void readsFineLabelsOfCifar100() {
    write_cifar100(folder_ / "cifar-100-binary");
    const Dataset dataset = load_dataset(spec_of(DatasetKind::kCifar100, folder_), 0);
    QCOMPARE(dataset.class_names.size(), std::size_t{100});
    QCOMPARE(int{dataset.train.labels[0]}, 40);
    QCOMPARE(int{dataset.test.labels[2]}, 99);
    QCOMPARE(dataset.train.image(1)[7], test_pixel(41, 7));

    std::string names;
    for (int i = 0; i < 100; ++i) names += "name " + std::to_string(i) + "\n";
    write_file(folder_ / "cifar-100-binary" / "fine_label_names.txt", names);
    QCOMPARE(load_dataset(spec_of(DatasetKind::kCifar100, folder_), 0).class_names[40],
             std::string("name 40"));
  }

  void missingPathSaysWhatIsExpected() {
    folder_ /= "nowhere";
    const std::string message = error10();
    VERIFY_CONTAINS(message, "nowhere: no such folder; expected a folder with data_batch_1.bin");
    VERIFY_CONTAINS(message, "cifar-10-batches-bin/");
    VERIFY_CONTAINS(message, "convoy data fetch cifar10");
    write_file(folder_, "a file");
    VERIFY_CONTAINS(error10(), "is not a folder");
    fs::remove(folder_);
    fs::create_directory(folder_);
    VERIFY_CONTAINS(error100(), "holds no cifar100 files; expected a folder with train.bin");
  }

  void missingFilesAreNamed() {
    write_cifar10(folder_);
    fs::remove(folder_ / "data_batch_3.bin");
    VERIFY_CONTAINS(error10(), "data_batch_3.bin: no such file, though data_batch_4.bin is there");
    write_cifar10(folder_);
    fs::remove(folder_ / "test_batch.bin");
    VERIFY_CONTAINS(error10(), "test_batch.bin: no such file");
    write_cifar10(folder_, 0);
    for (int i = 1; i <= 5; ++i) fs::remove(folder_ / ("data_batch_" + std::to_string(i) + ".bin"));
    VERIFY_CONTAINS(error10(), "data_batch_1.bin: no such file");
  }

  void refusesTruncatedTrailingAndEmptyFiles() {
    write_cifar10(folder_);
    write_file(folder_ / "data_batch_2.bin", cifar_records(0, 4).substr(0, 4 * 3073 - 1));
    VERIFY_CONTAINS(error10(),
                    "data_batch_2.bin: byte 9219: the file of 12291 bytes ends with 3072 bytes of");
    write_file(folder_ / "data_batch_2.bin", cifar_records(0, 4) + "x");
    VERIFY_CONTAINS(error10(), "data_batch_2.bin: byte 12292: the file of 12293 bytes ends with 1");
    write_file(folder_ / "data_batch_2.bin", "");
    VERIFY_CONTAINS(error10(), "data_batch_2.bin: byte 0: the file of 0 bytes");
    write_cifar100(folder_);
    write_file(folder_ / "test.bin", cifar_records(0, 4));
    VERIFY_CONTAINS(error100(), "test.bin: byte");
    VERIFY_CONTAINS(error100(), "whole records of 3074 bytes");
  }

  void refusesLabelsOutOfRangeEvenBehindTheLimit() {
    write_cifar10(folder_);
    change("data_batch_5.bin", 2 * 3073, 10);
    DatasetSpec spec = spec_of(DatasetKind::kCifar10, folder_);
    spec.train_limit = 1;
    const std::string message = data_error_of([&] { load_dataset(spec, 0); });
    VERIFY_CONTAINS(message, "data_batch_5.bin: byte 6146: label 10 in record 2; valid are 0 to 9");
    write_cifar100(folder_);
    change("train.bin", 3074 + 1, 100);
    VERIFY_CONTAINS(error100(), "train.bin: byte 3075: label 100 in record 1; valid are 0 to 99");
    write_cifar100(folder_);
    change("train.bin", 0, 20);
    VERIFY_CONTAINS(error100(), "train.bin: byte 0: label 20 in record 0; valid are 0 to 19");
  }

  void refusesWrongNames() {
    write_cifar10(folder_);
    write_file(folder_ / "batches.meta.txt", "one\ntwo\n");
    VERIFY_CONTAINS(error10(), "batches.meta.txt: holds 2 class names, one a line; expected 10");
  }

  void refusesAFolderInPlaceOfAFile() {
    write_cifar10(folder_);
    fs::remove(folder_ / "test_batch.bin");
    fs::create_directory(folder_ / "test_batch.bin");
    VERIFY_CONTAINS(error10(), "test_batch.bin: is not a regular file");
  }

  void refusesAnAbsurdSizeUnread() {
    write_cifar10(folder_);
    fs::resize_file(folder_ / "data_batch_1.bin", std::uintmax_t{3} << 40);  // sparse
    VERIFY_CONTAINS(error10(), "data_batch_1.bin: holds 3298534883328 bytes");
  }

  void stops() {
    write_cifar10(folder_);
    StopToken stop;
    stop.request_stop();
    QVERIFY_EXCEPTION_THROWN(load_dataset(spec_of(DatasetKind::kCifar10, folder_), 0, &stop),
                             Interrupted);
  }
};

QTEST_APPLESS_MAIN(CifarTest)
#include "cifar_test.moc"
