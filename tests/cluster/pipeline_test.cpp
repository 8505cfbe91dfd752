// Stages side by side keep the order of the chunks, and end together when one fails.
#include <QTest>
#include <vector>

#include "engine/cluster/pipeline.h"
#include "tests/base/error_of.h"
#include "tests/base/no_more_threads.h"

using namespace convoy;
using convoy::test::error_of;

class PipelineTest : public QObject {
  Q_OBJECT

 private slots:
  void every_chunk_passes_all_stages_in_order() {
    for (const bool side_by_side : {false, true}) {
      const StopToken stop;
      std::vector<int> received(5), computed(5), sent;
      run_pipeline(
          5, side_by_side,
          [&](int chunk, const StopToken&) {
            received[static_cast<std::size_t>(chunk)] = 1 + chunk;
          },
          [&](int chunk, const StopToken&) {
            const auto at = static_cast<std::size_t>(chunk);
            computed[at] = 10 * received[at];
          },
          [&](int chunk, const StopToken&) {
            sent.push_back(computed[static_cast<std::size_t>(chunk)]);
          },
          stop);
      QCOMPARE(sent, (std::vector<int>{10, 20, 30, 40, 50}));
    }
  }

  void a_failing_stage_ends_the_others() {
    for (int failing = 0; failing < 3; ++failing) {
      const StopToken stop;
      const auto stage = [&](int number) {
        return [=](int chunk, const StopToken& halt) {
          if (number == failing && chunk == 2) throw Error(ErrorKind::kDevice, "B", "broke");
          halt.throw_if_stopped();
        };
      };
      QVERIFY_EXCEPTION_THROWN(run_pipeline(100, true, stage(0), stage(1), stage(2), stop), Error);
    }
  }

  void threads_that_cannot_be_started_are_an_error() {
    for (const unsigned but : {0U, 1U}) {
      const StopToken stop;
      const NoMoreThreads limit(but);
      const auto stage = [](int, const StopToken& halt) { halt.throw_if_stopped(); };
      VERIFY_CONTAINS(
          error_of(ErrorKind::kRun, [&] { run_pipeline(3, true, stage, stage, stage, stop); }),
          "no thread could be started");
    }
  }

  void stop_ends_all() {
    StopToken stop;
    const auto stage = [&](int chunk, const StopToken& halt) {
      if (chunk == 3) stop.request_stop();
      halt.throw_if_stopped();
    };
    QVERIFY_EXCEPTION_THROWN(run_pipeline(100, true, stage, stage, stage, stop), Interrupted);
  }
};

QTEST_APPLESS_MAIN(PipelineTest)
#include "pipeline_test.moc"
