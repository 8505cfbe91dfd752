// Seeds of random tests: fixed, and in the log of a test that fails.
#pragma once

#include <QTest>
#include <cstdint>

namespace convoy::test {

inline std::uint64_t logged_seed(std::uint64_t seed) {
  qInfo("seed %llu", static_cast<unsigned long long>(seed));
  return seed;
}

}  // namespace convoy::test
