// A whole training on an OpenCL device whose calls begin to fail: it is quarantined, the run goes
// on, and it can be let in again.
#include <QTest>
#include <functional>

#include "engine/device/discovery.h"
#include "engine/training/run.h"
#include "tests/device/first_opencl_device.h"
#include "tests/device/opencl_layer.h"

using namespace convoy;

namespace {

class Watched : public RunListener {
 public:
  explicit Watched(std::string opencl_id) {
    experiment.dataset.train_limit = 64;
    experiment.dataset.test_limit = 20;
    experiment.network.kernels = {6, 8};
    experiment.training.batch_size = 8;
    experiment.training.steps = 8;
    experiment.baseline = BaselineMode::kNone;
    experiment.distribution.shares = ShareMode::kEqual;
    experiment.devices = {{"cpu:" + std::to_string(available_cores().front()), "A", 1.0, {}},
                          {std::move(opencl_id), "B", 1.0, {}}};
  }

  RunSummary run() { return run_experiment(experiment, control, {this}); }

  void on_step(const RunStep& event) override {
    order += std::to_string(event.step);
    losses.push_back(event.loss);
    if (after_step) after_step(event.step);
  }
  void on_quarantine(const RunQuarantine& event) override {
    order += 'q';
    quarantine = event;
  }
  void on_readmission(const RunReadmission&) override { order += 'r'; }

  Experiment experiment;
  RunControl control;
  std::function<void(int)> after_step;
  std::string order;
  std::vector<double> losses;
  RunQuarantine quarantine;
};

}  // namespace

class OpenClFaultsTest : public QObject {
  Q_OBJECT

 private slots:
  void initTestCase() { id_ = first_opencl_device().info.id; }
  void cleanup() { opencl_layer::end_injection(); }

  void a_device_that_fails_is_quarantined_and_let_in_again_data() {
    QTest::addColumn<int>("code");
    QTest::addColumn<QString>("function");
    QTest::newRow("lost") << CL_DEVICE_NOT_AVAILABLE << "clEnqueueNDRangeKernel";
    QTest::newRow("lost while it computes")
        << CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST << "clEnqueueMapBuffer";
    QTest::newRow("out of memory for good") << CL_OUT_OF_RESOURCES << "clEnqueueNDRangeKernel";
    QTest::newRow("everything fails") << CL_OUT_OF_HOST_MEMORY << "";
  }
  void a_device_that_fails_is_quarantined_and_let_in_again() {
    QFETCH(int, code);
    QFETCH(QString, function);
    Watched whole(id_);
    QCOMPARE(whole.run().outcome, RunOutcome::kDone);
    const int contexts = opencl_layer::held()["context"];

    Watched run(id_);
    run.after_step = [&](int step) {
      if (step == 2) opencl_layer::inject({code, 0, true, function.toStdString()});
      if (step == 4) {
        QVERIFY(opencl_layer::end_injection().failed > 0);
        run.control.readmit("B");
      }
    };
    const RunSummary summary = run.run();
    QCOMPARE(summary.outcome, RunOutcome::kDone);
    QCOMPARE(QString::fromStdString(run.order), QString("12q34r5678"));
    // What was in the old one may be beyond repair.
    QCOMPARE(opencl_layer::held()["context"], contexts + 1);
    QCOMPARE(run.quarantine.name, std::string("B"));
    const QString reason = QString::fromStdString(run.quarantine.reason);
    QVERIFY2(reason.startsWith(QString::fromStdString(id_)), qPrintable(reason));
    QVERIFY2(reason.contains(QString::fromStdString(cl_error_name(code))), qPrintable(reason));
    QVERIFY2(reason.contains(function), qPrintable(reason));
    // The same training, but for rounding.
    for (std::size_t i = 0; i < whole.losses.size(); ++i)
      QVERIFY2(std::abs(run.losses[i] - whole.losses[i]) < 1e-4,
               qPrintable(QString::number(i + 1)));
  }

  // Memory that is short once makes the plan smaller; nobody else notices.
  void memory_that_is_short_once_is_no_quarantine() {
    Watched run(id_);
    opencl_layer::Report report;
    run.after_step = [&](int step) {
      if (step == 2)
        opencl_layer::inject(
            {CL_MEM_OBJECT_ALLOCATION_FAILURE, 0, false, "clEnqueueNDRangeKernel"});
      if (step == 4) report = opencl_layer::end_injection();
    };
    QCOMPARE(run.run().outcome, RunOutcome::kDone);
    QCOMPARE(report.failed, 1);
    QCOMPARE(QString::fromStdString(run.order), QString("12345678"));
  }

 private:
  std::string id_;
};

QTEST_GUILESS_MAIN(OpenClFaultsTest)
#include "opencl_faults_test.moc"
