// Random damage to small valid files of every kind: the reader takes them or throws an Error, and
// never does anything else. Meant for the sanitizers; the seed of a failure is in the log.
#include <QTemporaryDir>
#include <QtTest>

#include "datasets/image_set.h"
#include "datasets/tar_archive.h"
#include "engine/base/random.h"
#include "tests/datasets/test_files.h"

using namespace convoy;
using namespace convoy::test;

namespace {

constexpr std::uint64_t kSeed = 20261121;

// One to four changes: bytes set, bits flipped, pieces cut out, doubled or written over.
std::string damaged(std::string bytes, Random& random) {
  for (std::uint64_t changes = 1 + random.below(4); changes > 0 && !bytes.empty(); --changes) {
    // Headers are where the interesting damage is.
    const std::size_t at = random.below(
        random.uniform() < 0.5 ? bytes.size() : std::min<std::size_t>(bytes.size(), 64));
    const std::size_t length = std::min<std::size_t>(1 + random.below(16), bytes.size() - at);
    switch (random.below(6)) {
      case 0:
        bytes[at] = static_cast<char>(random.bits());
        break;
      case 1:
        bytes[at] = static_cast<char>(bytes[at] ^ 1 << random.below(8));
        break;
      case 2:
        bytes.resize(at);
        break;
      case 3:
        bytes.erase(at, length);
        break;
      case 4:
        bytes.insert(at, bytes.substr(at, length));
        break;
      default:
        bytes.replace(at, length, length, random.uniform() < 0.5 ? '\0' : '\xff');
        break;
    }
  }
  return bytes;
}

// Puts the right checksum on every chunk, so that the damage reaches the decoder.
std::string with_png_checksums(std::string png) {
  std::size_t at = 8;
  while (at + 12 <= png.size()) {
    std::uint32_t length = 0;
    for (std::size_t i = 0; i < 4; ++i)
      length = length << 8 | static_cast<unsigned char>(png[at + i]);
    if (length > png.size() - at - 12) break;
    std::uint32_t crc = 0xffffffff;
    for (std::size_t i = at + 4; i < at + 8 + length; ++i) {
      crc ^= static_cast<unsigned char>(png[i]);
      for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0u);
    }
    png.replace(at + 8 + length, 4, big_endian(~crc));
    at += 12 + length;
  }
  return png;
}

}  // namespace

class DamagedFilesTest : public QObject {
  Q_OBJECT

  QTemporaryDir temporary_;
  fs::path folder_ = temporary_.path().toStdString();

  // Damages `file` `rounds` times and calls `read`. Both outcomes must occur, or the damage is too
  // small or too large to test anything.
  void damage(const fs::path& file, int rounds, const std::function<void()>& read,
              const std::function<std::string(std::string)>& repair = {}) {
    const std::string good = read_file(file);
    int refused = 0;
    for (int round = 0; round < rounds; ++round) {
      const std::uint64_t seed = kSeed + static_cast<std::uint64_t>(round);
      Random random(seed);
      std::string bytes = damaged(good, random);
      write_file(file, repair ? repair(std::move(bytes)) : bytes);
      try {
        read();
      } catch (const Error& error) {
        ++refused;
        QVERIFY2(error.kind() == ErrorKind::kData && !error.where().empty(),
                 qPrintable(QString("seed %1: %2").arg(seed).arg(error.what())));
      } catch (const std::exception& error) {
        QFAIL(qPrintable(QString("seed %1: %2").arg(seed).arg(error.what())));
      }
    }
    write_file(file, good);
    read();  // the undamaged file is still fine, so the damage was what was refused
    qInfo("%s: %d of %d refused", file.filename().c_str(), refused, rounds);
    QVERIFY(refused > rounds / 4);
  }

  std::function<void()> load(DatasetKind kind, const fs::path& path) {
    return [=] { load_dataset({kind, path.string(), {}, {}, true, {}}, 0); };
  }

 private slots:
  void cifar10() {
    const fs::path folder = folder_ / "cifar10";
    write_cifar10(folder, 1);
    damage(folder / "data_batch_1.bin", 500, load(DatasetKind::kCifar10, folder));
    damage(folder / "batches.meta.txt", 200, load(DatasetKind::kCifar10, folder));
  }

  void cifar100() {
    const fs::path folder = folder_ / "cifar100";
    write_cifar100(folder);
    damage(folder / "test.bin", 300, load(DatasetKind::kCifar100, folder));
  }

  void mnist() {
    const fs::path folder = folder_ / "mnist-plain";
    write_mnist(folder);
    damage(folder / "train-images-idx3-ubyte", 1000, load(DatasetKind::kMnist, folder));
    damage(folder / "train-labels-idx1-ubyte", 1000, load(DatasetKind::kMnist, folder));
  }

  void mnistGzip() {
    const fs::path folder = folder_ / "mnist-gzip";
    write_mnist(folder, false, true);
    damage(folder / "train-images-idx3-ubyte.gz", 1000, load(DatasetKind::kMnist, folder));
  }

  void pictures_data() {
    QTest::addColumn<QString>("name");
    QTest::addColumn<QByteArray>("content");
    QTest::addColumn<bool>("repairs");
    const auto add = [](const char* row, const char* name, const std::string& content,
                        bool repairs = false) {
      QTest::newRow(row) << name << QByteArray::fromStdString(content) << repairs;
    };
    add("png", "a.png", png(20, 20, 4, 9, 100));
    add("png with right checksums", "b.png", png(20, 20, 3, 9), true);
    add("grey png with right checksums", "c.png", png(9, 31, 1, 9), true);
    add("jpeg", "d.jpg", jpeg(24, 24, 9));
  }
  void pictures() {
    QFETCH(QString, name);
    QFETCH(QByteArray, content);
    QFETCH(bool, repairs);
    const fs::path folder = folder_ / "pictures";
    for (const char* part : {"train", "test"})
      for (const char* label : {"ant", "bee"})
        write_file(folder / part / label / "good.png", png(8, 8, 3, 5));
    const fs::path file = folder / "train" / "ant" / name.toStdString();
    write_file(file, content.toStdString());
    damage(file, 1000, load(DatasetKind::kFolder, folder),
           repairs ? with_png_checksums : std::function<std::string(std::string)>());
    fs::remove(file);
  }

  void archives() {
    const fs::path file = folder_ / "archive.tar.gz", out = folder_ / "out";
    fs::create_directory(out);
    const std::vector<std::string> wanted = {"d/a", "d/b"};
    const auto unpack = [&] { unpack_tar_gz(file, wanted, out, 1 << 20, nullptr); };
    const std::string plain = tar({{"d/", "", '5'}, {"d/a", "one"}, {"d/b", "two"}});
    write_file(file, gzip(plain));
    damage(file, 1000, unpack);
    // Damage inside the archive, packed anew.
    write_file(file, plain);
    const std::string good = read_file(file);
    for (int round = 0; round < 1000; ++round) {
      Random random(kSeed + static_cast<std::uint64_t>(round));
      write_file(file, gzip(damaged(good, random)));
      try {
        unpack();
      } catch (const Error& error) {
        QVERIFY2(error.kind() == ErrorKind::kData, error.what());
      }
    }
    for (const auto& entry : fs::directory_iterator(out))
      QVERIFY(entry.path().filename() == "a" || entry.path().filename() == "b");
  }
};

QTEST_APPLESS_MAIN(DamagedFilesTest)
#include "damaged_files_test.moc"
