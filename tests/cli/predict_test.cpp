// `convoy predict` as a process: tables, JSON, saved calibrations, and what is refused.
#include <cmath>

#include "tests/cli/program.h"

using nlohmann::json;

namespace {

json parsed(const QString& text) {
  return json::parse(text.toStdString(), nullptr, false);
}

}  // namespace

class PredictTest : public QObject, private TestFolder {
  Q_OBJECT

 private slots:
  void initTestCase();
  void a_run_leaves_what_a_prediction_needs();
  void tables_have_a_row_for_each_combination();
  void where_links_are_too_slow_the_best_method_keeps_all_work();
  void calibrates_what_it_has_no_file_for();
  void refuses_what_the_file_does_not_have();
};

void PredictTest::initTestCase() {
  QVERIFY(!cores().isEmpty());
  const QByteArray id = "\"cpu:" + QByteArray::number(cores().first()) + "\"";
  save(
      "e.json",
      R"({"name": "trial", "network": {"kernels": [4, 6]}, "training": {"batch_size": 8, "steps": 4},
           "dataset": {"kind": "synthetic", "train_limit": 40, "test_limit": 8},
           "devices": [{"id": )" +
          id + R"(, "name": "A"}, {"id": )" + id + R"(, "name": "B"},
                       {"id": )" +
          id + R"(, "name": "C", "speed": 2}],
           "link": {"bandwidth_mbps": 500, "latency_ms": 0.1}, "clock": "virtual"})");
  const Outcome run = run_convoy({"run", file("e.json"), "--out", file("out"), "--quiet"});
  QVERIFY2(run.code == 0, qPrintable(run.err));
}

// The run's own prediction and that from its file are of the same times.
void PredictTest::a_run_leaves_what_a_prediction_needs() {
  const Outcome outcome = run_convoy(
      {"predict", file("e.json"), "--calibration", file("out/calibration.json"), "--json"});
  QVERIFY2(outcome.code == 0, qPrintable(outcome.err));
  const json list = parsed(outcome.out);
  QCOMPARE(list.size(), std::size_t{1});
  const json& entry = list[0];
  for (const char* key : {"step_ms", "conv_ms", "comm_ms", "comp_ms", "speedup", "bytes"})
    QVERIFY2(entry[key].get<double>() > 0.0, key);
  QCOMPARE(entry["devices"], (json{"A", "B", "C"}));
  QVERIFY(std::abs(entry["step_ms"].get<double>() - entry["conv_ms"].get<double>() -
                   entry["comm_ms"].get<double>() - entry["comp_ms"].get<double>()) < 1e-9);
  QCOMPARE(entry["speedup"].get<double>(),
           entry["baseline_step_ms"].get<double>() / entry["step_ms"].get<double>());
  QVERIFY(entry["verdict"].get<std::string>().find("communication takes") != std::string::npos);
}

void PredictTest::tables_have_a_row_for_each_combination() {
  const QStringList arguments = {"predict",       file("e.json"),
                                 "--calibration", file("out/calibration.json"),
                                 "--vary",        "link.bandwidth_mbps=10,1000,null",
                                 "--devices",     "1,3",
                                 "--method",      "paper,best"};
  const Outcome table = run_convoy(arguments);
  QVERIFY2(table.code == 0, qPrintable(table.err));
  const QStringList lines = table.out.split('\n');
  QVERIFY(lines[0].contains("bandwidth_mbps") && lines[0].contains("speedup"));
  QCOMPARE(lines.indexOf(""), 1 + 3 * 2 * 2);
  QCOMPARE(table.out.count("break-even  "), 4);
  QCOMPARE(table.out.count("One device alone"), 2);

  const json list = parsed(run_convoy(arguments + QStringList{"--json"}).out);
  QCOMPARE(list.size(), std::size_t{12});
  QCOMPARE(list[2]["varied"],
           (json{{"link.bandwidth_mbps", 10}, {"devices", 3}, {"method", "paper"}}));
  QVERIFY(list[2]["step_ms"] > list[6]["step_ms"]);   // 10 and 1000 Mb/s
  QVERIFY(list[6]["step_ms"] > list[10]["step_ms"]);  // and unlimited
  QVERIFY(list[2]["bytes"] > list[3]["bytes"]);       // paper and best
  QCOMPARE(list[0]["bytes"], json(0));
}

