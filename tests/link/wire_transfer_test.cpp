// Maps that are picked, rounded and sent piece by piece.
#include <QTest>
#include <cmath>

#include "engine/base/random.h"
#include "engine/link/memory_link.h"
#include "engine/link/throttled_link.h"
#include "engine/link/wire_transfer.h"
#include "tests/link/jumping_clock.h"

using namespace convoy;

class WireTransferTest : public QObject {
  Q_OBJECT
 private slots:
  // Whatever the rate, and so the pieces, the same bits arrive, and nothing beside them is written.
  void theRateChangesNoBit_data() {
    QTest::addColumn<int>("format");
    QTest::addColumn<int>("rows");
    QTest::addColumn<int>("columns");
    QTest::addColumn<int>("from_stride");
    QTest::addColumn<int>("to_stride");
    for (const WireFormat format : {WireFormat::kFp32, WireFormat::kFp16, WireFormat::kBf16})
      for (const auto& [rows, columns, from, to] : {std::array{1, 1, 1, 1},
                                                    {1, 100'001, 100'001, 100'001},
                                                    {1, 70'000, 80'000, 75'000},
                                                    {3000, 33, 64, 33},
                                                    {3000, 33, 33, 50},
                                                    {3000, 33, 40, 64},
                                                    {5, 40'000, 40'000, 41'000}})
        QTest::addRow("%s, %d x %d, %d to %d", wire_format_name(format), rows, columns, from, to)
            << static_cast<int>(format) << rows << columns << from << to;
  }
  void theRateChangesNoBit() {
    QFETCH(int, format);
    QFETCH(int, rows);
    QFETCH(int, columns);
    QFETCH(int, from_stride);
    QFETCH(int, to_stride);
    const auto wire = static_cast<WireFormat>(format);
    constexpr float kUntouched = 12345.0f;
    Random random(7);
    std::vector<float> from(static_cast<std::size_t>(rows * from_stride));
    for (float& value : from) value = static_cast<float>(random.normal());
    const auto moved = [&](Link* link) {
      std::vector<float> to(static_cast<std::size_t>(rows * to_stride), kUntouched);
      WireTransfer transfer(link, Direction::kToWorker);
      const auto as_size = [](int value) { return static_cast<std::size_t>(value); };
      const std::uint64_t bytes = transfer.move(
          wire, {from.data(), as_size(rows), as_size(columns), as_size(from_stride)},
          Rows<float>{to.data(), as_size(rows), as_size(columns), as_size(to_stride)}, nullptr);
      if (bytes != as_size(rows) * as_size(columns) * wire_size(wire)) to.clear();
      return to;
    };
    const std::vector<float> in_place = moved(nullptr);
    QVERIFY(!in_place.empty());
    for (int row = 0; row < rows; ++row)
      for (int column = 0; column < to_stride; ++column) {
        const float there = in_place[static_cast<std::size_t>(row * to_stride + column)];
        if (column >= columns) {
          QCOMPARE(there, kUntouched);
          continue;
        }
        const float here = from[static_cast<std::size_t>(row * from_stride + column)];
        const float least = wire == WireFormat::kFp32   ? 0.0f
                            : wire == WireFormat::kFp16 ? 1.0f / 2048
                                                        : 1.0f / 256;
        QVERIFY(std::abs(there - here) <= least * std::abs(here));
      }
    JumpingClock clock;
    for (const double mbps : {1.0, 777.0, 1e5}) {
      ThrottledLink link(std::make_unique<MemoryLink>(), {mbps, 0.0}, clock);
      QVERIFY(moved(&link) == in_place);
    }
  }

  // What a transfer takes is the longer of the two: the link's time and that of packing.
  void packingGoesOnWhileTheLinkIsBusy() {
    for (const double packing_rate : {1e9, 1e8}) {  // bytes a second
      JumpingClock clock;
      ThrottledLink link(std::make_unique<SlowCopy>(clock, packing_rate), {4000.0, 0.0}, clock);
      std::vector<float> from(10'000'000), to(from.size());  // 20 MB: 40 ms
      WireTransfer transfer(&link, Direction::kToMaster);
      transfer.move(WireFormat::kFp16, {from.data(), 1, from.size(), from.size()},
                    {to.data(), 1, to.size(), to.size()}, nullptr);
      const double ms = 1e3 * clock.seconds();
      const double expected = packing_rate == 1e9 ? 40.0 : 200.0;
      QVERIFY2(ms >= expected - 1e-3 && ms < expected + 5.0, qPrintable(QString::number(ms)));
    }
  }
};

QTEST_GUILESS_MAIN(WireTransferTest)
#include "wire_transfer_test.moc"
