// What is varied: reading, combining, the special paths, and what is refused.
#include <QTest>

#include "engine/training/variations.h"
#include "tests/base/error_of.h"

using namespace convoy;

namespace {

const std::string kExperiment = R"({
  "training": {"batch_size": 8},
  "devices": [{"id": "cpu:0", "name": "A"}, {"id": "cpu:1", "name": "B"}, {"id": "cpu:2"}],
  "distribution": {"shares": [0.5, 0.3, 0.2], "overlap": true},
  "clock": "virtual"})";

std::vector<DeviceSpec> none() {
  return {};
}

std::string refusal(const std::string& variation) {
  return test::error_of(ErrorKind::kExperiment,
                        [&] { vary(kExperiment, {parse_variation(variation)}, "e.json", none); });
}

}  // namespace

class VariationsTest : public QObject {
  Q_OBJECT
 private slots:
  void commasWithinValuesBelongToThem() {
    const Variation numbers = parse_variation("link.bandwidth_mbps=10,100,null");
    QCOMPARE(numbers.path, std::string("link.bandwidth_mbps"));
    QCOMPARE(numbers.values, (std::vector<std::string>{"10", "100", "null"}));
    QCOMPARE(parse_variation("network.kernels=[50,500],[150,800]").values,
             (std::vector<std::string>{"[50,500]", "[150,800]"}));
    const std::vector<std::string> lists = {"[{\"id\":\"cpu:0\",\"name\":\"a,]\"}]",
                                            "[{\"id\":\"cpu\"}]"};
    QCOMPARE(parse_variation("devices=" + lists[0] + "," + lists[1]).values, lists);
    for (const char* wrong : {"batch", "=1", "batch=", "batch=1,,2", "batch=1,"})
      QVERIFY_THROWS_EXCEPTION(Error, parse_variation(wrong));
  }

  void allCombinationsInOrder() {
    const auto variants = vary(
        kExperiment, {parse_variation("training.batch_size=4,6"), parse_variation("devices=1,3")},
        "e.json", none);
    QCOMPARE(variants.size(), std::size_t{4});
    QCOMPARE(variants[1].values, (std::vector<std::string>{"4", "3"}));
    QCOMPARE(variants[2].values, (std::vector<std::string>{"6", "1"}));
    QCOMPARE(variants[2].experiment.training.batch_size, 6);
    QCOMPARE(variants[2].experiment.devices.size(), std::size_t{1});
    QCOMPARE(vary(kExperiment, {}, "e.json", none).size(), std::size_t{1});
  }

  void fewerDevicesShareAmongThem() {
    const auto variants = vary(kExperiment, {parse_variation("devices=2")}, "e.json", none);
    const std::vector<double>& fractions = variants[0].experiment.distribution.fractions;
    QCOMPARE(fractions.size(), std::size_t{2});
    QCOMPARE(fractions[0], 0.625);
    QCOMPARE(fractions[1], 0.375);
    VERIFY_CONTAINS(refusal("devices=4"), "the first 4 of the devices; there are 3");
    VERIFY_CONTAINS(refusal("devices=0"), "there are 3");
  }

  void missingDevicesAreAskedFor() {
    const auto two = [] {
      std::vector<DeviceSpec> devices(2);
      devices[0].id = "cpu:7";
      devices[1].id = "cpu:8";
      return devices;
    };
    const auto variants = vary("{}", {parse_variation("devices=1")}, "e.json", two);
    QCOMPARE(variants[0].experiment.devices.size(), std::size_t{1});
    QCOMPARE(variants[0].experiment.devices[0].id, std::string("cpu:7"));
  }

  void methodsSetAllOptionsAndKeepTheShares() {
    const auto variants = vary(kExperiment, {parse_variation("method=paper,best")}, "e.json", none);
    QCOMPARE(variants[0].experiment.distribution.options, paper_options());
    QCOMPARE(variants[1].experiment.distribution.options, best_options());
    QCOMPARE(variants[1].experiment.distribution.shares, ShareMode::kExplicit);
    VERIFY_CONTAINS(refusal("method=worst"), "paper or best");
  }

  void impossibleValuesAreRefused() {
    VERIFY_CONTAINS(refusal("training.batch_size=0"), "/training/batch_size");
    VERIFY_CONTAINS(refusal("training.batch_size=8,0"), "with training.batch_size=0: ");
    VERIFY_CONTAINS(refusal("devices.7.speed=1"), "there is no entry 7");
  }
};

QTEST_GUILESS_MAIN(VariationsTest)
#include "variations_test.moc"
