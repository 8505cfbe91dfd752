// The threads of a CPU device: every index once, ranges that tile, exceptions and Stop.
#include <sched.h>

#include <QTest>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "engine/base/thread_pool.h"
#include "tests/base/error_of.h"
#include "tests/base/no_more_threads.h"
#include "tests/base/test_cores.h"

using namespace convoy;
using convoy::test::error_of;

class ThreadPoolTest : public QObject {
  Q_OBJECT

 private slots:
  void every_index_is_worked_on_once() {
    for (int threads : {1, 2, 5}) {
      ThreadPool pool(test_cores(threads));
      for (std::size_t count : {0u, 1u, 2u, 7u, 1000u}) {
        std::vector<std::atomic<int>> calls(count);
        std::atomic<int> wrong_thread = 0;
        pool.parallel_for(count, [&](std::size_t index, int thread) {
          ++calls[index];
          if (thread < 0 || thread >= threads) ++wrong_thread;
        });
        for (const auto& n : calls) QCOMPARE(n.load(), 1);
        QCOMPARE(wrong_thread.load(), 0);
      }
    }
  }

  void short_work_is_done_by_the_caller() {
    ThreadPool pool(test_cores(2));
    std::thread::id worker;
    int number = -1;
    pool.run_here([&](int thread) {
      worker = std::this_thread::get_id();
      number = thread;
    });
    QCOMPARE(number, 0);
    QVERIFY(worker == std::this_thread::get_id());
    QVERIFY_EXCEPTION_THROWN(pool.run_here([](int) { throw Interrupted(); }), Interrupted);
    int calls = 0;
    pool.parallel_for(1, [&](std::size_t, int) { ++calls; });  // still there
    QCOMPARE(calls, 1);
  }

  void threads_that_cannot_be_started_are_an_error() {
    for (const unsigned but : {0U, 1U}) {  // the caller is the third
      const NoMoreThreads limit(but);
      VERIFY_CONTAINS(error_of(ErrorKind::kDevice, [] { ThreadPool pool(test_cores(3)); }),
                      "no thread could be started");
    }
    ThreadPool pool(test_cores(3));
    QCOMPARE(pool.size(), 3);
  }

  void results_are_visible_to_the_caller() {
    ThreadPool pool(test_cores(2));
    std::vector<int> squares(500);  // not atomic: ThreadSanitizer checks the hand-over
    for (int round = 0; round < 20; ++round) {
      pool.parallel_for(squares.size(),
                        [&](std::size_t n, int) { squares[n] = static_cast<int>(n * n) + round; });
      for (std::size_t n = 0; n < squares.size(); ++n)
        QCOMPARE(squares[n], static_cast<int>(n * n) + round);
    }
  }

  void ranges_tile_the_whole() {
    for (int threads : {1, 2, 3}) {
      ThreadPool pool(test_cores(threads));
      for (std::size_t count : {0u, 1u, 15u, 16u, 17u, 100u, 4097u})
        for (std::size_t grain : {0u, 1u, 16u, 5000u}) {
          std::vector<std::atomic<int>> calls(count);
          std::atomic<int> ranges = 0, bad_begins = 0;
          pool.parallel_ranges(count, grain, [&](std::size_t begin, std::size_t end, int) {
            ++ranges;
            if (begin >= end || begin % std::max<std::size_t>(grain, 1) != 0) ++bad_begins;
            for (std::size_t n = begin; n < end; ++n) ++calls[n];
          });
          for (const auto& n : calls) QCOMPARE(n.load(), 1);
          QVERIFY(ranges <= threads);
          QCOMPARE(bad_begins.load(), 0);
        }
    }
  }

  void the_first_exception_reaches_the_caller() {
    ThreadPool pool(test_cores(2));
    std::atomic<int> worked = 0;
    try {
      pool.parallel_for(100000, [&](std::size_t index, int) {
        ++worked;
        if (index == 10) throw std::runtime_error("index 10");
      });
      QFAIL("no exception");
    } catch (const std::runtime_error& error) {
      QCOMPARE(error.what(), "index 10");
    }
    QVERIFY(worked < 100000);  // later indices are skipped

    worked = 0;  // and the pool goes on working
    pool.parallel_for(100, [&](std::size_t, int) { ++worked; });
    QCOMPARE(worked.load(), 100);
  }

