// Schedules that were worked out by hand.
#include <QTest>

#include "engine/cluster/schedule.h"

using namespace convoy;

namespace {

// 1 Mb/s lets 125 bytes through in a millisecond.
LinkSettings link_of(Duplex duplex, double latency_ms = 0.0) {
  return {1.0, latency_ms, duplex};
}

Piece receive(int ms, int chunk = -1) {
  return {Activity::kReceive, Pass::kForward, 0.0, static_cast<std::uint64_t>(ms) * 125, chunk};
}
Piece send(int ms, int chunk = -1) {
  return {Activity::kSend, Pass::kForward, 0.0, static_cast<std::uint64_t>(ms) * 125, chunk};
}
Piece compute(double ms, int chunk = -1) {
  return {Activity::kCompute, Pass::kForward, ms, 0, chunk};
}

void compare(const PlacedExchange& exchange, std::size_t device,
             const std::vector<std::pair<double, double>>& expected) {
  const auto& placed = exchange.devices.at(device);
  QCOMPARE(placed.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    QCOMPARE(placed[i].begin_ms, expected[i].first);
    QCOMPARE(placed[i].end_ms, expected[i].second);
  }
}

}  // namespace

class ScheduleTest : public QObject {
  Q_OBJECT
 private slots:
  void aTransferTakesLatencyAndBytesOverBandwidth() {
    QCOMPARE(transfer_ms({100.0, 0.5, Duplex::kFull}, 125'000), 0.5 + 10.0);
    QCOMPARE(transfer_ms({std::nullopt, 0.5, Duplex::kFull}, 125'000), 0.5);
    QCOMPARE(transfer_ms({}, 125'000), 0.0);
  }

  void withoutOverlapEachPieceWaitsForTheOneBefore() {
    const std::vector<Piece> pieces = {receive(2), receive(3), compute(4.5), send(1)};
    const PlacedExchange exchange =
        place_exchange({{pieces, std::nullopt}, {pieces, link_of(Duplex::kFull, 0.25)}}, false);
    compare(exchange, 0, {{0, 0}, {0, 0}, {0, 4.5}, {4.5, 4.5}});
    compare(exchange, 1, {{0, 2.25}, {2.25, 5.5}, {5.5, 10}, {10, 11.25}});
    QCOMPARE(exchange.ms, 11.25);
  }

  void withoutOverlapChunksMakeNoDifference() {
    const PlacedExchange exchange = place_exchange(
        {{{receive(2, 0), compute(1, 0), receive(2, 1), compute(1, 1)}, link_of(Duplex::kFull)}},
        false);
    compare(exchange, 0, {{0, 2}, {2, 3}, {3, 5}, {5, 6}});
  }

  void theSlowestDeviceDecides() {
    const PlacedExchange exchange = place_exchange(
        {{{compute(7)}, std::nullopt}, {}, {{receive(1), compute(2)}, link_of(Duplex::kFull)}},
        false);
    QVERIFY(exchange.devices[1].empty());
    QCOMPARE(exchange.ms, 7.0);
    QCOMPARE(place_exchange({}, true).ms, 0.0);
  }

  // The weight first, then three chunks of which each is received in 2, computed in 3, sent in 1.
  // Computing is the bottleneck: 4 (weight and first chunk) + 3 * 3 + 1.
  void chunksTravelWhileOthersAreComputed() {
    std::vector<Piece> pieces = {receive(2)};
    for (int chunk = 0; chunk < 3; ++chunk)
      for (const Piece& piece : {receive(2, chunk), compute(3, chunk), send(1, chunk)})
        pieces.push_back(piece);
    const PlacedExchange exchange = place_exchange({{pieces, link_of(Duplex::kFull)}}, true);
    compare(
        exchange, 0,
        {{0, 2}, {2, 4}, {4, 7}, {7, 8}, {4, 6}, {7, 10}, {10, 11}, {6, 8}, {10, 13}, {13, 14}});
    QCOMPARE(exchange.ms, 14.0);
  }

  // The same over a link that carries one transfer at a time: the second chunk's receive comes
  // after the first chunk's send, as listed, and so on.
  void aHalfDuplexLinkCarriesOneTransferAtATime() {
    std::vector<Piece> pieces = {receive(2)};
    for (int chunk = 0; chunk < 2; ++chunk)
      for (const Piece& piece : {receive(2, chunk), compute(3, chunk), send(1, chunk)})
        pieces.push_back(piece);
    const PlacedExchange exchange = place_exchange({{pieces, link_of(Duplex::kHalf)}}, true);
    compare(exchange, 0, {{0, 2}, {2, 4}, {4, 7}, {7, 8}, {8, 10}, {10, 13}, {13, 14}});
    // Listed the other way, both chunks are received first.
    const PlacedExchange eager = place_exchange(
        {{{receive(2, 0), receive(2, 1), compute(3, 0), send(1, 0), compute(3, 1), send(1, 1)},
          link_of(Duplex::kHalf)}},
        true);
    compare(eager, 0, {{0, 2}, {2, 4}, {2, 5}, {5, 6}, {5, 8}, {8, 9}});
  }

  void latencyOccupiesTheLinkOncePerTransfer() {
    const PlacedExchange exchange =
        place_exchange({{{receive(1, 0), receive(1, 1), compute(1, 0), compute(1, 1)},
                         link_of(Duplex::kFull, 0.5)}},
                       true);
    compare(exchange, 0, {{0, 1.5}, {1.5, 3}, {1.5, 2.5}, {3, 4}});
  }

  // A backward pass: the kernels' gradient is complete only when all chunks have been computed,
  // while what was sent of single chunks does not hold it up longer than the link does.
  void thePiecesOfTheWholeBatchWaitForAllChunks() {
    const PlacedExchange exchange =
        place_exchange({{{receive(1, 0), compute(4, 0), send(6, 0), receive(1, 1), compute(4, 1),
                          compute(2), send(3), send(6, 1)},
                         link_of(Duplex::kFull)}},
                       true);
    compare(exchange, 0, {{0, 1}, {1, 5}, {5, 11}, {1, 2}, {5, 9}, {9, 11}, {11, 14}, {14, 20}});
  }

  // Packing and unpacking go on while bytes are on the link: the longer of the two counts.
  void aTransferTakesWhatItsPackingTakesWhereThatIsLonger() {
    Piece slow = receive(2), quick = send(2);
    slow.ms = 3.0;
    quick.ms = 1.5;
    const std::vector<Piece> pieces = {slow, compute(1), quick};
    compare(place_exchange({{pieces, link_of(Duplex::kFull)}}, false), 0, {{0, 3}, {3, 4}, {4, 6}});
    compare(place_exchange({{pieces, LinkSettings{}}}, false), 0, {{0, 3}, {3, 4}, {4, 5.5}});
  }

  // Two cores, one of which packs 2 ms of each transfer: what is computed meanwhile loses 1 ms,
  // once for each, and nothing where it has nothing beside it. The second chunk's receive is listed
  // after the first chunk's computation, which it delays, and with it the next; the last send goes
  // beside the computation of the whole batch.
  void computingLosesWhatTransfersBesideItTake() {
    const auto packed = [](Piece piece) {
      piece.ms = 2.0;
      return piece;
    };
    const std::vector<Piece> pieces = {
        packed(receive(4, 0)), compute(10, 0),     packed(send(3, 0)), packed(receive(4, 1)),
        compute(10, 1),        packed(send(3, 1)), compute(20)};
    const LinkSettings link = link_of(Duplex::kFull);
    // On cores of its own.
    compare(place_exchange({{pieces, link}}, true), 0,
            {{0, 4}, {4, 14}, {14, 17}, {4, 8}, {14, 24}, {24, 27}, {24, 44}});
    // The second receive's 1 ms makes the second chunk begin at 15, the first send's end at 26.
    const DeviceWorkload shared{pieces, link, 0.5};
    compare(place_exchange({shared}, true), 0,
            {{0, 4}, {4, 14}, {14, 17}, {4, 8}, {15, 26}, {26, 29}, {26, 47}});
    // Without overlap nothing is beside anything.
    QCOMPARE(place_exchange({shared}, false).ms, 54.0);
  }

  // Whatever comes after a piece of the whole batch waits for it, also on another resource.
  void laterChunksWaitForThePiecesOfTheWholeBatch() {
    const PlacedExchange exchange = place_exchange(
        {{{receive(5), compute(1, 0), receive(5), compute(1, 1)}, link_of(Duplex::kFull)}}, true);
    compare(exchange, 0, {{0, 5}, {5, 6}, {6, 11}, {11, 12}});
  }
};

QTEST_GUILESS_MAIN(ScheduleTest)
#include "schedule_test.moc"
