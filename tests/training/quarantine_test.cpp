// Devices that fail or hang at every kind of command: the training goes on without them, with the
// same results as if they had never been there, and lets them in again.
#include <QTest>
#include <numeric>

#include "training_bench.h"

using namespace convoy;

class QuarantineTest : public QObject {
  Q_OBJECT
 private slots:
  void goesOnAsIfItHadNeverBeenThere_data() {
    QTest::addColumn<int>("devices");
    QTest::addColumn<int>("lost");
    QTest::addColumn<Fault>("fault");
    QTest::addColumn<Call>("call");
    QTest::addColumn<bool>("link");
    for (const auto& [devices, lost] : {std::pair(2, 1), {3, 1}, {3, 2}, {4, 2}})
      for (const Fault fault : {Fault::kThrow, Fault::kOutOfMemory, Fault::kHang})
        for (const Call call :
             {Call::kMakeConv, Call::kForward, Call::kBackwardWeights, Call::kBackwardData})
          for (const bool link : {false, true}) {
            if (link && (devices != 3 || fault == Fault::kOutOfMemory)) continue;
            QTest::addRow("%c of %d %s, %s%s", 'A' + lost, devices, fault_name(fault),
                          call_name(call), link ? ", over a link" : "")
                << devices << lost << fault << call << link;
          }
  }
  void goesOnAsIfItHadNeverBeenThere() {
    QFETCH(int, devices);
    QFETCH(int, lost);
    QFETCH(Fault, fault);
    QFETCH(Call, call);
    QFETCH(bool, link);
    const auto place = static_cast<std::size_t>(lost);
    const Outcome expected = undisturbed(static_cast<std::size_t>(devices) - 1);

    Bench bench(static_cast<std::size_t>(devices), {},
                link ? LinkSettings{5000.0, 0.01} : LinkSettings{});
    if (call == Call::kMakeConv) bench.faults[place]->arm(call, fault, 1);
    bench.begin();
    if (call != Call::kMakeConv) bench.faults[place]->arm(call, fault);
    std::vector<double> losses{bench.step(), bench.step()};
    // Whoever hangs wakes up in the middle of the others' work, and may write what it likes.
    bench.faults[place]->release();
    while (bench.steps < kSteps) losses.push_back(bench.step());
    bench.faults[place]->wait_until_idle();

    QCOMPARE(losses, expected.losses);
    QVERIFY(same(bench.trainer->parameters(), expected.parameters));
    QCOMPARE(bench.trainer->test_accuracy([](int, int) {}), expected.accuracy);

    QCOMPARE(bench.events.quarantines.size(), std::size_t{1});
    const RunQuarantine& told = bench.events.quarantines[0];
    QCOMPARE(told.device, lost);
    QCOMPARE(told.step, 1);
    QCOMPARE(told.hanging, fault == Fault::kHang);
    QVERIFY(!told.reason.empty() && !told.during.empty());
    QCOMPARE(bench.events.shares.size(), std::size_t{1});
    const RunShares& shares = bench.events.shares[0];
    QCOMPARE(shares.change, ShareChange::kQuarantine);
    QCOMPARE(kernels_of(shares, place), 0);
    for (std::size_t layer = 0; layer < shares.kernels.size(); ++layer)
      QCOMPARE(std::accumulate(shares.kernels[layer].begin(), shares.kernels[layer].end(), 0),
               bench.setup.problems[layer].out_channels);
    QCOMPARE(bench.events.messages.size(), std::size_t{1});
    const std::string& message = bench.events.messages[0];
    QVERIFY2(message.rfind("Device " + told.name + " failed in ", 0) == 0, message.c_str());
    QVERIFY2(message.find("went to A") != std::string::npos, message.c_str());
  }

