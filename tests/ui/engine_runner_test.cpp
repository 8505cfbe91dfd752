// The bridge between the engine's thread and the GUI: nothing blocks, nothing stale arrives, every
// way a run can end is told.
#include <QSignalSpy>
#include <QtTest>
#include <atomic>
#include <chrono>
#include <thread>

#include "ui/bridge/engine_runner.h"
#include "ui/bridge/tick_budget.h"
#include "ui/live/run_store.h"

using namespace convoy;
using namespace convoy::ui;

namespace {

constexpr int kLong = 15'000;  // a wait that only a hanging test uses up

RunStarted startedEvent(const char* run) {
  RunStarted event;
  event.run = run;
  event.steps = 10;
  event.devices.resize(1);
  event.devices[0].name = "cpu:0";
  return event;
}

RunSummary summaryOf(RunOutcome outcome) {
  RunSummary summary;
  summary.outcome = outcome;
  return summary;
}

void waitForStop(const RunControl& control) {
  while (!control.stop_token().stop_requested())
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

}  // namespace

class EngineRunnerTest : public QObject {
  Q_OBJECT

 private slots:
  void tellsEveryEvent() {
    RunStore store;
    EngineRunner runner(&store, nullptr, [](const auto&, RunControl&, const auto& listeners, auto) {
      RunListener* listener = listeners.front();
      listener->on_started(startedEvent("a"));
      listener->on_phase(RunPhase::kTraining, "training", 0, 10);
      for (int number = 1; number <= 10; ++number) {
        RunStep step;
        step.step = number;
        step.step_ms = 5.0;
        listener->on_step(step);
      }
      listener->on_message(Severity::kWarning, "careful");
      const RunSummary summary = summaryOf(RunOutcome::kDone);
      listener->on_finished(summary);
      return summary;
    });
    QSignalSpy finished(&runner, &EngineRunner::finished);
    QSignalSpy messages(&runner, &EngineRunner::messageArrived);
    QSignalSpy changed(&store, &RunStore::changed);
    runner.start({}, "unused");
    QVERIFY(runner.isActive());
    QVERIFY(finished.wait(kLong));
    QCOMPARE(store.stepCount(), 10);
    QCOMPARE(store.state(), RunStore::State::Done);
    QCOMPARE(messages.count(), 1);
    QCOMPARE(messages[0][1].toString(), QString("careful"));
    QVERIFY(runner.summary().has_value());
    QVERIFY(!runner.failure());
    QVERIFY(!runner.isActive());
    // All of it went through few ticks, not through one signal a step.
    QVERIFY2(changed.count() < 10, qPrintable(QString::number(changed.count())));
  }

  void paintingTakesASmallPartOfACore() {
    QCOMPARE(TickBudget::intervalMs(0.0), TickBudget::kQuickestMs);
    QCOMPARE(TickBudget::intervalMs(1e6), TickBudget::kSlowestMs);
    for (double busyMs = 0.0; busyMs < TickBudget::kPartOfACore * TickBudget::kSlowestMs;
         busyMs += 0.5)
      QVERIFY(TickBudget::intervalMs(busyMs) + 1 > busyMs / TickBudget::kPartOfACore);
  }

  void theFolderIsNamedAfterTheRun() {
    const QTemporaryDir home;
    const auto folder = [&](const char* name) {
      return std::filesystem::path(home.filePath(name).toStdString());
    };
    RunStore store;
    bool starts = true;
    EngineRunner runner(&store, nullptr,
                        [&](const auto&, RunControl&, const auto& listeners, const auto& out) {
                          std::filesystem::create_directories(*out);
                          if (starts) listeners.front()->on_started(startedEvent("the-run"));
                          return summaryOf(RunOutcome::kDone);
                        });
    QSignalSpy finished(&runner, &EngineRunner::finished);
    runner.start({}, folder("first"));
    QVERIFY(finished.wait(kLong));
    QCOMPARE(runner.folder(), folder("the-run"));
    QVERIFY(std::filesystem::is_directory(folder("the-run")));
    QVERIFY(!std::filesystem::exists(folder("first")));

    starts = false;  // what fails before it begins leaves no empty folder
    runner.start({}, folder("second"));
    QVERIFY(finished.wait(kLong));
    QVERIFY(!std::filesystem::exists(folder("second")));
  }

