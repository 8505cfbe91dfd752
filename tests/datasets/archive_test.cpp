// MD5 and the unpacking of archives.
#include <QTemporaryDir>
#include <QtTest>

#include "datasets/md5.h"
#include "datasets/tar_archive.h"
#include "tests/datasets/test_files.h"

using namespace convoy;
using namespace convoy::test;

namespace {

std::string md5_of(const std::string& text) {
  Md5 md5;
  md5.update(text);
  return md5.finish();
}

}  // namespace

class ArchiveTest : public QObject {
  Q_OBJECT

  std::unique_ptr<QTemporaryDir> temporary_;
  fs::path folder_, out_;

  void unpack(const std::string& archive, const std::vector<std::string>& wanted) const {
    write_file(folder_ / "archive.tar.gz", archive);
    unpack_tar_gz(folder_ / "archive.tar.gz", wanted, out_, 1 << 20, nullptr);
  }
  std::string error(const std::string& archive) const {
    return data_error_of([&] { unpack(archive, {"d/a"}); });
  }
  bool nothing_outside() const {
    for (const auto& entry : fs::directory_iterator(folder_))
      if (entry.path() != out_ && entry.path().filename() != "archive.tar.gz") return false;
    return true;
  }

 private slots:
  void init() {
    temporary_ = std::make_unique<QTemporaryDir>();
    folder_ = temporary_->path().toStdString();
    out_ = folder_ / "out";
    fs::create_directory(out_);
  }

  // The test suite of RFC 1321, appendix A.5.
  void md5TestSuite_data() {
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("digest");
    QTest::newRow("empty") << ""
                           << "d41d8cd98f00b204e9800998ecf8427e";
    QTest::newRow("a") << "a"
                       << "0cc175b9c0f1b6a831c399e269772661";
    QTest::newRow("abc") << "abc"
                         << "900150983cd24fb0d6963f7d28e17f72";
    QTest::newRow("message digest") << "message digest"
                                    << "f96b697d7cb7938d525a2f31aaf161d0";
    QTest::newRow("alphabet") << "abcdefghijklmnopqrstuvwxyz"
                              << "c3fcd3d76192e4007dfb496cca67e13b";
    QTest::newRow("letters and digits")
        << "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
        << "d174ab98d277d9f5a5611c2c9f419d9f";
    QTest::newRow("eighty digits")
        << QString("1234567890").repeated(8) << "57edf4a22be3c955ac49da2e2107b67a";
  }
  void md5TestSuite() {
    QFETCH(QString, text);
    QFETCH(QString, digest);
    QCOMPARE(md5_of(text.toStdString()), digest.toStdString());
  }

  void md5InPieces() {
    const std::string text = cifar_records(0, 1);
    for (const std::size_t length : {1u, 55u, 56u, 63u, 64u, 65u, 1000u}) {
      Md5 pieces;
      for (std::size_t at = 0; at < text.size(); at += length)
        pieces.update(std::string_view(text).substr(at, length));
      QCOMPARE(pieces.finish(), md5_of(text));
    }
    QCOMPARE(md5_of(text),
             QCryptographicHash::hash(QByteArray::fromStdString(text), QCryptographicHash::Md5)
                 .toHex()
                 .toStdString());
  }

  void unpacksWhatIsWanted() {
    for (const bool gnu : {false, true}) {
      const std::string large = cifar_records(0, 5);
      unpack(gzip(tar({{"d/", "", '5'},
                       {"d/a", large},
                       {"d/b", ""},
                       {"d/readme", "not wanted"},
                       {"pax", "20 path=/etc/passwd\n", 'x'},
                       {"d/c", std::string(512, 'c')}},
                      gnu)),
             {"d/a", "d/b", "d/c"});
      QVERIFY(read_file(out_ / "a") == large);
      QVERIFY(read_file(out_ / "b").empty());
      QVERIFY(read_file(out_ / "c") == std::string(512, 'c'));
      QVERIFY(!fs::exists(out_ / "readme"));
      QVERIFY(nothing_outside());
    }
  }

  void refusesNamesThatLeave() {
    for (const char* name : {"../evil", "d/../../evil", "/evil", "d/.."})
      VERIFY_CONTAINS(error(gzip(tar({{name, "x"}, {"d/a", "x"}}))),
                      "member '" + std::string(name) + "' would leave");
    QVERIFY(nothing_outside());
  }

  void refusesLinksAndDevices() {
    for (const char type : {'1', '2', '3', '4', '6'})
      VERIFY_CONTAINS(error(gzip(tar({{"d/a", "", type}}))),
                      "byte 0: member 'd/a' is a link or device");
  }

  void refusesAbsurdSizes() {
    VERIFY_CONTAINS(error(gzip(tar({{"d/a", std::string((1 << 20) + 1, 'x')}}))),
                    "member 'd/a' of 1048577 bytes; valid are up to 1048576");
  }

  void refusesDamage() {
    const std::string good = tar({{"d/a", std::string(1000, 'x')}});
    VERIFY_CONTAINS(error(gzip(tar({{"d/b", "x"}}))), "the archive lacks d/a");
    VERIFY_CONTAINS(error("no archive"), "damaged gzip data");
    VERIFY_CONTAINS(error(gzip("no archive")), "within a block");
    VERIFY_CONTAINS(error(gzip(std::string(512, 'x'))), "byte 0: no valid tar header");
    VERIFY_CONTAINS(error(gzip(good.substr(0, 1024))), "ends within a file");
    std::string changed = good;
    changed[0] = 'e';
    VERIFY_CONTAINS(error(gzip(changed)), "byte 0: no valid tar header");
    const std::string packed = gzip(good);
    VERIFY_CONTAINS(error(packed.substr(0, packed.size() - 1)), "the file is truncated");
    changed = packed;
    changed[changed.size() - 5] ^= 1;
    VERIFY_CONTAINS(error(changed), "incorrect");
  }

  void reportsAFullDisk() {
    fs::create_symlink("/dev/full", out_ / "a");
    const std::string message = error_of(ErrorKind::kRun, [&] {
      unpack(gzip(tar({{"d/a", cifar_records(0, 9)}})), {"d/a"});
    });
    VERIFY_CONTAINS(message, "a: cannot write the file: No space left on device");
  }
};

QTEST_APPLESS_MAIN(ArchiveTest)
#include "archive_test.moc"