  // Whatever breaks it, and wherever: the repeated step is the same step.
  void aLaterStepIsRepeatedFromTheSameWeights() {
    std::optional<Outcome> first;
    for (const Fault fault : {Fault::kThrow, Fault::kHang})
      for (const Call call : {Call::kForward, Call::kBackwardWeights, Call::kBackwardData}) {
        Bench bench(3);
        bench.begin();
        Outcome outcome;
        for (int i = 0; i < kSteps; ++i) {
          if (i == 3) bench.faults[1]->arm(call, fault);
          outcome.losses.push_back(bench.step());
        }
        outcome.parameters = bench.trainer->parameters().copy();
        QCOMPARE(bench.events.quarantines.at(0).step, 4);
        if (!first) {
          first = std::move(outcome);
          continue;
        }
        QCOMPARE(outcome.losses, first->losses);
        QVERIFY(same(outcome.parameters, first->parameters));
      }
  }

  void losesOneAfterTheOtherDownToTheMaster() {
    Bench bench(4);
    bench.begin();
    bench.faults[1]->arm(Call::kForward, Fault::kThrow);
    bench.faults[2]->arm(Call::kBackwardData, Fault::kHang);
    bench.step();
    bench.faults[3]->arm(Call::kBackwardWeights, Fault::kOutOfMemory);
    bench.step();
    QCOMPARE(bench.events.quarantines.size(), std::size_t{3});
    QCOMPARE(kernels_of(bench.events.shares.back(), 0), 17);
    bench.step();
  }

  void twoAtOnce() {
    const Outcome expected = undisturbed(2);
    Bench bench(4);
    bench.begin();
    bench.faults[1]->arm(Call::kForward, Fault::kHang);
    bench.faults[3]->arm(Call::kForward, Fault::kHang);
    std::vector<double> losses;
    while (bench.steps < kSteps) losses.push_back(bench.step());
    QCOMPARE(losses, expected.losses);
    QCOMPARE(bench.events.quarantines.size(), std::size_t{2});
  }

  void inTheTestToo() {
    const Outcome expected = undisturbed(1);
    Bench bench(2);
    bench.faults[1]->arm(Call::kMakeConv, Fault::kThrow);
    bench.begin();
    while (bench.steps < kSteps) bench.step();
    bench.faults[1]->release();
    while (!bench.cluster->available()[1]) bench.trainer->readmit(1, kSteps);
    bench.faults[1]->arm(Call::kForward, Fault::kHang, 1);
    QCOMPARE(bench.trainer->test_accuracy([](int, int) {}), expected.accuracy);
    QCOMPARE(bench.events.quarantines.back().step, kSteps + 1);
  }

  void otherDivisionsSurviveToo_data() {
    QTest::addColumn<int>("option");
    QTest::newRow("by batch") << 0;
    QTest::newRow("resident kernels") << 1;
    QTest::newRow("pooling on the device") << 2;
  }
  void otherDivisionsSurviveToo() {
    QFETCH(int, option);
    DistributionOptions options;
    if (option == 0) options.split = SplitMode::kBatch;
    if (option == 1) options.resident_kernels = true;
    if (option == 2) options.fuse_pooling = true;
    const Outcome expected = undisturbed(2, options);
    Bench bench(3, options);
    bench.begin();
    bench.faults[2]->arm(Call::kBackwardWeights, Fault::kThrow, 1);
    std::vector<double> losses;
    while (bench.steps < kSteps) losses.push_back(bench.step());
    QCOMPARE(losses, expected.losses);
    QVERIFY(same(bench.trainer->parameters(), expected.parameters));
  }

  void theMastersDeviceCannotBeReplaced() {
    Bench bench(3);
    bench.begin();
    bench.faults[0]->arm(Call::kForward, Fault::kThrow);
    QVERIFY_EXCEPTION_THROWN(bench.step(), Error);
    QVERIFY(bench.events.quarantines.empty());
  }

