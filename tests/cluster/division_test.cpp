// Layers over links: no other division that was looked at is done sooner.
#include "engine/cluster/division.h"

#include <QTest>
#include <numeric>

#include "engine/base/random.h"

using namespace convoy;

namespace {

// 64 pictures of 16 channels, 14x14, and 48 kernels of 5x5.
const ConvProblem kProblem{64, 16, 14, 14, 48, 5, 5, {}};

// Devices that take so many milliseconds for all of the layer, a third of it for each pass.
SplitLayer layer_of(SplitMode split, const std::vector<double>& ms) {
  SplitLayer layer;
  layer.split = split;
  layer.whole = split == SplitMode::kKernels ? kProblem.out_channels : kProblem.batch;
  for (const double all : ms) layer.costs.push_back({0.0, all / layer.whole});
  layer.part = [split, costs = layer.costs](std::size_t device, int count) {
    PartWork part;
    part.problem =
        split == SplitMode::kKernels ? kProblem.with_kernels(count) : kProblem.with_batch(count);
    part.ms.fill(costs[device].ms(count) / 3.0);
    return part;
  };
  return layer;
}

std::vector<LinkSettings> links_of(std::size_t devices, std::optional<double> mbps,
                                   double latency_ms = 0.0) {
  return std::vector<LinkSettings>(devices, {mbps, latency_ms, Duplex::kFull});
}

int sum(const std::vector<int>& counts) {
  return std::accumulate(counts.begin(), counts.end(), 0);
}

}  // namespace

class DivisionTest : public QObject {
  Q_OBJECT
 private slots:
  void linksThatTakeNoTimeChangeNothing() {
    for (const SplitMode split : {SplitMode::kKernels, SplitMode::kBatch}) {
      const auto counts = [&](const std::vector<double>& ms) {
        const SplitLayer layer = layer_of(split, ms);
        return best_division(layer, links_of(ms.size(), std::nullopt), {}).counts;
      };
      const int whole = layer_of(split, {1.0}).whole;
      QCOMPARE(counts({90.0, 90.0}), (std::vector{whole / 2, whole / 2}));
      QCOMPARE(counts({90.0, 91.5}), (std::vector{whole / 2, whole / 2}));  // noise
      QCOMPARE(counts({90.0, 90.0, 45.0}), (std::vector{whole / 4, whole / 4, whole / 2}));
    }
  }

  // 4.1 MB travel in all, 33 s at 1 Mb/s.
  void overSlowLinksOneDoesAll() {
    for (const SplitMode split : {SplitMode::kKernels, SplitMode::kBatch})
      for (const std::size_t devices : {2, 3, 4}) {
        const SplitLayer layer = layer_of(split, std::vector<double>(devices, 30.0));
        const Division best = best_division(layer, links_of(devices, 1.0), {});
        QCOMPARE(best.counts[0], layer.whole);
        QCOMPARE(best.ms, 30.0);
      }
  }

  // Of all counts of two devices none is sooner, but by rounding to whole ones.
  void noOtherCountsAreSooner() {
    Random random(20261130);
    for (int round = 0; round < 60; ++round) {
      const SplitMode split = round % 2 == 0 ? SplitMode::kKernels : SplitMode::kBatch;
      DistributionOptions options;
      options.overlap = round % 3 == 0;
      options.fuse_pooling = round % 5 == 0;
      const SplitLayer layer =
          layer_of(split, {random.uniform(5.0, 500.0), random.uniform(5.0, 500.0)});
      const auto links = links_of(2, std::exp(random.uniform(0.0, 12.0)),
                                  round % 4 == 0 ? random.uniform(0.0, 5.0) : 0.0);
      const Division best = best_division(layer, links, options);
      QCOMPARE(sum(best.counts), layer.whole);
      double least_ms = best.ms;
      for (int count = 0; count <= layer.whole; ++count)
        least_ms =
            std::min(least_ms, divided(layer, {layer.whole - count, count}, links, options).ms);
      QVERIFY2(best.ms <= 1.02 * least_ms,
               qPrintable(QString("seed 20261130, round %1: %2 ms, but %3 are possible")
                              .arg(round)
                              .arg(best.ms)
                              .arg(least_ms)));
    }
  }

  // Nor any that moves some from one device to another.
  void noMoveGainsMuch() {
    Random random(7);
    for (int round = 0; round < 40; ++round) {
      std::vector<double> ms;
      std::vector<LinkSettings> links;
      for (int device = 0; device < 4; ++device) {
        ms.push_back(random.uniform(20.0, 200.0));
        links.push_back({std::exp(random.uniform(3.0, 11.0)), 0.1, Duplex::kFull});
      }
      const SplitLayer layer =
          layer_of(round % 2 == 0 ? SplitMode::kKernels : SplitMode::kBatch, ms);
      const Division best = best_division(layer, links, {});
      for (std::size_t from = 0; from < 4; ++from)
        for (std::size_t to = 0; to < 4; ++to)
          for (const int moved : {1, 2, 4, 8, best.counts[from]}) {
            std::vector<int> counts = best.counts;
            if (from == to || counts[from] < moved) continue;
            counts[from] -= moved;
            counts[to] += moved;
            const double other_ms = divided(layer, counts, links, {}).ms;
            QVERIFY2(best.ms <= 1.03 * other_ms,
                     qPrintable(QString("seed 7, round %1: %2 ms, and %3 with %4 from %5 to %6")
                                    .arg(round)
                                    .arg(best.ms)
                                    .arg(other_ms)
                                    .arg(moved)
                                    .arg(from)
                                    .arg(to)));
          }
    }
  }

  // The faster of two behind links, and not the master, which is slow.
  void aMasterMayBeLeftOut() {
    const SplitLayer layer = layer_of(SplitMode::kKernels, {1e6, 10.0, 1e5});
    const Division best = best_division(layer, links_of(3, 1e5), {});
    QCOMPARE(best.counts, (std::vector{0, 48, 0}));
  }

  void whoIsNotAvailableGetsNothing() {
    SplitLayer layer = layer_of(SplitMode::kBatch, {30.0, 30.0, 30.0});
    layer.costs[1].ms_per_kernel = std::numeric_limits<double>::infinity();
    QCOMPARE(best_division(layer, links_of(3, std::nullopt), {}).counts, (std::vector{32, 0, 32}));
  }

  void costsThatGiveTheSameCounts() {
    Random random(11);
    for (int round = 0; round < 200; ++round) {
      std::vector<ShareCost> costs;
      std::vector<int> counts;
      for (int device = 0; device < 4; ++device) {
        costs.push_back({random.uniform(0.0, 2.0), random.uniform(0.5, 2.0)});
        counts.push_back(
            device > 0 && random.below(3) == 0 ? 0 : 1 + static_cast<int>(random.below(40)));
      }
      QCOMPARE(split_by_cost(sum(counts), sum_of(costs, costs_that_give(counts, costs))), counts);
    }
  }
};

QTEST_APPLESS_MAIN(DivisionTest)
#include "division_test.moc"
