// Experiment files: what is read, what is refused and how, and that what is written is read back.
#include <QtTest>
#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/base/error.h"
#include "engine/training/experiment.h"
#include "engine/training/experiment_keys.h"
#include "tests/base/error_of.h"

using namespace convoy;
using convoy::test::error_of;
using nlohmann::json;

namespace {

// The example of the README's file format, with one of the kinds chosen.
constexpr const char* kExample = R"({
  "name": "500:1500 on four unequal devices",
  "seed": 1,
  "dataset":  { "kind": "synthetic", "path": "...",
                "train_limit": 10000, "test_limit": 2000, "shuffle": true },
  "network":  { "kernels": [500, 1500], "kernel_size": 5, "padding": "valid" },
  "training": { "batch_size": 128, "steps": 50, "epochs": null, "learning_rate": 0.01,
                "momentum": 0.9, "weight_decay": 0.0, "initial_weights": null },
  "devices":  [ { "id": "cpu:0", "name": "A" },
                { "id": "cpu:1", "name": "B", "speed": 0.5, "scratch_limit_mb": 512.5,
                  "link": { "bandwidth_mbps": 1000, "latency_ms": 0.2, "duplex": "full" } } ],
  "distribution": { "split": "kernels", "shares": "calibrated", "resident_kernels": false,
                    "fuse_pooling": false, "overlap": false, "wire": "fp32", "rebalance": false },
  "link": { "bandwidth_mbps": null, "latency_ms": 0 },
  "clock": "wall",
  "baseline": "fastest"
})";

// The message of the Error that parsing throws; empty when nothing is refused.
QString refusal(const std::string& text) {
  try {
    parse_experiment(text, "a.json");
  } catch (const Error& error) {
    return error.kind() == ErrorKind::kExperiment ? QString::fromStdString(error.what())
                                                  : QString("of another kind");
  }
  return {};
}

}  // namespace

class ExperimentTest : public QObject {
  Q_OBJECT

 private slots:
  void reads_the_example();
  void fills_in_defaults();
  void refuses_data();
  void refuses();
  void refuses_files_without_an_end();
  void suggests_the_key_that_was_meant();
  void says_where_the_syntax_is_wrong();
  void writes_what_it_reads();
  void validates_what_was_not_parsed();
  void default_devices_share_no_core();
};

void ExperimentTest::reads_the_example() {
  const Experiment e = parse_experiment(kExample, "a.json");
  QCOMPARE(e.name, std::string("500:1500 on four unequal devices"));
  QCOMPARE(e.seed, std::uint64_t{1});
  QCOMPARE(e.dataset.kind, DatasetKind::kSynthetic);
  QCOMPARE(e.dataset.train_limit, std::optional<int>(10000));
  QCOMPARE(e.dataset.test_limit, std::optional<int>(2000));
  QVERIFY(e.dataset.shuffle);
  QCOMPARE(e.network.kernels, (std::vector<int>{500, 1500}));
  QCOMPARE(e.network.padding, PaddingMode::kValid);
  QCOMPARE(e.training.batch_size, 128);
  QCOMPARE(e.training.steps, std::optional<int>(50));
  QVERIFY(!e.training.epochs);
  QCOMPARE(e.training.sgd.learning_rate, 0.01);
  QCOMPARE(e.devices.size(), std::size_t{2});
  QCOMPARE(e.devices[1].name, std::string("B"));
  QCOMPARE(e.devices[1].speed, 0.5);
  QCOMPARE(e.devices[1].scratch_limit_mb, std::optional<double>(512.5));
  QVERIFY(!e.devices[0].scratch_limit_mb);
  QCOMPARE(e.devices[1].link->bandwidth_mbps, std::optional<double>(1000));
  QCOMPARE(e.devices[1].link->latency_ms, 0.2);
  QVERIFY(!e.devices[0].link);
  QVERIFY(!e.link.bandwidth_mbps);
  QVERIFY(e.baseline == BaselineMode::kFastest);
}

void ExperimentTest::fills_in_defaults() {
  const Experiment e = parse_experiment("{}", "a.json");
  QCOMPARE(e.training.steps, std::optional<int>(100));
  QVERIFY(e.devices.empty());
  QVERIFY(e.distribution.shares == ShareMode::kCalibrated);
  QCOMPARE(parse_experiment(R"({"training": {"epochs": 3}})", "a.json").training.steps,
           std::optional<int>());
  QCOMPARE(
      parse_experiment(R"({"training": {"steps": null, "epochs": null}})", "a.json").training.steps,
      std::optional<int>(100));
  QCOMPARE(parse_experiment(R"({"training": {"batch_size": 64.0}})", "a.json").training.batch_size,
           64);
  QCOMPARE(parse_experiment(R"({"seed": 18446744073709551615})", "a.json").seed, UINT64_MAX);
}