  void isLetInAgain_data() {
    QTest::addColumn<Fault>("fault");
    QTest::newRow("after an error") << Fault::kThrow;
    QTest::newRow("after hanging") << Fault::kHang;
  }
  void isLetInAgain() {
    QFETCH(Fault, fault);
    Bench bench(3);
    bench.begin();
    bench.step();
    bench.faults[1]->arm(Call::kForward, fault);
    bench.step();

    bench.trainer->readmit(1, 3);  // it is as bad as it was
    QVERIFY(!bench.cluster->available()[1]);
    QVERIFY(bench.events.readmissions.empty());
    const std::string& refusal = bench.events.messages.back();
    QVERIFY2(refusal.find("cannot be let in again") != std::string::npos, refusal.c_str());
    bench.step();

    bench.faults[1]->release();
    while (!bench.cluster->available()[1]) bench.trainer->readmit(1, 4);
    QCOMPARE(bench.events.readmissions.size(), std::size_t{1});
    QCOMPARE(bench.events.readmissions[0].device, 1);
    const RunShares& shares = bench.events.shares.back();
    QCOMPARE(shares.change, ShareChange::kReadmission);
    QCOMPARE(shares.kernels, bench.events.shares.size() == 2
                                 ? (std::vector<std::vector<int>>{{3, 2, 2}, {4, 3, 3}})
                                 : std::vector<std::vector<int>>{});
    bench.step();
    bench.trainer->readmit(1, 5);
    QCOMPARE(bench.events.messages.back(), std::string("Device B is not in quarantine."));
    bench.step();
  }

  void stopAnswersWhileADeviceHangs() {
    Bench bench(3);
    bench.setup.overdue = [](int, const WorkerCommand&, SteadyClock::duration) { return false; };
    bench.begin();
    bench.faults[2]->arm(Call::kForward, Fault::kHang);
    std::thread person([&] {
      while (!bench.faults[2]->hanging()) std::this_thread::yield();
      bench.control.request_stop();
    });
    QVERIFY_EXCEPTION_THROWN(bench.step(), Interrupted);
    person.join();
    // The end of the run does not wait for it either.
    bench.trainer.reset();
    bench.cluster.reset();
    QCOMPARE(threads_left_behind(), 1);
  }

  void calibrationLeavesTheLostOut_data() {
    QTest::addColumn<Fault>("fault");
    QTest::addColumn<Call>("call");
    QTest::addColumn<int>("after");
    for (const Fault fault : {Fault::kThrow, Fault::kOutOfMemory, Fault::kHang})
      for (const Call call : {Call::kMakeConv, Call::kForward, Call::kBackwardData})
        for (const int after : {0, 1})
          QTest::addRow("%s, %s, after %d", fault_name(fault), call_name(call), after)
              << fault << call << after;
  }
  void calibrationLeavesTheLostOut() {
    QFETCH(Fault, fault);
    QFETCH(Call, call);
    QFETCH(int, after);
    Bench bench(3);
    bench.faults[1]->arm(call, fault, after);
    bench.setup.policy.calibrated = true;
    const ClusterPlan plan = calibrate(*bench.cluster, bench.setup.problems, {"A", "B", "C"},
                                       bench.setup.policy, {}, [](int) {});
    QCOMPARE(plan.lost.size(), std::size_t{1});
    QCOMPARE(plan.lost[0].device, 1);
    for (const LayerPlan& layer : plan.layers) {
      QCOMPARE(layer.counts()[1], 0);
      QCOMPARE(std::accumulate(layer.counts().begin(), layer.counts().end(), 0), layer.whole());
    }
    QCOMPARE(plan.gflops(1), 0.0);
    bench.first_plan = plan;
    bench.begin();
    bench.step();
    QVERIFY(bench.events.quarantines.empty());  // it is not asked any more
  }

  void whoLiedAboutItsSpeedLosesItsKernels() {
    DistributionOptions options;
    options.rebalance = true;
    Bench bench(3, options);
    for (LayerPlan& layer : bench.first_plan.layers) layer.cost.assign(3, {0.0, 0.01});
    bench.begin();
    bench.faults[1]->dawdle(std::chrono::milliseconds(40));
    while (bench.steps < 40 && bench.events.shares.empty()) bench.step();
    QVERIFY(!bench.events.shares.empty());
    const RunShares& shares = bench.events.shares.front();
    QCOMPARE(shares.change, ShareChange::kRebalance);
    QVERIFY(kernels_of(shares, 1) < 5);
    QVERIFY(bench.events.quarantines.empty());
    bench.step();
  }
};

QTEST_GUILESS_MAIN(QuarantineTest)
#include "quarantine_test.moc"
