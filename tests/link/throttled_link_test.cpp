// The throttle on a clock of the test's own, which jumps instead of sleeping: exact, however busy
// the machine is. One case on the real clock checks the direction in which a busy machine cannot
// err.
#include <QTest>

#include "engine/link/memory_link.h"
#include "engine/link/throttled_link.h"
#include "tests/link/jumping_clock.h"

using namespace convoy;
using namespace std::chrono_literals;

namespace {

struct Buffers {
  explicit Buffers(std::size_t size) : from(size), to(size) {
    for (std::size_t i = 0; i < size; ++i) from[i] = static_cast<std::byte>(i * 7 + 3);
  }
  std::vector<std::byte> from, to;
};

}  // namespace

class ThrottledLinkTest : public QObject {
  Q_OBJECT
 private slots:
  void takesLatencyPlusBytesOverBandwidth_data() {
    QTest::addColumn<double>("mbps");
    QTest::addColumn<double>("latency_ms");
    QTest::addColumn<int>("bytes");
    for (const double mbps : {1.0, 3.7, 10.0, 100.0, 1000.0, 2500.0, 10000.0})
      for (const double latency : {0.0, 0.2, 5.0})
        for (const int bytes : {1, 4000, 1 << 20, 30 << 20})
          if (bytes / mbps < 4e6)  // fewer than 32 simulated seconds
            QTest::addRow("%g Mb/s, %g ms, %d bytes", mbps, latency, bytes)
                << mbps << latency << bytes;
  }
  void takesLatencyPlusBytesOverBandwidth() {
    QFETCH(double, mbps);
    QFETCH(double, latency_ms);
    QFETCH(int, bytes);
    JumpingClock clock(15us);
    ThrottledLink link(std::make_unique<SlowCopy>(clock, 4e9), {mbps, latency_ms}, clock);
    Buffers buffers(static_cast<std::size_t>(bytes));
    link.copy(Direction::kToWorker, buffers.from, buffers.to, nullptr);
    QVERIFY(buffers.from == buffers.to);
    const double expected = latency_ms / 1e3 + bytes * 8.0 / (mbps * 1e6);
    // A late wake-up at the very end, and the last piece's copy where it takes longer than the
    // wire.
    const double late = 2 * 15e-6 + std::min(bytes, 4 << 20) / 4e9;
    QVERIFY2(clock.seconds() >= expected - 1e-6, qPrintable(QString::number(clock.seconds())));
    QVERIFY2(clock.seconds() <= expected + late, qPrintable(QString::number(clock.seconds())));
    if (expected > 0.02) QVERIFY(clock.seconds() / expected < 1.05);
  }

  void lateWakeUpsDoNotAddUp() {
    JumpingClock clock(1ms);
    ThrottledLink link(std::make_unique<MemoryLink>(), {100.0, 0.0}, clock);
    Buffers buffers(std::size_t{12500000});  // a second's worth
    link.copy(Direction::kToMaster, buffers.from, buffers.to, nullptr);
    QVERIFY(clock.sleeps > 100);
    QVERIFY2(clock.seconds() < 1.01, qPrintable(QString::number(clock.seconds())));
  }

  void halfDuplexSharesOneBucket() {
    // Both directions booked at the same moment: the second waits for the first at half duplex
    // only.
    for (const Duplex duplex : {Duplex::kHalf, Duplex::kFull}) {
      JumpingClock clock;
      ThrottledLink link(std::make_unique<MemoryLink>(), {8.0, 0.0, duplex}, clock);
      Buffers down(1000), up(1000);  // a millisecond each
      bool nested = false;
      clock.on_sleep = [&] {
        if (std::exchange(nested, true)) return;
        link.copy(Direction::kToMaster, up.from, up.to, nullptr);
      };
      link.copy(Direction::kToWorker, down.from, down.to, nullptr);
      QVERIFY(up.from == up.to);
      const double expected = duplex == Duplex::kHalf ? 2e-3 : 1e-3;
      QVERIFY2(std::abs(clock.seconds() - expected) < 2e-5,
               qPrintable(QString::number(clock.seconds())));
    }
  }

  void newBandwidthActsWithinATransfer() {
    JumpingClock clock;
    ThrottledLink link(std::make_unique<MemoryLink>(), {1.0, 0.0}, clock);
    Buffers buffers(std::size_t{1250000});  // ten seconds' worth at 1 Mb/s
    clock.on_sleep = [&] {
      if (clock.seconds() > 1.0) link.set_settings({1000.0, 0.0});
    };
    link.copy(Direction::kToWorker, buffers.from, buffers.to, nullptr);
    QVERIFY(buffers.from == buffers.to);
    QVERIFY2(clock.seconds() > 1.0 && clock.seconds() < 1.05,
             qPrintable(QString::number(clock.seconds())));
  }

  void unlimitedLeavesNoCreditForALimit() {
    JumpingClock clock;
    auto copy = std::make_unique<SlowCopy>(clock, 1e9);
    ThrottledLink link(std::move(copy), {std::nullopt, 0.0}, clock);
    Buffers big(std::size_t{200} << 20);  // 64 MiB pieces: 0.07 s each
    int sleeps = 0;
    clock.on_sleep = [&] { ++sleeps; };
    link.copy(Direction::kToWorker, big.from, big.to, nullptr);
    link.set_settings({8.0, 0.0});
    const double before = clock.seconds();
    Buffers small(100000);  // 0.1 s at 8 Mb/s
    link.copy(Direction::kToWorker, small.from, small.to, nullptr);
    QVERIFY(clock.seconds() - before >= 0.0999);
  }

  void stopEndsATransfer() {
    JumpingClock clock;
    ThrottledLink link(std::make_unique<MemoryLink>(), {1.0, 0.0}, clock);
    Buffers buffers(std::size_t{12500000});  // 100 s
    StopToken stop;
    clock.on_sleep = [&] {
      if (clock.seconds() > 0.5) stop.request_stop();
    };
    QVERIFY_EXCEPTION_THROWN(link.copy(Direction::kToWorker, buffers.from, buffers.to, &stop),
                             Interrupted);
    QVERIFY(clock.seconds() < 0.6);
  }

  void realClockIsNeverFasterThanTheLimit() {
    ThrottledLink link(std::make_unique<MemoryLink>(), {1000.0, 1.0});
    Buffers buffers(std::size_t{1250000});  // 10 ms
    const auto begin = std::chrono::steady_clock::now();
    link.copy(Direction::kToWorker, buffers.from, buffers.to, nullptr);
    QVERIFY(std::chrono::steady_clock::now() - begin >= 10990us);
  }
};

QTEST_GUILESS_MAIN(ThrottledLinkTest)
#include "throttled_link_test.moc"
