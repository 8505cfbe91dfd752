// The set-up as data: what the dock edits is exactly what the engine gets, and back; what cannot
// work is said; every edit can be undone.
#include <QTemporaryDir>
#include <QtTest>
#include <memory>

#include "engine/device/discovery.h"
#include "ui/models/experiment_document.h"
#include "ui/setup/link_panel.h"

using namespace convoy;
using namespace convoy::ui;

namespace {

const DeviceCatalog& machine() {
  static const DeviceCatalog catalog = DeviceCatalog::detect();
  return catalog;
}

bool hasProblem(const Setup& setup, const QString& path, Severity severity = Severity::kError) {
  const auto problems = findProblems(setup, machine());
  return std::any_of(problems.begin(), problems.end(), [&](const Problem& problem) {
    return problem.path == path && problem.severity == severity && !problem.text.isEmpty();
  });
}

}  // namespace

class SetupTest : public QObject {
  Q_OBJECT

 private slots:
  void initTestCase() { keep_runtimes_on_cores(); }

  void theReadyExperimentHasNoFault() {
    const Setup setup = defaultSetup(machine());
    QVERIFY(!setup.devices.empty());
    QVERIFY(setup.devices.front().ticked);
    QVERIFY(canRun(findProblems(setup, machine())));
  }

  void experimentsSurviveTheDock() {
    Setup setup = defaultSetup(machine());
    setup.experiment.seed = 7;
    setup.experiment.network.kernels = {4, 5, 6};
    setup.experiment.network.padding = PaddingMode::kSame;
    setup.experiment.training.steps.reset();
    setup.experiment.training.epochs = 2;
    setup.experiment.link.bandwidth_mbps = 250.0;
    setup.experiment.link.duplex = Duplex::kHalf;
    const std::string json = experiment_json(toExperiment(setup));
    const Setup again = fromExperiment(parse_experiment(json, "test"), machine());
    QCOMPARE(experiment_json(toExperiment(again)), json);
  }

  void theMasterHasNoLink() {
    Setup setup = defaultSetup(machine());
    LinkSettings link;
    link.bandwidth_mbps = 10.0;
    setup.devices.front().spec.link = link;
    QVERIFY(!toExperiment(setup).devices.front().link);
  }

  void aLinkThatNoDeviceUsesSaysSo() {
    Setup setup = defaultSetup(machine());
    setup.experiment.clock = ClockMode::kVirtual;
    const DeviceRow first = setup.devices.front();
    setup.devices = {first, first};
    setup.devices[1].spec.name = "another";
    QVERIFY(!hasProblem(setup, "/link", Severity::kInfo));
    setup.devices[1].spec.link = LinkSettings();
    QVERIFY(hasProblem(setup, "/link", Severity::kInfo));
    QVERIFY(canRun(findProblems(setup, machine())));
    setup.devices.pop_back();
    QVERIFY(!hasProblem(setup, "/link", Severity::kInfo));  // one device: there is no link at all
  }

  void untickedDevicesStayOut() {
    Setup setup = defaultSetup(machine());
    for (DeviceRow& row : setup.devices) row.ticked = false;
    QVERIFY(toExperiment(setup).devices.empty());
    QVERIFY(hasProblem(setup, "/devices"));
  }

  void roundedSharesStillAddUp() {
    Setup setup = defaultSetup(machine());
    setup.devices.clear();
    for (const char* id : {"cpu:0", "cpu:1", "cpu:2"})
      setup.devices.push_back({{id, {}, 1.0, {}}, true, 0.333});
    setup.experiment.distribution.shares = ShareMode::kExplicit;
    const auto fractions = toExperiment(setup).distribution.fractions;
    QCOMPARE(fractions.size(), size_t(3));
    QVERIFY(qAbs(fractions[0] + fractions[1] + fractions[2] - 1.0) < 1e-12);
    setup.devices.back().fraction = 0.1;
    QVERIFY(qAbs(toExperiment(setup).distribution.fractions[2] - 0.1) < 1e-12);
    QVERIFY(hasProblem(setup, "/distribution/shares"));
  }

