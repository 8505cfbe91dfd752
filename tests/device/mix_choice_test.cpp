// Which mixes of algorithms are measured, and which is taken: against steps whose times are made
// up.
#include "engine/device/mix_choice.h"

#include <QTest>
#include <map>

#include "engine/base/random.h"
#include "tests/base/logged_seed.h"

using namespace convoy;

namespace {

// A step in which every pass takes its time, and each algorithm that is used once more for what its
// passes share.
struct MadeUpSteps {
  std::array<std::map<std::string, double>, 3> pass_ms;
  std::map<std::string, double> shared_ms;
  std::vector<PassNames> too_large = {};
  std::vector<PassNames> measured = {};

  StepTimes times(const PassNames& names) const {
    StepTimes times;
    std::vector<std::string> used;
    for (std::size_t pass = 0; pass < names.size(); ++pass) {
      if (names[pass].empty()) continue;
      double& ms = times.pass_ms[pass];
      ms = pass_ms[pass].at(names[pass]);
      // The first to need it makes it.
      if (std::ranges::find(used, names[pass]) == used.end()) ms += shared_ms.at(names[pass]);
      used.push_back(names[pass]);
      times.step_ms += ms;
    }
    return times;
  }

  std::optional<StepTimes> measure(const PassNames& names) {
    measured.push_back(names);
    if (std::ranges::find(too_large, names) != too_large.end()) return std::nullopt;
    return times(names);
  }
};

PassNames fastest(MadeUpSteps& steps, const PassCandidates& candidates) {
  return fastest_names(candidates,
                       [&](const PassNames& names, double) { return steps.measure(names); });
}

PassCandidates all(const std::vector<std::string>& names) {
  return {names, names, names};
}

}  // namespace

class MixChoiceTest : public QObject {
  Q_OBJECT

 private slots:
  void one_algorithm_is_kept_where_no_mix_can_be_faster() {
    MadeUpSteps steps{{{{{"a", 10}, {"b", 20}}, {{"a", 10}, {"b", 20}}, {{"a", 10}, {"b", 20}}}},
                      {{"a", 10}, {"b", 10}}};
    QCOMPARE(fastest(steps, all({"b", "a"})), (PassNames{"a", "a", "a"}));
    QCOMPARE(steps.measured.size(), std::size_t{2});  // nothing but the two
  }

  void a_mix_is_taken_where_it_is_faster() {
    MadeUpSteps steps{{{{{"a", 1}, {"b", 9}}, {{"a", 9}, {"b", 1}}, {{"a", 9}, {"b", 1}}}},
                      {{"a", 1}, {"b", 1}}};
    QCOMPARE(fastest(steps, all({"a", "b"})), (PassNames{"a", "b", "b"}));
    QCOMPARE(steps.measured.size(), std::size_t{3});
  }

  // Other work had most of the cores, twice.
  void short_steps_are_measured_more_often() {
    MadeUpSteps steps{{{{{"a", 3}, {"b", 2}}, {{"a", 3}, {"b", 2}}, {{"a", 3}, {"b", 2}}}},
                      {{"a", 0}, {"b", 0}}};
    int times_measured = 0;
    const auto names = fastest_names(all({"a", "b"}), [&](const PassNames& of, double) {
      auto measured = steps.measure(of);
      if (of[0] == "b" && ++times_measured <= 2) {
        for (double& ms : measured->pass_ms) ms *= 3;
        measured->step_ms *= 3;
      }
      return measured;
    });
    QCOMPARE(names, (PassNames{"b", "b", "b"}));
    QCOMPARE(times_measured, 3);
  }

  // Whatever else the machine did made it seem the slower one at first.
  void what_came_close_is_measured_again() {
    MadeUpSteps steps{{{{{"a", 10}, {"b", 6}, {"c", 20}},
                        {{"a", 10}, {"b", 6}, {"c", 20}},
                        {{"a", 10}, {"b", 6}, {"c", 20}}}},
                      {{"a", 0}, {"b", 0}, {"c", 0}}};
    std::map<std::string, int> times_measured;
    const auto names = fastest_names(all({"a", "b", "c"}), [&](const PassNames& of, double) {
      auto measured = steps.measure(of);
      if (++times_measured[of[0]] == 1 && of[0] == "b") {
        for (double& ms : measured->pass_ms) ms += 5;
        measured->step_ms += 15;
      }
      return measured;
    });
    QCOMPARE(names, (PassNames{"b", "b", "b"}));
    QCOMPARE(times_measured, (std::map<std::string, int>{{"a", 2}, {"b", 2}, {"c", 1}}));
  }

  // Its passes promise it, its step does not keep it.
  void what_a_mix_does_not_share_counts() {
    MadeUpSteps steps{{{{{"a", 10}, {"b", 11}}, {{"a", 14}, {"b", 10}}, {{"a", 10}, {"b", 10}}}},
                      {{"a", 1}, {"b", 10}}};
    QCOMPARE(fastest(steps, all({"a", "b"})), (PassNames{"a", "a", "a"}));
    QVERIFY(steps.measured.size() > 2);
  }

  void what_does_not_fit_is_passed_over() {
    MadeUpSteps steps{{{{{"a", 1}, {"b", 9}}, {{"a", 9}, {"b", 1}}, {{"a", 9}, {"b", 1}}}},
                      {{"a", 1}, {"b", 1}}};
    steps.too_large = {{"a", "b", "b"}};
    QCOMPARE(fastest(steps, all({"a", "b"})), (PassNames{"b", "b", "b"}));
  }

  void a_pass_keeps_to_its_candidates() {
    MadeUpSteps steps{{{{{"a", 1}, {"b", 1}}, {{"a", 9}, {"b", 1}}, {{"a", 9}, {"b", 1}}}},
                      {{"a", 1}, {"b", 1}}};
    QCOMPARE(fastest(steps, {{{"a"}, {}, {"a", "b"}}}), (PassNames{"a", "", "b"}));
    for (const PassNames& names : steps.measured) QVERIFY(names[0] == "a" && names[1].empty());
  }

  // Never a worse one than trying all would find, but for what counts as noise.
  void it_is_as_good_as_trying_all() {
    Random random(test::logged_seed(71));
    const std::vector<std::string> names = {"a", "b", "c"};
    for (int round = 0; round < 200; ++round) {
      MadeUpSteps steps;
      for (const std::string& name : names) {
        for (auto& of_pass : steps.pass_ms) of_pass[name] = random.uniform(1.0, 5.0);
        steps.shared_ms[name] = random.uniform(0.0, 2.0);
      }
      double best = 1e9;
      for (const std::string& first : names)
        for (const std::string& second : names)
          for (const std::string& third : names)
            best = std::min(best, steps.times({first, second, third}).step_ms);
      const double found = steps.times(fastest(steps, all(names))).step_ms;
      QVERIFY2(found <= best / 0.97, qPrintable(QString("%1, %2").arg(found).arg(best)));
    }
  }
};

QTEST_GUILESS_MAIN(MixChoiceTest)
#include "mix_choice_test.moc"
