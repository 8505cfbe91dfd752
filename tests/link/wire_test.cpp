// Numbers on the wire: rounded as IEEE 754 asks, on every instruction set, in rows with gaps.
#include <QTest>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "engine/link/wire.h"

using namespace convoy;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// The nearest number with `bits` significant bits and exponents from `least`, ties to even: what
// nearbyint() does at the place of the last bit.
double rounded(double value, int bits, int least, double largest) {
  if (value == 0.0 || !std::isfinite(value)) return value;
  const int exponent = std::max(std::ilogb(value), least);
  const double unit = std::ldexp(1.0, exponent - bits + 1);
  const double nearest = std::nearbyint(value / unit) * unit;
  return std::abs(nearest) > largest ? std::copysign(INFINITY, value) : nearest;
}

std::vector<float> values(std::size_t count) {
  std::vector<float> list = {0.0f,     -0.0f,    1.0f,           -1.0f,      65504.0f,
                             65519.9f, 65520.0f, -1e6f,          kInfinity,  -kInfinity,
                             6.1e-5f,  5.9e-8f,  2.98e-8f,       2.9e-8f,    1e-30f,
                             3.4e38f,  1e-45f,   1.00048828125f, 1.0014648f, 0.333f};
  std::mt19937 random(20261121);
  std::uniform_int_distribution<std::uint32_t> bits;
  while (list.size() < count) {
    const float value = std::bit_cast<float>(bits(random));
    if (!std::isnan(value)) list.push_back(value);
  }
  return list;
}

std::vector<float> through(WireFormat format, const std::vector<float>& source) {
  std::vector<std::byte> wire(source.size() * wire_size(format));
  std::vector<float> back(source.size());
  pack_wire(format, 1.0f, source.data(), 1, source.size(), source.size(), wire.data());
  unpack_wire(format, 1.0f, wire.data(), 1, source.size(), source.size(), back.data());
  return back;
}

}  // namespace

class WireTest : public QObject {
  Q_OBJECT

 private slots:
  void names() {
    QCOMPARE(wire_format_name(WireFormat::kFp32), "fp32");
    QCOMPARE(wire_format_name(WireFormat::kFp16), "fp16");
    QCOMPARE(wire_format_name(WireFormat::kBf16), "bf16");
    QCOMPARE(wire_size(WireFormat::kFp32), std::size_t{4});
    QCOMPARE(wire_size(WireFormat::kFp16), std::size_t{2});
  }

  void rounds_to_nearest_even() {
    const std::vector<float> source = values(100003);
    const std::vector<float> half = through(WireFormat::kFp16, source);
    const std::vector<float> brain = through(WireFormat::kBf16, source);
    for (std::size_t i = 0; i < source.size(); ++i) {
      const auto wanted_half = static_cast<float>(rounded(source[i], 11, -14, 65504.0));
      const auto wanted_brain =
          static_cast<float>(rounded(source[i], 8, -126, 3.3895313892515355e38));
      if (std::bit_cast<std::uint32_t>(half[i]) != std::bit_cast<std::uint32_t>(wanted_half))
        QFAIL(qPrintable(QString("fp16 of %1 is %2").arg(source[i]).arg(half[i])));
      if (std::bit_cast<std::uint32_t>(brain[i]) != std::bit_cast<std::uint32_t>(wanted_brain))
        QFAIL(qPrintable(QString("bf16 of %1 is %2").arg(source[i]).arg(brain[i])));
    }
  }

  void no_number_stays_none() {
    const float quiet = std::numeric_limits<float>::quiet_NaN();
    const auto late = std::bit_cast<float>(0x7f800001u);  // its only bit is one that is cut off
    const std::vector<float> source = {quiet, -quiet, late, std::bit_cast<float>(0x7fffffffu), 1};
    for (const WireFormat format : {WireFormat::kFp32, WireFormat::kFp16, WireFormat::kBf16}) {
      const std::vector<float> back = through(format, source);
      for (std::size_t i = 0; i < 4; ++i) QVERIFY(std::isnan(back[i]));
      QCOMPARE(back[4], 1.0f);
    }
  }

  // Numbers of any size keep 11 bits relative to themselves, down to far below the largest.
  void scale_keeps_small_numbers() {
    for (const float size : {1e-30f, 1e-9f, 3e-5f, 1.0f, 7e4f, 1e30f}) {
      std::vector<float> source = {size, -size / 3, size / 1e6f, 0.0f, kInfinity};
      for (int i = 1; i < 60; ++i) source.push_back(size * 0.9f / static_cast<float>(i));
      const float scale =
          wire_scale(WireFormat::kFp16, source.data(), 1, source.size(), source.size());
      std::vector<std::byte> wire(source.size() * 2);
      std::vector<float> back(source.size());
      pack_wire(WireFormat::kFp16, scale, source.data(), 1, source.size(), source.size(),
                wire.data());
      unpack_wire(WireFormat::kFp16, scale, wire.data(), 1, source.size(), source.size(),
                  back.data());
      for (std::size_t i = 0; i < source.size(); ++i)
        if (std::isfinite(source[i]))
          QVERIFY(std::abs(back[i] - source[i]) <= std::ldexp(std::abs(source[i]), -11));
      QCOMPARE(back[4], kInfinity);
    }
    const float zeros[3] = {};
    QCOMPARE(wire_scale(WireFormat::kFp16, zeros, 1, 3, 3), 1.0f);
    const float large[3] = {1e9f, 1, 1};
    QCOMPARE(wire_scale(WireFormat::kBf16, large, 1, 3, 3), 1.0f);
    // Only the columns that travel count.
    const float gaps[6] = {1, 2, 1e9f, 3, 4, 1e9f};
    QCOMPARE(wire_scale(WireFormat::kFp16, gaps, 2, 2, 3), 4096.0f);
  }

  // Part of each row is packed, and arrives in part of each row of another array.
  void rows_with_gaps() {
    constexpr std::size_t kRows = 7, kColumns = 19, kStride = 37;
    const std::vector<float> source = values(kRows * kStride);
    for (const WireFormat format : {WireFormat::kFp32, WireFormat::kFp16, WireFormat::kBf16}) {
      std::vector<std::byte> wire(kRows * kColumns * wire_size(format));
      std::vector<float> back(kRows * kStride, 7.0f);
      pack_wire(format, 1.0f, source.data() + 3, kRows, kColumns, kStride, wire.data());
      unpack_wire(format, 1.0f, wire.data(), kRows, kColumns, kStride, back.data() + 3);
      const std::vector<float> whole = through(format, source);
      for (std::size_t i = 0; i < back.size(); ++i) {
        const std::size_t column = i % kStride;
        QCOMPARE(back[i], column >= 3 && column < 3 + kColumns ? whole[i] : 7.0f);
      }
    }
  }
};

QTEST_APPLESS_MAIN(WireTest)
#include "wire_test.moc"