  void stopReachesARunThatNeverReturnsToTheEventLoop() {
    RunStore store;
    std::atomic<bool> stopped{false};
    EngineRunner runner(&store, nullptr, [&](const auto&, RunControl& control, const auto&, auto) {
      waitForStop(control);
      stopped = true;
      return summaryOf(RunOutcome::kStopped);
    });
    QSignalSpy finished(&runner, &EngineRunner::finished);
    runner.start({}, "unused");
    runner.stop();
    QCOMPARE(runner.state(), EngineRunner::State::Stopping);
    // No event loop has turned: the stop went straight to the engine.
    while (!stopped) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    QVERIFY(finished.wait(kLong));
    QCOMPARE(runner.summary()->outcome, RunOutcome::kStopped);
  }

  void pauseAndLinkReachTheControl() {
    RunStore store;
    std::atomic<bool> paused{false};
    std::atomic<double> bandwidth{0.0};
    EngineRunner runner(&store, nullptr, [&](const auto&, RunControl& control, const auto&, auto) {
      control.attach(
          [&](const LinkSettings& link) { bandwidth = link.bandwidth_mbps.value_or(-1); });
      while (!control.stop_token().stop_requested()) {
        paused = control.paused();
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      return summaryOf(RunOutcome::kStopped);
    });
    runner.start({}, "unused");
    runner.setPaused(true);
    QCOMPARE(runner.state(), EngineRunner::State::Paused);
    QTRY_VERIFY_WITH_TIMEOUT(paused.load(), kLong);
    LinkSettings link;
    link.bandwidth_mbps = 123.0;
    runner.setLink(link);
    QTRY_COMPARE_WITH_TIMEOUT(bandwidth.load(), 123.0, kLong);
    runner.setPaused(false);
    QTRY_VERIFY_WITH_TIMEOUT(!paused.load(), kLong);
    runner.shutDown();
    QVERIFY(!runner.isActive());
  }

  void eventsOfAnEarlierRunAreDropped() {
    RunStore store;
    std::atomic<int> calls{0};
    EngineRunner runner(
        &store, nullptr,
        [&](const Experiment& experiment, RunControl& control, const auto& listeners, auto) {
          listeners.front()->on_started(startedEvent(experiment.name.c_str()));
          ++calls;
          waitForStop(control);
          listeners.front()->on_message(Severity::kError, "last words of " + experiment.name);
          return summaryOf(RunOutcome::kStopped);
        });
    QSignalSpy messages(&runner, &EngineRunner::messageArrived);
    QSignalSpy started(&runner, &EngineRunner::started);
    Experiment first;
    first.name = "first";
    runner.start(first, "unused");
    while (calls < 1) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    Experiment second;
    second.name = "second";
    runner.start(second, "unused");  // before any tick: all that the first said is still queued
    QCOMPARE(runner.job(), quint64(2));
    QVERIFY(started.wait(kLong));
    QCOMPARE(QString::fromStdString(store.started().run), QString("second"));
    QCOMPARE(started.count(), 1);
    QCOMPARE(messages.count(), 0);
  }

  void failuresAreToldWithTheirPlace() {
    RunStore store;
    EngineRunner runner(
        &store, nullptr, [](const auto&, RunControl&, const auto&, auto) -> RunSummary {
          throw Error(ErrorKind::kExperiment, "a.json: /training/batch_size", "0 is not positive");
        });
    QSignalSpy finished(&runner, &EngineRunner::finished);
    runner.start({}, "unused");
    QVERIFY(finished.wait(kLong));
    QVERIFY(runner.failure().has_value());
    QCOMPARE(runner.failure()->kind, ErrorKind::kExperiment);
    QCOMPARE(runner.failure()->where, QString("a.json: /training/batch_size"));
    QVERIFY(runner.failure()->text.contains("0 is not positive"));
    QCOMPARE(store.state(), RunStore::State::Failed);
  }

  void memoryThatRunsOutIsAFailureLikeAnyOther() {
    RunStore store;
    EngineRunner runner(
        &store, nullptr,
        [](const auto&, RunControl&, const auto&, auto) -> RunSummary { throw std::bad_alloc(); });
    QSignalSpy finished(&runner, &EngineRunner::finished);
    runner.start({}, "unused");
    QVERIFY(finished.wait(kLong));
    QCOMPARE(runner.failure()->kind, ErrorKind::kRun);
    QVERIFY(runner.failure()->text.contains("memory"));
  }

  void destructionInTheMiddleOfARunJoins() {
    RunStore store;
    std::atomic<bool> left{false};
    {
      EngineRunner runner(&store, nullptr,
                          [&](const auto&, RunControl& control, const auto&, auto) {
                            waitForStop(control);
                            left = true;
                            return summaryOf(RunOutcome::kStopped);
                          });
      runner.start({}, "unused");
    }
    QVERIFY(left.load());
  }
};

QTEST_MAIN(EngineRunnerTest)
#include "engine_runner_test.moc"