  void faultsAreSaidAtTheirField_data() {
    QTest::addColumn<std::function<void(Setup&)>>("spoil");
    QTest::addColumn<QString>("path");
    using Spoil = std::function<void(Setup&)>;
    QTest::newRow("batch larger than the data") << Spoil([](Setup& setup) {
      setup.experiment.dataset.train_limit = 100;
      setup.experiment.training.batch_size = 101;
    }) << "/training/batch_size";
    QTest::newRow("maps smaller than the kernel") << Spoil([](Setup& setup) {
      setup.experiment.network.kernels = {4, 4, 4, 4, 4};
    }) << "/network/kernels";
    QTest::newRow("no folder chosen")
        << Spoil([](Setup& setup) { setup.experiment.dataset.kind = DatasetKind::kFolder; })
        << "/dataset/path";
    QTest::newRow("no such folder") << Spoil([](Setup& setup) {
      setup.experiment.dataset.kind = DatasetKind::kCifar10;
      setup.experiment.dataset.path = "/nowhere/at/all";
    }) << "/dataset/path";
    QTest::newRow("missing weights")
        << Spoil([](Setup& setup) { setup.experiment.training.initial_weights = "/nowhere.st"; })
        << "/training/initial_weights";
    QTest::newRow("missing device")
        << Spoil([](Setup& setup) { setup.devices.front().spec.id = "opencl:91:7"; }) << "/devices";
    QTest::newRow("missing core") << Spoil([](Setup& setup) {
      setup.devices.front().spec.id = "cpu:4000";
    }) << "/devices";
    QTest::newRow("shared cores") << Spoil([](Setup& setup) {
      setup.devices.push_back({{"cpu", "all", 1.0, {}}, true, 0.0});
    }) << "/devices";
  }
  void faultsAreSaidAtTheirField() {
    QFETCH(std::function<void(Setup&)>, spoil);
    QFETCH(QString, path);
    Setup setup = defaultSetup(machine());
    spoil(setup);
    QVERIFY(hasProblem(setup, path));
    QVERIFY(!canRun(findProblems(setup, machine())));
  }

  void openClOnTheCoresOfAnotherDeviceIsAWarning() {
    const auto& devices = machine().devices();
    const auto runtime = std::find_if(devices.begin(), devices.end(), [](const DeviceInfo& info) {
      return info.id.starts_with("opencl:") && info.kind == DeviceKind::kCpu;
    });
    QVERIFY2(runtime != devices.end(), "this test needs PoCL");
    const std::string first = std::to_string(machine().cores().front());
    const std::string last = std::to_string(machine().cores().back());
    const auto isWarned = [&](const std::string& id) {
      Setup setup = defaultSetup(machine());
      setup.devices = {{{"cpu:" + first, {}, 1.0, {}}, true, 0.0}, {{id, {}, 1.0, {}}, true, 0.0}};
      [&] { QVERIFY(canRun(findProblems(setup, machine()))); }();
      return hasProblem(setup, "/devices", Severity::kWarning);
    };
    QVERIFY(isWarned(runtime->id));
    QVERIFY(isWarned(runtime->id + ":" + first));
    QCOMPARE(isWarned(runtime->id + ":" + last), first == last);
    QString reason;
    QVERIFY(!machine().describe(runtime->id + ":4000", &reason));
    QVERIFY2(reason.contains("4000"), qPrintable(reason));
  }

  void engineMessagesFindTheirField() {
    const Problem problem =
        problemFrom("a b.json: /training/steps", "a b.json: /training/steps: 0 is too few");
    QCOMPARE(problem.path, QString("/training/steps"));
    QCOMPARE(problem.text, QString("0 is too few"));
    QCOMPARE(problemFrom("/home/a.json: /seed", "/home/a.json: /seed: bad").path, QString("/seed"));
    QCOMPARE(problemFrom("/seed", "/seed: bad").path, QString("/seed"));
    QCOMPARE(problemFrom("opencl:0:0", "opencl:0:0: gone").path, QString());
  }

  void aStepCostsWhatTheLayersSay() {
    Setup setup = defaultSetup(machine());
    setup.experiment.network = {{10}, 5, PaddingMode::kValid};
    setup.experiment.training.batch_size = 2;
    const auto cost = stepCost(setup);
    QVERIFY(cost.has_value());
    // 28x28 maps of 10 kernels over 3x5x5 values, pooled to 14x14, fully connected to 10 classes.
    const double convolution = 2.0 * 2 * 10 * 28 * 28 * 75;
    const double fullyConnected = 2.0 * 2 * 10 * 14 * 14 * 10;
    QCOMPARE(cost->flops, 2 * convolution + 3 * fullyConnected);
    QCOMPARE(cost->parameters, 10.0 * 75 + 10 + 10 * 14 * 14 * 10 + 10);
    QCOMPARE(cost->mapSizes, std::vector<int>{14});
  }

