// The include lines of the whole tree, and of small trees that break one rule each.
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QRegularExpression>
#include <QTemporaryDir>
#include <QtTest>

#include "tests/house/include_rules.h"

class IncludesTest : public QObject {
  Q_OBJECT

 private slots:
  void the_house_keeps_the_rules() {
    const QString root = CONVOY_SOURCE_DIR;
    QVERIFY(house::source_files(root, {"engine"}).size() > 20);
    const QStringList violations = house::include_violations(root);
    QVERIFY2(violations.isEmpty(), qPrintable("\n" + violations.join('\n')));
  }

  void a_broken_rule_is_found_data() {
    QTest::addColumn<QString>("file");
    QTest::addColumn<QString>("line");
    QTest::addColumn<QString>("fault");  // empty: allowed

    const auto row = [](const char* name, const char* file, const char* line, const char* fault) {
      QTest::newRow(name) << QString(file) << QString(line) << QString(fault);
    };
    row("down is allowed", "engine/conv/a.cpp", "#include \"engine/tensor/buffer.h\"", "");
    row("up", "engine/conv/a.cpp", "#include \"engine/device/device.h\"",
        "engine/conv may not include engine/device");
    row("up with spaces", "engine/conv/a.cpp", "  #  include \"engine/device/device.h\"",
        "engine/conv may not include engine/device");
    row("sideways", "engine/network/a.h", "#include \"engine/results/csv.h\"",
        "engine/network may not include engine/results");
    row("the own floor", "engine/device/a.cpp", "#include \"engine/device/device.h\"", "");
    row("the library sees no widget", "engine/training/a.cpp", "#include \"ui/window.h\"",
        "engine/training may not include ui");
    row("Qt in the engine", "engine/base/a.h", "#include <QString>", "Qt (QString)");
    row("Qt by module in the data sets", "datasets/a.h", "#include <QtCore/QString>", "Qt (QtCore");
    row("Qt by file in the command line", "app/cli/a.cpp", "#include <qstring.h>",
        "Qt (qstring.h)");
    row("Qt in the workbench", "ui/a.h", "#include <QWidget>", "");
    row("a system header is no Qt", "engine/base/a.cpp", "#include <queue>", "");
    row("ui sees devices", "ui/a.h", "#include \"engine/device/device.h\"", "");
    row("ui sees no device internals", "ui/a.h", "#include \"engine/device/cpu_device.h\"",
        "ui may not see");
    row("ui sees no convolution", "ui/a.h", "#include \"engine/conv/conv.h\"", "ui may not see");
    row("the command line sees convolution", "app/cli/a.cpp", "#include \"engine/conv/conv.h\"",
        "");
    row("its own header first", "engine/device/cpu_device.cpp",
        "#include \"engine/device/cpu_device.h\"\n#include <vector>", "");
    row("its own header later", "engine/device/cpu_device.cpp",
        "#include <vector>\n#include \"engine/device/cpu_device.h\"", "must come first");
    row("its own header never", "engine/device/cpu_device.cpp", "", "does not include");
    row("not from the root", "engine/conv/a.cpp", "#include \"conv.h\"", "is not a path");
    row("not there", "engine/conv/a.cpp", "#include \"engine/conv/gone.h\"", "does not exist");
    row("an unknown floor", "engine/cellar/a.cpp", "#include <vector>", "no known floor");
  }

  void a_broken_rule_is_found() {
    QFETCH(QString, file);
    QFETCH(QString, line);
    QFETCH(QString, fault);

    QTemporaryDir tree;
    const auto put = [&](const QString& path, const QByteArray& text) {
      const QString full = tree.filePath(path);
      QVERIFY(QDir().mkpath(QFileInfo(full).path()));
      QFile out(full);
      QVERIFY(out.open(QIODevice::WriteOnly));
      out.write(text);
    };
    for (const char* header :
         {"engine/tensor/buffer.h", "engine/conv/conv.h", "engine/device/device.h",
          "engine/device/cpu_device.h", "engine/results/csv.h", "ui/window.h"}) {
      put(header, "#pragma once\n");
    }
    put(file, "// A file.\n\n" + line.toUtf8() + "\n");

    const QStringList violations = house::include_violations(tree.path());
    if (fault.isEmpty()) {
      QCOMPARE(violations, QStringList());
    } else {
      QCOMPARE(violations.size(), 1);
      QVERIFY2(violations[0].startsWith(file + ':'), qPrintable(violations[0]));
      QVERIFY2(violations[0].contains(fault), qPrintable(violations[0]));
    }
  }

  // The build compiles every header with nothing before it: as the first include of the source that
  // implements it, or else of a source made for it.
  void every_engine_header_stands_alone() {
    const QStringList files = house::source_files(CONVOY_SOURCE_DIR, {"engine", "datasets"});
    QStringList headers = files.filter(QRegularExpression("\\.h$"));
    QVERIFY(headers.size() > 20);
    for (const QString& file : files) headers.removeOne(house::own_header(CONVOY_SOURCE_DIR, file));
    QVERIFY(headers.contains("engine/device/device.h"));  // implemented by several sources
    for (const QString& header : headers) {
      QFile made(QString(CONVOY_BINARY_DIR "/tests/house/headers/%1.cpp").arg(header.chopped(2)));
      QVERIFY2(made.open(QIODevice::ReadOnly), qPrintable(header));
      QCOMPARE(made.readAll(), "#include \"" + header.toUtf8() + "\"\n");
    }
  }
};

QTEST_GUILESS_MAIN(IncludesTest)
#include "includes_test.moc"