void PredictTest::where_links_are_too_slow_the_best_method_keeps_all_work() {
  const QStringList arguments = {"predict",       file("e.json"),
                                 "--calibration", file("out/calibration.json"),
                                 "--set",         "devices.2.speed=1",
                                 "--set",         "baseline=master",
                                 "--vary",        "link.bandwidth_mbps=0.02,1,100,10000,null",
                                 "--method",      "best"};
  const Outcome table = run_convoy(arguments);
  QVERIFY2(table.code == 0, qPrintable(table.err));
  QVERIFY2(table.out.contains("all work stays on A, for moving any would take longer"),
           qPrintable(table.out));
  QVERIFY(!table.out.contains("break-even  always"));
  const json list = parsed(run_convoy(arguments + QStringList{"--json"}).out);
  QCOMPARE(list[0]["bytes"], json(0));
  double last_ms = list[0]["step_ms"];
  for (const json& entry : list) {
    QVERIFY(entry["step_ms"].get<double>() <= 1.02 * last_ms);
    last_ms = entry["step_ms"];
    QCOMPARE(entry["break_even_mbps"], list[0]["break_even_mbps"]);
    const bool pays = entry["verdict"].get<std::string>().starts_with("Worth it");
    const json& even = entry["break_even_mbps"];
    const json& mbps = entry["varied"]["link.bandwidth_mbps"];
    QCOMPARE(pays, even.is_number() && (mbps.is_null() || mbps >= even));
  }
}

void PredictTest::calibrates_what_it_has_no_file_for() {
  const QStringList vary = {"--vary", "training.batch_size=4,8"};
  const Outcome outcome = run_convoy(QStringList{"predict", file("e.json"), "--quiet", "--json",
                                                 "--save-calibration", file("c.json")} +
                                     vary);
  QVERIFY2(outcome.code == 0, qPrintable(outcome.err));
  const Outcome again = run_convoy(
      QStringList{"predict", file("e.json"), "--json", "--calibration", file("c.json")} + vary);
  QCOMPARE(again.out, outcome.out);
  QCOMPARE(again.err, QString());  // nothing was measured
}

void PredictTest::refuses_what_the_file_does_not_have() {
  const auto refusal = [&](const QStringList& arguments) {
    const Outcome outcome = run_convoy(
        QStringList{"predict", file("e.json"), "--calibration", file("out/calibration.json")} +
        arguments);
    return QString::number(outcome.code) + outcome.out + outcome.err;
  };
  const QString batch = refusal({"--vary", "training.batch_size=5"});
  QVERIFY2(batch.startsWith("2") && batch.contains("batch size 5; there is 4:6"),
           qPrintable(batch));
  const QString device = refusal({"--set", "devices.1.id=opencl:9:9"});
  QVERIFY2(device.startsWith("2") && device.contains("/devices/1/id"), qPrintable(device));
  const QString many = refusal({"--devices", "4"});
  QVERIFY2(many.startsWith("2") && many.contains("there are 3"), qPrintable(many));
  const QString twice = refusal({"--devices", "1", "--vary", "devices=2"});
  QVERIFY2(twice.startsWith("2") && twice.contains("varied twice"), qPrintable(twice));
  const Outcome no_file = run_convoy({"predict", file("e.json"), "--calibration", file("e.json")});
  QCOMPARE(no_file.code, 4);
  QVERIFY(no_file.err.contains("this is no calibration"));
}

QTEST_GUILESS_MAIN(PredictTest)
#include "predict_test.moc"
