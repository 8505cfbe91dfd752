// Real times, made up, on the virtual clock.
#include <QTest>

#include "engine/cluster/virtual_clock.h"

using namespace convoy;
using namespace std::chrono_literals;

class VirtualClockTest : public QObject {
  Q_OBJECT
 private slots:
  void onlyTheScheduledPartOfAnExchangeCounts() {
    const TimePoint start{};
    VirtualClock clock(1.0, start);
    QCOMPARE(clock.at(start + 3ms), start + 3ms);
    clock.replace(start + 10ms, start + 100ms, 20ms);
    QCOMPARE(clock.at(start + 3ms), start + 3ms);
    QCOMPARE(clock.at(start + 50ms), start + 10ms);
    QCOMPARE(clock.at(start + 100ms), start + 30ms);
    QCOMPARE(clock.at(start + 105ms), start + 35ms);
    // Longer than it really took.
    clock.replace(start + 110ms, start + 120ms, 60ms);
    QCOMPARE(clock.at(start + 121ms), start + 101ms);
  }

  void theMasterOfOtherSpeedTakesOtherTime() {
    const TimePoint start{};
    VirtualClock slow(0.5, start), fast(4.0, start);
    slow.replace(start + 10ms, start + 40ms, 7ms);
    fast.replace(start + 8ms, start + 40ms, 7ms);
    QCOMPARE(slow.at(start + 10ms), start + 20ms);
    QCOMPARE(slow.at(start + 43ms), start + 33ms);
    QCOMPARE(fast.at(start + 8ms), start + 2ms);
    QCOMPARE(fast.at(start + 44ms), start + 10ms);
  }

  void whatIsForgottenChangesNothingLater() {
    const TimePoint start{};
    VirtualClock clock(2.0, start);
    clock.replace(start + 10ms, start + 40ms, 7ms);
    clock.replace(start + 50ms, start + 60ms, 1ms);
    const TimePoint later = clock.at(start + 70ms);
    QCOMPARE(later, start + 5ms + 7ms + 5ms + 1ms + 5ms);
    clock.forget();
    QCOMPARE(clock.at(start + 70ms), later);
    QCOMPARE(clock.at(start + 60ms), later - 5ms);
  }
};

QTEST_GUILESS_MAIN(VirtualClockTest)
#include "virtual_clock_test.moc"