  void stop_is_noticed_before_the_first_index() {
    ThreadPool pool(test_cores(2));
    StopToken stop;
    stop.request_stop();
    std::atomic<int> worked = 0;
    QVERIFY_EXCEPTION_THROWN(pool.parallel_for(
                                 100, [&](std::size_t, int) { ++worked; }, &stop),
                             Interrupted);
    QCOMPARE(worked.load(), 0);
  }

  void stop_is_noticed_between_indices() {
    ThreadPool pool(test_cores(1));
    StopToken stop;
    std::size_t last = 0;
    QVERIFY_EXCEPTION_THROWN(pool.parallel_for(
                                 100,
                                 [&](std::size_t index, int) {
                                   last = index;
                                   if (index == 10) stop.request_stop();
                                 },
                                 &stop),
                             Interrupted);
    QCOMPARE(last, std::size_t{10});
  }

  void threads_run_on_their_own_cores() {
    const std::vector<int> cores = test_cores(2);
    ThreadPool pool(cores);
    std::atomic<int> elsewhere = 0;
    pool.parallel_for(1000, [&](std::size_t, int thread) {
      if (sched_getcpu() != cores[static_cast<std::size_t>(thread)]) ++elsewhere;
    });
    QCOMPARE(elsewhere.load(), 0);
  }

  void the_caller_is_the_first_thread() {
    for (int threads : {1, 2, 3}) {
      ThreadPool pool(test_cores(threads));
      const auto caller = std::this_thread::get_id();
      std::atomic<int> mistaken = 0;
      pool.parallel_for(1000, [&](std::size_t, int thread) {
        if ((thread == 0) != (std::this_thread::get_id() == caller)) ++mistaken;
      });
      QCOMPARE(mistaken.load(), 0);
    }
  }

  void the_caller_goes_back_to_its_cores() {
    cpu_set_t before, after;
    QCOMPARE(sched_getaffinity(0, sizeof before, &before), 0);
    ThreadPool pool({test_cores(2).back()});
    int core = -1;
    pool.parallel_for(1, [&](std::size_t, int) { core = sched_getcpu(); });
    QCOMPARE(core, pool.cores().front());
    QVERIFY_EXCEPTION_THROWN(pool.parallel_for(1, [](std::size_t, int) { throw Interrupted(); }),
                             Interrupted);
    QCOMPARE(sched_getaffinity(0, sizeof after, &after), 0);
    QVERIFY(CPU_EQUAL(&before, &after));
  }

  // Every index takes part in waking the others: none is lost, whoever sleeps.
  void threads_join_in_after_any_pause() {
    ThreadPool pool(test_cores(2));
    for (int round = 0; round < 200; ++round) {
      std::atomic<int> present = 0;
      // Both must come, or neither gets on.
      pool.parallel_for(2, [&](std::size_t, int) {
        ++present;
        while (present < 2) std::this_thread::yield();
      });
      QCOMPARE(present.load(), 2);
      if (round % 20 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  void callers_take_turns() {
    ThreadPool pool(test_cores(2));
    std::atomic<int> worked = 0;
    std::vector<std::thread> callers;
    for (int caller = 0; caller < 3; ++caller)
      callers.emplace_back([&] {
        for (int round = 0; round < 50; ++round)
          pool.parallel_for(10, [&](std::size_t, int) { ++worked; });
      });
    for (auto& caller : callers) caller.join();
    QCOMPARE(worked.load(), 3 * 50 * 10);
  }

  void absent_cores_are_refused() {
    for (const std::vector<int>& cores : {std::vector<int>{}, {-1}, {CPU_SETSIZE}, {1000000}}) {
      try {
        ThreadPool pool(cores);
        QFAIL("accepted");
      } catch (const Error& error) {
        QCOMPARE(error.kind(), ErrorKind::kDevice);
      }
    }
  }
};

QTEST_GUILESS_MAIN(ThreadPoolTest)
#include "thread_pool_test.moc"