  void undoAndRedo() {
    ExperimentDocument document(machine());
    const int before = document.setup().experiment.training.batch_size;
    for (int batch = 1; batch <= 3; ++batch)
      document.edit("Batch Size", "batch",
                    [&](Setup& setup) { setup.experiment.training.batch_size = batch; });
    document.edit("Seed", "seed", [](Setup& setup) { setup.experiment.seed = 99; });
    QCOMPARE(document.undoStack()->count(), 2);  // edits of one field are one step
    QVERIFY(document.isModified());
    document.undoStack()->undo();
    QCOMPARE(document.setup().experiment.training.batch_size, 3);
    document.undoStack()->undo();
    QCOMPARE(document.setup().experiment.training.batch_size, before);
    QVERIFY(!document.isModified());
    document.undoStack()->redo();
    QCOMPARE(document.setup().experiment.training.batch_size, 3);
    document.edit("Nothing", {}, [](Setup&) {});
    QVERIFY(document.undoStack()->canRedo());  // what changes nothing is no edit
  }

  // Whatever takes the place of an experiment that was not saved, there is a way back.
  void anotherExperimentIsAStepOfUndo() {
    const QTemporaryDir folder;
    const QString file = folder.filePath("other.json");
    ExperimentDocument other(machine());
    other.edit("Seed", {}, [](Setup& setup) { setup.experiment.seed = 7; });
    other.save(file);

    ExperimentDocument document(machine());
    document.edit("Seed", {}, [](Setup& setup) { setup.experiment.seed = 99; });
    document.open(file);
    QCOMPARE(document.setup().experiment.seed, std::uint64_t(7));
    QVERIFY(!document.isModified());
    document.undoStack()->undo();
    QCOMPARE(document.setup().experiment.seed, std::uint64_t(99));
    QCOMPARE(document.file(), QString());
    QVERIFY(document.isModified());
    document.undoStack()->redo();
    QCOMPARE(document.file(), file);
    QVERIFY(!document.isModified());
    document.reset();
    QVERIFY(document.file().isEmpty() && !document.isModified());
    document.undoStack()->undo();
    QCOMPARE(document.file(), file);
    // The last session's has no way back: there is nothing behind it.
    document.restore(other.experiment(), {}, true);
    QVERIFY(document.isModified() && !document.undoStack()->canUndo());
  }

  void aDocumentGoesInSilence() {
    auto document = std::make_unique<ExperimentDocument>(machine());
    document->edit("Seed", {}, [](Setup& setup) { setup.experiment.seed = 99; });
    QSignalSpy told(document->undoStack(), &QUndoStack::indexChanged);
    document.reset();
    QCOMPARE(told.count(), 0);
  }

  void saveAndOpen() {
    const QTemporaryDir folder;
    const QString file = folder.filePath("experiment.json");
    ExperimentDocument document(machine());
    document.edit("Kernels", {}, [](Setup& setup) { setup.experiment.network.kernels = {7, 11}; });
    document.save(file);
    QVERIFY(!document.isModified());
    ExperimentDocument other(machine());
    other.open(file);
    QCOMPARE(experiment_json(other.experiment()), experiment_json(document.experiment()));

    QFile damaged(file);
    QVERIFY(damaged.open(QIODevice::WriteOnly));
    damaged.write("{ \"sed\": 1 }");
    damaged.close();
    QVERIFY_EXCEPTION_THROWN(other.open(file), Error);
    QCOMPARE(experiment_json(other.experiment()), experiment_json(document.experiment()));
  }

  void theSliderIsLogarithmic() {
    QCOMPARE(LinkPanel::place(1.0), 0);
    QCOMPARE(LinkPanel::place(10.0), LinkPanel::kStepsPerDecade);
    QCOMPARE(LinkPanel::place(10'000.0), 4 * LinkPanel::kStepsPerDecade);
    QCOMPARE(LinkPanel::bandwidth(LinkPanel::kUnlimited), std::optional<double>());
    for (const double mbps : {1.0, 50.0, 100.0, 1000.0, 10'000.0})
      QCOMPARE(LinkPanel::bandwidth(LinkPanel::place(mbps)), std::optional(mbps));
    double last = 0.0;
    for (int place = 0; place <= 4 * LinkPanel::kStepsPerDecade; ++place) {
      const auto mbps = LinkPanel::bandwidth(place);
      QVERIFY(mbps && *mbps >= last);
      last = *mbps;
    }
  }
};

QTEST_MAIN(SetupTest)
#include "setup_test.moc"
