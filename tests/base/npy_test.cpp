// Reading and writing .npy arrays, whole and damaged.
#include "engine/tensor/npy.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>
#include <cmath>

using namespace convoy;

namespace {

QByteArray npy(const QByteArray& header, const QByteArray& data, char major = 1) {
  QByteArray file("\x93NUMPY", 6);
  file += major;
  file += '\0';
  const auto size = static_cast<unsigned>(header.size());
  for (int n = 0; n < (major == 1 ? 2 : 4); ++n) file += static_cast<char>(size >> (8 * n) & 0xff);
  return file + header + data;
}

QByteArray header(const char* descr, const char* order, const char* shape) {
  return QByteArray("{'descr': '") + descr + "', 'fortran_order': " + order +
         ", 'shape': " + shape + ", }\n";
}

QByteArray floats(std::initializer_list<float> values) {
  return QByteArray(reinterpret_cast<const char*>(values.begin()),
                    static_cast<qsizetype>(values.size() * sizeof(float)));
}

}  // namespace

class NpyTest : public QObject {
  Q_OBJECT

 private:
  QTemporaryDir folder_;
  std::string path() const { return folder_.filePath("array.npy").toStdString(); }
  void save(const QByteArray& content) const {
    QFile file(folder_.filePath("array.npy"));
    QVERIFY(file.open(QIODevice::WriteOnly));
    QCOMPARE(file.write(content), content.size());
  }

 private slots:
  void written_arrays_read_back_data() {
    QTest::addColumn<QList<int>>("shape");
    QTest::newRow("number") << QList<int>{};
    QTest::newRow("vector") << QList<int>{7};
    QTest::newRow("maps") << QList<int>{2, 3, 4, 5};
    QTest::newRow("empty") << QList<int>{3, 0, 2};
    QTest::newRow("many dimensions") << QList<int>(32, 1);
  }
  void written_arrays_read_back() {
    QFETCH(QList<int>, shape);
    std::vector<std::size_t> sides;
    std::size_t count = 1;
    for (int side : shape) {
      sides.push_back(static_cast<std::size_t>(side));
      count *= sides.back();
    }
    std::vector<float> values(count);
    for (std::size_t n = 0; n < count; ++n) values[n] = static_cast<float>(n) * 0.3f - 1.0f;
    if (count > 2) values[1] = INFINITY, values[2] = -0.0f;
    write_npy(path(), sides, values.data());

    QFile file(folder_.filePath("array.npy"));
    QVERIFY(file.open(QIODevice::ReadOnly));
    QCOMPARE((static_cast<std::size_t>(file.size()) - count * sizeof(float)) % 64, std::size_t{0});
    const NpyArray array = read_npy(path());
    QVERIFY(array.shape == sides);
    QCOMPARE(array.values.size(), count);
    QVERIFY(count == 0 || memcmp(array.values.data(), values.data(), count * sizeof(float)) == 0);
  }

  void every_format_version_and_spelling_is_read_data() {
    QTest::addColumn<QByteArray>("content");
    const QByteArray six = floats({0, 1, 2, 3, 4, 5});
    QTest::newRow("1.0") << npy(header("<f4", "False", "(2, 3)"), six);
    QTest::newRow("2.0") << npy(header("<f4", "False", "(2, 3)"), six, 2);
    QTest::newRow("3.0") << npy(header("<f4", "False", "(2, 3)"), six, 3);
    QTest::newRow("other order, double quotes, no last comma")
        << npy("{\"shape\":(2,3,),\"fortran_order\":False,\"descr\":\"<f4\"}", six);
  }
  void every_format_version_and_spelling_is_read() {
    QFETCH(QByteArray, content);
    save(content);
    const NpyArray array = read_npy(path());
    QVERIFY((array.shape == std::vector<std::size_t>{2, 3}));
    for (std::size_t n = 0; n < 6; ++n) QCOMPARE(array.values[n], static_cast<float>(n));
  }

