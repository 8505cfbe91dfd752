// Core lists as people write them, well and badly.
#include <QTest>

#include "engine/device/discovery.h"

using namespace convoy;

class CoreListTest : public QObject {
  Q_OBJECT

 private slots:
  void good_lists_data() {
    QTest::addColumn<QString>("text");
    QTest::addColumn<QList<int>>("cores");
    QTest::addColumn<QString>("written");
    QTest::newRow("one") << "0" << QList<int>{0} << "0";
    QTest::newRow("range") << "0-3" << QList<int>{0, 1, 2, 3} << "0-3";
    QTest::newRow("list") << "0,2" << QList<int>{0, 2} << "0,2";
    QTest::newRow("both") << "0-3,6" << QList<int>{0, 1, 2, 3, 6} << "0-3,6";
    QTest::newRow("any order") << "6,0-1,3" << QList<int>{0, 1, 3, 6} << "0,1,3,6";
    QTest::newRow("range of one") << "5-5" << QList<int>{5} << "5";
    QTest::newRow("the last") << "1023" << QList<int>{1023} << "1023";
  }
  void good_lists() {
    QFETCH(QString, text);
    QFETCH(QList<int>, cores);
    QFETCH(QString, written);
    const std::vector<int> parsed = parse_core_list(text.toStdString());
    QCOMPARE(QList<int>(parsed.begin(), parsed.end()), cores);
    QCOMPARE(QString::fromStdString(core_list_text(parsed)), written);
  }

  void bad_lists_data() {
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("says");
    QTest::newRow("nothing") << ""
                             << "missing";
    QTest::newRow("trailing comma") << "0,"
                                    << "missing";
    QTest::newRow("double comma") << "0,,1"
                                  << "missing";
    QTest::newRow("twice") << "0,1,0"
                           << "core 0 is listed twice";
    QTest::newRow("twice by range") << "0-3,2"
                                    << "core 2 is listed twice";
    QTest::newRow("backwards") << "3-0"
                               << "runs backwards";
    QTest::newRow("negative") << "-1"
                              << "\"-1\" is no core number";
    QTest::newRow("negative end") << "0--1"
                                  << "\"-1\" is no core number";
    QTest::newRow("open range") << "0-"
                                << "has no end";
    QTest::newRow("three ends") << "0-1-2"
                                << "\"1-2\" is no core number";
    QTest::newRow("letters") << "a"
                             << "\"a\" is no core number";
    QTest::newRow("letters after") << "0x1"
                                   << "\"0x1\" is no core number";
    QTest::newRow("plus") << "+1"
                          << "\"+1\" is no core number";
    QTest::newRow("space") << "0, 1"
                           << "\" 1\" is no core number";
    QTest::newRow("fraction") << "0.5"
                              << "\"0.5\" is no core number";
    QTest::newRow("too large") << "1024"
                               << "no core 1024";
    QTest::newRow("endless range") << "0-2000000000"
                                   << "no core 2000000000";
    QTest::newRow("too long for a number") << "99999999999999999999"
                                           << "is no core number";
  }
  void bad_lists() {
    QFETCH(QString, text);
    QFETCH(QString, says);
    try {
      parse_core_list(text.toStdString());
      QFAIL("accepted");
    } catch (const Error& error) {
      const QString what = error.what();
      QCOMPARE(error.kind(), ErrorKind::kDevice);
      QVERIFY2(what.startsWith("cpu:" + text + ": "), error.what());
      QVERIFY2(what.contains(says), error.what());
      QVERIFY2(what.contains(QString::fromStdString(core_list_text(available_cores()))),
               error.what());
    }
  }

  void available_cores_rise() {
    const std::vector<int> cores = available_cores();
    QVERIFY(!cores.empty());
    QVERIFY(std::is_sorted(cores.begin(), cores.end()));
    QVERIFY(parse_core_list(core_list_text(cores)) == cores);
  }
};

QTEST_GUILESS_MAIN(CoreListTest)
#include "core_list_test.moc"
