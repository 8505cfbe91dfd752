// Links as text: what is typed is read, what is shown can be typed.
#include "ui/models/link_text.h"

#include <QtTest>

using namespace convoy;
using namespace convoy::ui;

class LinkTextTest : public QObject {
  Q_OBJECT

 private slots:
  void linksAreReadBack_data() {
    QTest::addColumn<QString>("text");
    QTest::addColumn<bool>("valid");
    QTest::addColumn<QString>("shown");
    QTest::newRow("default") << "default" << true << "default";
    QTest::newRow("empty") << "" << true << "default";
    QTest::newRow("unlimited") << "Unlimited" << true << "unlimited";
    QTest::newRow("bare number") << "250" << true << "250 Mb/s";
    QTest::newRow("gigabit") << "2.5 Gb/s" << true << "2.5 Gb/s";
    QTest::newRow("all") << "100 Mb/s, 0.5 ms, half duplex" << true
                         << "100 Mb/s, 0.5 ms, half duplex";
    QTest::newRow("zero") << "0" << false << "";
    QTest::newRow("negative") << "-5" << false << "";
    QTest::newRow("word") << "quick" << false << "";
    QTest::newRow("rubbish behind") << "100 Mb/s, whatever" << false << "";
  }
  void linksAreReadBack() {
    QFETCH(QString, text);
    QFETCH(bool, valid);
    QFETCH(QString, shown);
    const auto link = linkFromText(text);
    QCOMPARE(link.has_value(), valid);
    if (valid) QCOMPARE(linkText(*link), shown);
  }
};

QTEST_GUILESS_MAIN(LinkTextTest)
#include "link_text_test.moc"
