// Weights that reside on devices, when one of these does not give them back: the training goes on
// from the master's copy, with the same results.
#include <QTest>
#include <cmath>

#include "training_bench.h"

using namespace convoy;

namespace {

constexpr int kLength = 22;  // of three epochs of eight steps

DistributionOptions resident(bool pooling = false) {
  DistributionOptions options;
  options.resident_kernels = true;
  options.fuse_pooling = pooling;
  return options;
}

}  // namespace

class WeightCopyTest : public QObject {
  Q_OBJECT
 private slots:
  void goesOnFromTheFirstWeights_data() {
    QTest::addColumn<Fault>("fault");
    QTest::addColumn<Call>("call");
    QTest::addColumn<bool>("pooling");
    for (const bool pooling : {false, true})
      for (const Call call : {Call::kForward, Call::kBackwardWeights, Call::kForEach})
        for (const Fault fault : {Fault::kThrow, Fault::kHang})
          QTest::addRow("%s, %s%s", fault_name(fault), call_name(call),
                        pooling ? ", pooling there" : "")
              << fault << call << pooling;
  }
  void goesOnFromTheFirstWeights() {
    QFETCH(Fault, fault);
    QFETCH(Call, call);
    QFETCH(bool, pooling);
    const Outcome expected = undisturbed(2, resident(pooling));
    Bench bench(3, resident(pooling));
    bench.begin();
    bench.faults[2]->arm(call, fault);
    std::vector<double> losses{bench.step(), bench.step()};
    bench.faults[2]->release();  // whoever hangs wakes up, and may write what it likes
    while (bench.steps < kSteps) losses.push_back(bench.step());
    bench.faults[2]->wait_until_idle();
    QCOMPARE(losses, expected.losses);
    QVERIFY(same(bench.trainer->parameters(), expected.parameters));
    QCOMPARE(bench.trainer->test_accuracy([](int, int) {}), expected.accuracy);
    QCOMPARE(bench.events.quarantines.size(), std::size_t{1});
    QCOMPARE(bench.events.shares.size(), std::size_t{1});
  }

  // The copy is made after every tenth step. A device that only fails gives its weights back, so
  // one that does so at the first step after a copy shows what there is to come.
  void goesOnFromTheCopy_data() {
    QTest::addColumn<int>("step");
    QTest::addColumn<Call>("call");
    for (const int step : {11, 15, 20})  // at once, within the epoch, and in the next
      for (const Call call : {Call::kForward, Call::kBackwardData, Call::kForEach})
        QTest::addRow("step %d, %s", step, call_name(call)) << step << call;
  }
  void goesOnFromTheCopy() {
    QFETCH(int, step);
    QFETCH(Call, call);
    const auto train = [](int lost_in, Call failing, Fault fault, Outcome& outcome) {
      Bench bench(3, resident(), {}, kLength);
      bench.begin();
      while (bench.steps < kLength) {
        if (bench.steps + 1 == lost_in) bench.faults[1]->arm(failing, fault);
        outcome.losses.push_back(bench.step());
      }
      outcome.parameters = bench.trainer->parameters().copy();
      QCOMPARE(copy_interval(bench.first_plan, resident()), 10);
      QCOMPARE(bench.events.quarantines.size(), std::size_t{1});
      QCOMPARE(bench.events.quarantines[0].step, lost_in);
      if (fault == Fault::kHang) {
        const std::string& told = bench.events.shares.back().reason;
        QVERIFY2(told.find("from the copy of the weights after step 10") != std::string::npos,
                 told.c_str());
      }
    };
    Outcome expected, outcome;
    train(11, Call::kForward, Fault::kThrow, expected);
    train(step, call, Fault::kHang, outcome);
    QVERIFY(same(outcome.parameters, expected.parameters));
    // Up to the loss, steps of three devices; from then on those of two.
    for (int i = step; i <= kLength; ++i) {
      const auto place = static_cast<std::size_t>(i - 1);
      QCOMPARE(outcome.losses[place], expected.losses[place]);
    }
  }

  void survivesTwoLossesOneAfterTheOther() {
    const Outcome expected = undisturbed(1, resident(), 14);
    Bench bench(3, resident(), {}, 14);
    bench.begin();
    bench.faults[1]->arm(Call::kForEach, Fault::kThrow);
    bench.step();
    bench.faults[2]->arm(Call::kBackwardData, Fault::kHang);
    while (bench.steps < 14) bench.step();
    QCOMPARE(bench.events.quarantines.size(), std::size_t{2});
    QVERIFY(same(bench.trainer->parameters(), expected.parameters));
  }

  void isLostInTheTest() {
    const Outcome expected = undisturbed(1, resident());
    Bench bench(2, resident());
    bench.begin();
    while (bench.steps < kSteps) bench.step();
    bench.faults[1]->arm(Call::kForward, Fault::kHang);
    QCOMPARE(bench.trainer->test_accuracy([](int, int) {}), expected.accuracy);
    QVERIFY(same(bench.trainer->parameters(), expected.parameters));
  }

  // Where weights are large and maps are small, copies are rare.
  void copiesAddATwentiethAtMost() {
    const auto interval = [](int batch, const DistributionOptions& options) {
      LayerPlan layer;
      layer.problem = {batch, 100, 14, 14, 200, 5, 5, {}};
      layer.measured_counts = {1, 1};
      layer.set_counts({100, 100});
      ClusterPlan plan;
      plan.layers = {layer};
      return copy_interval(plan, options);
    };
    // Two copies of 100 x 100 x 25 weights, by a step's maps: 100 x 14 x 14 twice and
    // 100 x 10 x 10 twice, of each picture.
    const auto expected = [](int batch) {
      return static_cast<int>(std::ceil(2.0 * 250000 / (batch * 59200.0 / 20.0)));
    };
    QCOMPARE(interval(1, resident()), expected(1));
    QCOMPARE(interval(4, resident()), expected(4));
    QCOMPARE(interval(64, resident()), 10);
    QCOMPARE(interval(4, {}), 10);
  }

  void saysHowOftenAndHowMuch() {
    Bench bench(3, resident(), {}, kLength);
    bench.begin();
    QCOMPARE(bench.events.messages.size(), std::size_t{1});
    const std::string& told = bench.events.messages[0];
    QVERIFY2(told.rfind("Every 10 steps the master copies the weights", 0) == 0, told.c_str());
    Bench brief(3, resident());
    brief.begin();
    QVERIFY(brief.events.messages.empty());
  }
};

QTEST_GUILESS_MAIN(WeightCopyTest)
#include "weight_copy_test.moc"
