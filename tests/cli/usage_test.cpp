// Help, wrong usage and the list of devices.
#include "tests/cli/program.h"

class UsageTest : public QObject {
  Q_OBJECT

 private slots:
  void every_command_has_help_data();
  void every_command_has_help();
  void help_names_values_and_fits_80_columns();
  void tells_its_version();
  void wrong_usage_data();
  void wrong_usage();
  void lists_devices();
};

void UsageTest::every_command_has_help_data() {
  QTest::addColumn<QStringList>("command");
  QTest::addColumn<QStringList>("fragments");
  QTest::newRow("convoy") << QStringList{} << QStringList{"run",  "export",  "conv",      "bench",
                                                          "data", "devices", "Exit codes"};
  QTest::newRow("devices") << QStringList{"devices"} << QStringList{"--json", "opencl:P:D"};
  QTest::newRow("run") << QStringList{"run"}
                       << QStringList{"EXPERIMENT.json", "--set", "--out", "--events", "--quiet"};
  QTest::newRow("sweep") << QStringList{"sweep"}
                         << QStringList{"--vary", "--repeat", "--out", "sweep.csv", "Ctrl-C"};
  QTest::newRow("predict") << QStringList{"predict"}
                           << QStringList{"--vary", "--devices", "--calibration", "break-even"};
  QTest::newRow("conv") << QStringList{"conv"}
                        << QStringList{"--grad-output", "--kernels", "LAST not", "--padding"};
  QTest::newRow("bench") << QStringList{"bench"} << QStringList{"conv", "step"};
  QTest::newRow("bench conv") << QStringList{"bench", "conv"}
                              << QStringList{"--repetitions", "--in-channels", "--algorithm",
                                             "--scratch-limit"};
  QTest::newRow("bench step") << QStringList{"bench", "step"} << QStringList{"--kernels"};
  QTest::newRow("export") << QStringList{"export"}
                          << QStringList{"LABBOOK.sqlite", "--run", "--out", "trace.json"};
  QTest::newRow("data") << QStringList{"data"} << QStringList{"fetch"};
  QTest::newRow("data fetch") << QStringList{"data", "fetch"} << QStringList{"cifar100", "--url"};
}

void UsageTest::every_command_has_help() {
  QFETCH(QStringList, command);
  QFETCH(QStringList, fragments);
  const Outcome outcome = run_convoy(command + QStringList{"--help"});
  QCOMPARE(outcome.code, 0);
  QCOMPARE(outcome.err, QString());
  for (const QString& fragment : fragments)
    QVERIFY2(outcome.out.contains(fragment), qPrintable(outcome.out + " lacks " + fragment));
}

void UsageTest::help_names_values_and_fits_80_columns() {
  for (const QStringList& command : {QStringList{},
                                     {"run"},
                                     {"sweep"},
                                     {"predict"},
                                     {"conv"},
                                     {"export"},
                                     {"bench", "conv"},
                                     {"bench", "step"},
                                     {"data", "fetch"}}) {
    const QString help = run_convoy(command + QStringList{"--help"}).out;
    for (const QString& line : help.split('\n')) QVERIFY2(line.size() <= 80, qPrintable(line));
    QVERIFY(help.endsWith('\n'));
    // How CLI11 writes that an option may come again, and how a value is checked.
    QVERIFY2(!help.contains(" TEXT ") && !help.contains(" in ["), qPrintable(help));
  }
  QVERIFY(run_convoy({"run", "--help"}).out.contains("--set path=value"));
  QVERIFY(run_convoy({"conv", "--help"}).out.contains("--kernels FIRST:LAST "));
}

void UsageTest::tells_its_version() {
  const Outcome outcome = run_convoy({"--version"});
  QCOMPARE(outcome.code, 0);
  QCOMPARE(outcome.out, QString("convoy " CONVOY_VERSION "\n"));
}

void UsageTest::wrong_usage_data() {
  QTest::addColumn<QStringList>("arguments");
  QTest::addColumn<QString>("fragment");
  QTest::newRow("nothing") << QStringList{} << "subcommand";
  QTest::newRow("unknown command") << QStringList{"train"} << "train";
  QTest::newRow("unknown option") << QStringList{"devices", "--xml"} << "--xml";
  QTest::newRow("no experiment") << QStringList{"run"} << "EXPERIMENT.json";
  QTest::newRow("no pass") << QStringList{"conv", "--output", "y.npy"} << "PASS";
  QTest::newRow("which bench") << QStringList{"bench"} << "subcommand";
  QTest::newRow("no batch") << QStringList{"bench", "step", "--kernels", "5"} << "--batch";
  QTest::newRow("kernels") << QStringList{"bench", "step", "--kernels", "5,0", "--batch", "2"}
                           << "--kernels";
  QTest::newRow("repetitions") << QStringList{"bench",          "conv", "--batch",       "2",
                                              "--size",         "8",    "--in-channels", "1",
                                              "--out-channels", "1",    "--repetitions", "0"}
                               << "--repetitions";
  QTest::newRow("scratch limit") << QStringList{"bench",          "conv", "--batch",         "2",
                                                "--size",         "8",    "--in-channels",   "1",
                                                "--out-channels", "1",    "--scratch-limit", "0"}
                                 << "--scratch-limit";
  QTest::newRow("size") << QStringList{"bench",          "conv", "--batch",       "2",
                                       "--size",         "8y",   "--in-channels", "1",
                                       "--out-channels", "1"}
                        << "--size: found \"8y\"";
  QTest::newRow("kernel too large")
      << QStringList{"bench",         "conv", "--batch",        "2", "--size", "3",
                     "--in-channels", "1",    "--out-channels", "1"}
      << "5x5 kernel is larger";
  QTest::newRow("data set") << QStringList{"data", "fetch", "imagenet"} << "cifar10, cifar100";
  // "--out $FOLDER" of a script that has not set it must not mean: keep nothing.
  QTest::newRow("empty --out") << QStringList{"run", "e.json", "--out", ""} << "--out: an empty";
  QTest::newRow("empty --record") << QStringList{"run", "e.json", "--record", ""} << "--record";
  QTest::newRow("empty --events") << QStringList{"run", "e.json", "--events", ""} << "--events";
  QTest::newRow("where help is") << QStringList{"bench", "step"} << "Run convoy bench step --help";
}

void UsageTest::wrong_usage() {
  QFETCH(QStringList, arguments);
  QFETCH(QString, fragment);
  const Outcome outcome = run_convoy(arguments);
  QCOMPARE(outcome.code, 2);
  QCOMPARE(outcome.out, QString());
  QVERIFY2(outcome.err.startsWith("convoy: "), qPrintable(outcome.err));
  QVERIFY2(outcome.err.contains(fragment), qPrintable(outcome.err));
}

void UsageTest::lists_devices() {
  const auto list = nlohmann::json::parse(run_convoy({"devices", "--json"}).out.toStdString());
  QVERIFY(list.size() >= 1);
  QCOMPARE(QString::fromStdString(list[0]["id"]), QString("cpu"));
  QCOMPARE(list[0]["cores"].size(), list[0]["compute_units"].get<std::size_t>());
  const Outcome table = run_convoy({"devices"});
  QCOMPARE(table.code, 0);
  QCOMPARE(table.out.count('\n'), static_cast<qsizetype>(list.size()) + 1);
  for (const auto& device : list)
    QVERIFY(table.out.contains("\n" + QString::fromStdString(device["id"]) + " "));
}

QTEST_GUILESS_MAIN(UsageTest)
#include "usage_test.moc"
