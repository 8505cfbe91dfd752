// How a batch is cut into chunks.
#include <QTest>

#include <bit>

#include "engine/cluster/batch_ranges.h"

using namespace convoy;

class BatchRangesTest : public QObject {
  Q_OBJECT

 private slots:
  void by_hand() {
    const Cuts all = 0b111;
    QCOMPARE(batch_chunks({0, 128}, all),
             (std::vector<BatchRange>{{0, 32}, {32, 64}, {64, 96}, {96, 128}}));
    QCOMPARE(batch_chunks({0, 100}, all), (std::vector<BatchRange>{{0, 32}, {32, 64}, {64, 100}}));
    QCOMPARE(batch_chunks({0, 127}, all), (std::vector<BatchRange>{{0, 48}, {48, 80}, {80, 127}}));
    QCOMPARE(batch_chunks({7, 40}, all), (std::vector<BatchRange>{{7, 40}}));
    QCOMPARE(batch_chunks({5, 6}, all), (std::vector<BatchRange>{{5, 6}}));
    QCOMPARE(batch_chunks({0, 128}, kNoCuts), (std::vector<BatchRange>{{0, 128}}));
    QCOMPARE(batch_chunks({0, 128}, 0b001), (std::vector<BatchRange>{{0, 32}, {32, 128}}));
    QCOMPARE(batch_chunks({0, 128}, 0b010), (std::vector<BatchRange>{{0, 64}, {64, 128}}));
    QCOMPARE(batch_chunks({8, 264}, 0b101),
             (std::vector<BatchRange>{{8, 72}, {72, 200}, {200, 264}}));
  }

  void all_cuts_are_as_many_as_a_part_has() {
    QCOMPARE(all_cuts(31), kNoCuts);
    QCOMPARE(all_cuts(63), kNoCuts);
    QCOMPARE(all_cuts(64), Cuts{0b001});
    QCOMPARE(all_cuts(127), Cuts{0b011});
    QCOMPARE(all_cuts(5000), Cuts{0b111});
  }

  void cover_the_part_without_gaps() {
    for (int begin : {0, 3})
      for (int size = 1; size <= 1100; ++size) {
        const Cuts cuts = static_cast<Cuts>(size) % 8;
        const auto chunks = batch_chunks({begin, begin + size}, cuts);
        QCOMPARE(chunks.size(), 1U + std::popcount(cuts & all_cuts(size)));
        int next = begin;
        for (std::size_t i = 0; i < chunks.size(); ++i) {
          QCOMPARE(chunks[i].begin, next);
          QVERIFY(chunks[i].size() > 0);
          if (i + 1 < chunks.size()) QCOMPARE(chunks[i].size() % 16, 0);
          next = chunks[i].end;
        }
        QCOMPARE(next, begin + size);
      }
  }
};

QTEST_APPLESS_MAIN(BatchRangesTest)
#include "batch_ranges_test.moc"
