// How a batch is cut into chunks.
#include <QTest>

#include "engine/cluster/batch_ranges.h"

using namespace convoy;

class BatchRangesTest : public QObject {
  Q_OBJECT

 private slots:
  void by_hand() {
    QCOMPARE(batch_chunks({0, 128}),
             (std::vector<BatchRange>{{0, 32}, {32, 64}, {64, 96}, {96, 128}}));
    QCOMPARE(batch_chunks({0, 100}), (std::vector<BatchRange>{{0, 32}, {32, 64}, {64, 100}}));
    QCOMPARE(batch_chunks({0, 127}), (std::vector<BatchRange>{{0, 48}, {48, 80}, {80, 127}}));
    QCOMPARE(batch_chunks({7, 40}), (std::vector<BatchRange>{{7, 40}}));
    QCOMPARE(batch_chunks({5, 6}), (std::vector<BatchRange>{{5, 6}}));
  }

  void cover_the_part_without_gaps() {
    for (int begin : {0, 3})
      for (int size = 1; size <= 1100; ++size) {
        const auto chunks = batch_chunks({begin, begin + size});
        QVERIFY(chunks.size() <= 4);
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