void ExperimentTest::refuses_data() {
  QTest::addColumn<QString>("text");
  QTest::addColumn<QStringList>("fragments");
  const auto row = [](const char* name, const char* text, const QStringList& fragments) {
    QTest::newRow(name) << QString(text) << fragments;
  };
  row("not an object", "[]", {"a.json: found []", "an object"});
  row("unknown key", R"({"bandwith": 3})", {"a.json: /bandwith: unknown key", "baseline"});
  row("unknown inner key", R"({"training": {"lr": 1}})", {"/training/lr", "learning_rate"});
  row("slash in a key", R"({"a/b": 1})", {"a.json: /a~1b: unknown key"});
  row("duplicate", R"({"seed": 1, "seed": 2})", {"a.json: /seed", "twice"});
  row("duplicate deep", R"({"devices": [{"id": "cpu"}, {"id": "cpu:0", "id": "cpu:1"}]})",
      {"a.json: /devices/1/id", "twice"});
  row("batch 0", R"({"training": {"batch_size": 0}})",
      {"a.json: /training/batch_size: found 0;", "from 1 to 65536"});
  row("batch fraction", R"({"training": {"batch_size": 1.5}})", {"found 1.5", "an integer"});
  row("batch text", R"({"training": {"batch_size": "64"}})", {"found \"64\"", "an integer"});
  row("batch true", R"({"training": {"batch_size": true}})", {"found true", "an integer"});
  row("batch huge", R"({"training": {"batch_size": 1e30}})", {"/training/batch_size: found 1e"});
  row("training a list", R"({"training": []})", {"a.json: /training: found []", "an object"});
  row("steps and epochs", R"({"training": {"steps": 5, "epochs": 2}})",
      {"a.json: /training:", "(5)", "(2)", "both"});
  row("steps 0", R"({"training": {"steps": 0}})", {"/training/steps: found 0"});
  row("learning rate", R"({"training": {"learning_rate": -1}})",
      {"/training/learning_rate: found -1", "from 0"});
  row("momentum", R"({"training": {"momentum": 1.5}})", {"/training/momentum: found 1.5"});
  row("infinite", R"({"training": {"momentum": 1e999}})", {"a.json", "not valid JSON"});
  row("weights", R"({"training": {"initial_weights": 3}})", {"/training/initial_weights"});
  row("note no text", R"({"note": ["a"]})", {"a.json: /note", "text"});
  row("seed negative", R"({"seed": -1})", {"a.json: /seed: found -1"});
  row("seed fraction", R"({"seed": 0.5})", {"a.json: /seed: found 0.5"});
  row("kind", R"({"dataset": {"kind": "cifar"}})",
      {"a.json: /dataset/kind: found \"cifar\"", "synthetic, cifar10, cifar100, mnist, folder"});
  row("folder without path", R"({"dataset": {"kind": "folder"}})", {"/dataset:", "\"path\""});
  row("image size", R"({"dataset": {"image_size": 32}})", {"/dataset/image_size", "folder"});
  row("train limit", R"({"dataset": {"train_limit": 0}})", {"/dataset/train_limit: found 0"});
  row("shuffle", R"({"dataset": {"shuffle": 1}})", {"/dataset/shuffle: found 1", "true or false"});
  row("no kernels", R"({"network": {"kernels": []}})", {"/network/kernels: found []", "1 to 5"});
  row("six layers", R"({"network": {"kernels": [1,1,1,1,1,1]}})", {"/network/kernels"});
  row("kernels 0", R"({"network": {"kernels": [3, 0]}})", {"/network/kernels/1: found 0"});
  row("kernels number", R"({"network": {"kernels": 5}})", {"/network/kernels: found 5", "a list"});
  row("padding", R"({"network": {"padding": "full"}})", {"/network/padding", "valid, same"});
  row("maps vanish", R"({"network": {"kernels": [4, 4, 4, 4]}})", {"a.json: /network"});
  row("no devices", R"({"devices": []})", {"a.json: /devices: found []"});
  row("device without id", R"({"devices": [{"name": "A"}]})", {"/devices/0:", "\"id\""});
  row("device id", R"({"devices": [{"id": "gpu:0"}]})",
      {"/devices/0/id: found \"gpu:0\"", "opencl:PLATFORM:DEVICE"});
  row("core range", R"({"devices": [{"id": "cpu:3-1"}]})", {"/devices/0/id: found \"cpu:3-1\""});
  row("core list", R"({"devices": [{"id": "cpu:0,"}]})", {"/devices/0/id"});
  row("opencl cores", R"({"devices": [{"id": "opencl:0:0:"}]})", {"/devices/0/id"});
  row("opencl core range", R"({"devices": [{"id": "opencl:0:0:3-1"}]})", {"/devices/0/id"});
  row("opencl id", R"({"devices": [{"id": "opencl:0"}]})", {"/devices/0/id"});
  row("same name", R"({"devices": [{"id": "cpu:0"}, {"id": "cpu:1", "name": "cpu:0"}]})",
      {"/devices/1", "\"cpu:0\""});
  row("first has a link", R"({"devices": [{"id": "cpu", "link": {}}]})",
      {"/devices/0/link", "first device"});
  row("speed 0", R"({"devices": [{"id": "cpu", "speed": 0}]})", {"/devices/0/speed: found 0"});
  row("speed that no clock can wait for", R"({"devices": [{"id": "cpu", "speed": 1e-300}]})",
      {"/devices/0/speed: found 1e-300"});
  row("speed 2", R"({"devices": [{"id": "cpu", "speed": 2}]})",
      {"/devices/0/speed: found 2", "virtual clock"});
  row("scratch limit 0", R"({"devices": [{"id": "cpu", "scratch_limit_mb": 0}]})",
      {"/devices/0/scratch_limit_mb: found 0", "above 0"});
  row("scratch limit",
      R"({"devices": [{"id": "cpu:0"}, {"id": "cpu:1", "scratch_limit_mb": "8"}]})",
      {"/devices/1/scratch_limit_mb: found \"8\""});
  row("bandwidth 0", R"({"link": {"bandwidth_mbps": 0}})", {"/link/bandwidth_mbps", "from 1e-06"});
  row("bandwidth that no clock can wait for", R"({"link": {"bandwidth_mbps": 1e-300}})",
      {"/link/bandwidth_mbps: found 1e-300"});
  row("latency", R"({"link": {"latency_ms": -1}})", {"/link/latency_ms: found -1"});
  row("duplex", R"({"link": {"duplex": "simplex"}})", {"/link/duplex", "full, half"});
  row("device's bandwidth",
      R"({"devices": [{"id": "cpu:0"}, {"id": "cpu:1", "link": {"bandwidth_mbps": "1"}}]})",
      {"/devices/1/link/bandwidth_mbps: found \"1\""});
  row("split", R"({"distribution": {"split": "pictures"}})",
      {"/distribution/split: found \"pictures\"", "kernels, batch, auto"});
  row("shares name", R"({"distribution": {"shares": "fair"}})",
      {"/distribution/shares", "calibrated, equal"});
  row("shares type", R"({"distribution": {"shares": 3}})", {"/distribution/shares: found 3"});
  row("shares without devices", R"({"distribution": {"shares": [1]}})",
      {"/distribution/shares", "\"devices\""});
  row("shares count", R"({"devices": [{"id": "cpu"}], "distribution": {"shares": [0.5, 0.5]}})",
      {"/distribution/shares", "a list of 1"});
  row("shares sum",
      R"({"devices": [{"id": "cpu:0"}, {"id": "cpu:1"}], "distribution": {"shares": [0.5, 0.6]}})",
      {"/distribution/shares", "sum is 1.1"});
  row("share negative",
      R"({"devices": [{"id": "cpu:0"}, {"id": "cpu:1"}], "distribution": {"shares": [1.5, -0.5]}})",
      {"/distribution/shares/0: found 1.5"});
  for (const char* key : {"resident_kernels", "fuse_pooling", "overlap", "rebalance"})
    QTest::newRow(key) << QString(R"({"distribution": {"%1": 1}})").arg(key)
                       << QStringList{QString("/distribution/%1: found 1").arg(key), "true"};
  row("wire", R"({"distribution": {"wire": "fp8"}})", {"/distribution/wire", "fp32, fp16, bf16"});
  row("clock", R"({"clock": "lamport"})", {"a.json: /clock: found \"lamport\"", "wall, virtual"});
  row("baseline", R"({"baseline": "best"})", {"a.json: /baseline", "fastest, master, none"});
  row("name", R"({"name": 3})", {"a.json: /name: found 3"});
  const std::string deep =
      R"({"name": )" + std::string(200'000, '[') + std::string(200'000, ']') + "}";
  row("too deep", deep.c_str(), {"a.json", "more than 64 deep"});
  row("null object", R"({"network": null})", {"a.json: /network: found null"});
}

void ExperimentTest::refuses() {
  QFETCH(QString, text);
  QFETCH(QStringList, fragments);
  const QString message = refusal(text.toStdString());
  for (const QString& fragment : fragments)
    QVERIFY2(message.contains(fragment), qPrintable("\"" + message + "\" lacks " + fragment));
}

void ExperimentTest::refuses_files_without_an_end() {
  VERIFY_CONTAINS(error_of(ErrorKind::kExperiment, [] { read_experiment("/dev/zero"); }),
                  "/dev/zero: is a device");
}

void ExperimentTest::suggests_the_key_that_was_meant() {
  QVERIFY(refusal(R"({"training": {"batchsize": 3}})").contains("did you mean \"batch_size\"?"));
  QVERIFY(refusal(R"({"dataset": {"kind": "cifar"}})").contains("did you mean \"cifar10\"?"));
  QVERIFY(!refusal(R"({"wibble": 3})").contains("did you mean"));
}

void ExperimentTest::says_where_the_syntax_is_wrong() {
  QVERIFY(refusal("{\n  \"seed\": 1,\n  oops\n}").startsWith("a.json: line 3, column 3: "));
  QVERIFY(refusal("{\"seed\": 1").startsWith("a.json: line 1, column 11: "));
  QVERIFY(refusal("").startsWith("a.json: line 1, column 1: "));
  QVERIFY(refusal("{\n\"seed\": NaN}").contains("a.json: line 2"));
  QVERIFY(refusal("{} {}").contains("not valid JSON"));
  QVERIFY(refusal("").contains("not valid JSON: it is empty"));
  QVERIFY(refusal(" \n").contains("not valid JSON: it is empty"));
  QVERIFY(refusal(R"({"training": {)").contains("it ends here, before all"));
}

void ExperimentTest::writes_what_it_reads() {
  for (
      const char* text :
      {kExample, "{}",
       R"({"seed": 9007199254740993, "note": "measured; \"assumed\"", "training": {"epochs": 2, "learning_rate": 0.1,
            "initial_weights": "w.safetensors"},
            "dataset": {"kind": "folder", "path": "pictures", "image_size": 48},
            "devices": [{"id": "cpu:0-1,3", "name": "\u00e4"}, {"id": "opencl:0:1:2-3,5"}],
            "distribution": {"shares": [0.3333333333333333, 0.6666666666666667]},
            "network": {"kernels": [3], "padding": "same"}, "baseline": "none",
            "link": {"bandwidth_mbps": 0.1, "duplex": "half", "latency_ms": 1e-3}})"}) {
    const Experiment e = parse_experiment(text, "a.json");
    const std::string written = experiment_json(e);
    const Experiment again = parse_experiment(written, "b.json");
    QCOMPARE(experiment_json(again), written);
    QCOMPARE(again.seed, e.seed);
    QCOMPARE(again.note, e.note);
    QVERIFY(again.link == e.link);
    QVERIFY(again.training.sgd == e.training.sgd);
    QCOMPARE(again.distribution.fractions, e.distribution.fractions);
    QCOMPARE(again.dataset.image_size, e.dataset.image_size);
    QCOMPARE(again.training.initial_weights, e.training.initial_weights);
    QVERIFY(again.network == e.network);
  }
  // Every key of the schema but those that lists and links repeat.
  const json written = json::parse(experiment_json(parse_experiment(kExample, "a.json")));
  for (const ExperimentKeys& entry : experiment_keys()) {
    std::string path(entry.object);
    for (std::size_t star; (star = path.find('*')) != std::string::npos;) path[star] = '1';
    for (const std::string_view key : entry.keys)
      if (key != "$schema")
        QVERIFY2(written.contains(json::json_pointer(path + "/" + std::string(key))), key.data());
  }
}

void ExperimentTest::validates_what_was_not_parsed() {
  const auto refused = [](const Experiment& experiment) {
    try {
      validate(experiment, "form");
    } catch (const Error& error) {
      return QString(error.what());
    }
    return QString();
  };
  Experiment e;
  QCOMPARE(refused(e), QString());
  e.training.batch_size = -1;
  QVERIFY(refused(e).startsWith("form: /training/batch_size: found -1"));
  e = {};
  e.link.bandwidth_mbps = std::nan("");
  QVERIFY(refused(e).contains("/link/bandwidth_mbps: found \"nan\""));
  e = {};
  e.training.epochs = 1;
  QVERIFY(refused(e).contains("both given"));
  e.training.epochs.reset();
  e.training.steps.reset();
  QVERIFY(refused(e).contains("neither"));
}

void ExperimentTest::default_devices_share_no_core() {
  const std::vector<DeviceSpec> devices = default_devices();
  QVERIFY(!devices.empty());
  Experiment e;
  e.devices = devices;
  validate(e, "default");
  QVERIFY(devices.front().id.starts_with("cpu:"));
}

QTEST_GUILESS_MAIN(ExperimentTest)
#include "experiment_test.moc"