  void wrong_files_are_refused_data() {
    QTest::addColumn<QByteArray>("content");
    QTest::addColumn<QByteArray>("says");
    const QByteArray good = header("<f4", "False", "(2,)"), two = floats({1, 2});
    const QByteArray whole = npy(good, two);
    QTest::newRow("empty") << QByteArray() << QByteArray("does not begin");
    QTest::newRow("text") << QByteArray("1,2,3\n") << QByteArray("does not begin");
    QTest::newRow("no version") << whole.left(7) << QByteArray("ends after 7 bytes");
    QTest::newRow("no header size") << whole.left(9) << QByteArray("ends after 9 bytes");
    QTest::newRow("within header") << whole.left(30) << QByteArray("within its header");
    QTest::newRow("truncated") << whole.left(whole.size() - 1) << QByteArray("7 bytes of data");
    QTest::newRow("over-long") << whole + 'x' << QByteArray("9 bytes of data");
    QTest::newRow("version 4") << npy(good, two, 4) << QByteArray("version 4.0");
    QTest::newRow("long header") << npy(good + QByteArray(70000, ' '), two, 2)
                                 << QByteArray("more than 65536");
    QTest::newRow("float64") << npy(header("<f8", "False", "(1,)"), two) << QByteArray("\"<f8\"");
    QTest::newRow("integers") << npy(header("<i4", "False", "(2,)"), two) << QByteArray("\"<i4\"");
    QTest::newRow("big-endian") << npy(header(">f4", "False", "(2,)"), two)
                                << QByteArray("big-endian");
    QTest::newRow("Fortran") << npy(header("<f4", "True", "(2,)"), two)
                             << QByteArray("Fortran order");
    QTest::newRow("records") << npy("{'descr': [('a', '<f4')], 'fortran_order': False, "
                                    "'shape': (2,), }",
                                    two)
                             << QByteArray("records");
    QTest::newRow("absurd shape") << npy(header("<f4", "False", "(1099511627776, 1048576)"), two)
                                  << QByteArray("absurd shape");
    QTest::newRow("size too long for a number")
        << npy(header("<f4", "False", "(99999999999999999999999,)"), two)
        << QByteArray("malformed");
    QTest::newRow("negative size")
        << npy(header("<f4", "False", "(-2,)"), two) << QByteArray("malformed");
    QTest::newRow("33 dimensions")
        << npy(header("<f4", "False", "(" + QByteArray("1,").repeated(33) + ")"), two)
        << QByteArray("more than 32");
    QTest::newRow("no tuple") << npy(header("<f4", "False", "(2)"), two) << QByteArray("comma");
    QTest::newRow("key twice") << npy("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, "
                                      "'shape': (2,)}",
                                      two)
                               << QByteArray("twice");
    QTest::newRow("key missing") << npy("{'descr': '<f4', 'shape': (2,)}", two)
                                 << QByteArray("lacks");
    QTest::newRow("unknown key") << npy("{'dtype': '<f4'}", two) << QByteArray("\"dtype\"");
    QTest::newRow("rubbish after") << npy(good + "}", two) << QByteArray("goes on");
    QTest::newRow("no dictionary") << npy("import os", two) << QByteArray("'{' expected");
    QTest::newRow("string without end") << npy("{'descr", two) << QByteArray("without an end");
  }
  void wrong_files_are_refused() {
    QFETCH(QByteArray, content);
    QFETCH(QByteArray, says);
    save(content);
    try {
      read_npy(path());
      QFAIL("accepted");
    } catch (const Error& error) {
      QCOMPARE(error.kind(), ErrorKind::kData);
      const QByteArray what = error.what();
      QVERIFY2(what.startsWith(path().c_str()), what);
      QVERIFY2(what.contains(says), what);
      QVERIFY2(what.contains("little-endian float32"), what);
    }
  }

  void every_prefix_of_a_file_is_refused() {
    const QByteArray whole = npy(header("<f4", "False", "(2, 3)"), floats({0, 1, 2, 3, 4, 5}), 2);
    for (qsizetype size = 0; size < whole.size(); ++size) {
      save(whole.left(size));
      QVERIFY_EXCEPTION_THROWN(read_npy(path()), Error);
    }
  }

  void a_missing_file_is_named() {
    const std::string missing = folder_.filePath("missing.npy").toStdString();
    try {
      read_npy(missing);
      QFAIL("accepted");
    } catch (const Error& error) {
      QCOMPARE(error.kind(), ErrorKind::kData);
      QCOMPARE(error.where(), missing);
    }
  }

  void a_failed_write_leaves_nothing() {
    const float value = 1;
    const QString target = folder_.filePath("none/array.npy");
    QVERIFY_EXCEPTION_THROWN(write_npy(target.toStdString(), {1}, &value), Error);
    QVERIFY(!QFile::exists(target));
  }
};

QTEST_GUILESS_MAIN(NpyTest)
#include "npy_test.moc"
