#include "ui/charts/nice_range.h"

#include <QLocale>
#include <algorithm>
#include <cmath>
#include <initializer_list>

namespace convoy::ui {
namespace {

double roundUpTo(std::initializer_list<double> mantissas, double value) {
  if (!(value > 0.0) || !std::isfinite(value)) return 1.0;
  const double power = std::pow(10.0, std::floor(std::log10(value)));
  for (const double mantissa : mantissas)
    if (value <= mantissa * power * (1.0 + 1e-9)) return mantissa * power;
  return 10.0 * power;
}

}  // namespace

double niceStep(double value) {
  return roundUpTo({1.0, 2.0, 2.5, 5.0, 10.0}, value);
}

double niceExtent(double value) {
  return roundUpTo({1.0, 2.0, 5.0, 10.0}, value);
}

NiceRange niceRange(double end, int ticks) {
  if (!(end > 0.0) || !std::isfinite(end)) return {};
  const double step = niceStep(end / std::max(ticks, 1));
  return {std::ceil(end / step - 1e-9) * step, step};
}

bool CalmRange::update(double largest, int ticks) {
  const bool fits = m_set && largest <= m_range.end && largest >= 0.5 * m_range.end;
  if (fits && ticks == m_ticks) return false;
  const NiceRange before = m_range;
  // Headroom, so that a slowly growing value does not push the end at every step.
  m_range = niceRange(1.08 * largest, ticks);
  m_ticks = ticks;
  const bool first = !m_set;
  m_set = true;
  return first || !(m_range == before);
}

int decimalsFor(double step) {
  if (!(step > 0.0)) return 0;
  for (int decimals = 0; decimals < 9; ++decimals) {
    const double scaled = step * std::pow(10.0, decimals);
    if (std::abs(scaled - std::round(scaled)) < 1e-6 * scaled) return decimals;
  }
  return 9;
}

QString readable(double value) {
  if (std::isnan(value)) return QStringLiteral("–");
  const double size = std::abs(value);
  const int decimals = size >= 100.0 ? 0 : size >= 10.0 ? 1 : size >= 1.0 ? 2 : 3;
  return QLocale().toString(value, 'f', decimals);
}

QString timesText(double value) {
  if (std::isnan(value)) return QStringLiteral("–");
  const int decimals = value >= 99.5 ? 0 : value >= 0.0995 || value == 0.0 ? 2 : 3;
  return QLocale().toString(value, 'f', decimals) + 'x';
}

QString percentText(double fraction) {
  const double percent = 100.0 * fraction;
  const int decimals = percent > 0.0 && percent < 0.95 ? 1 : 0;
  return QLocale().toString(percent, 'f', decimals);
}

QString signedPercent(double fraction) {
  const double percent = std::round(100.0 * fraction);
  const QString sign = percent < 0.0   ? QStringLiteral("−")
                       : percent > 0.0 ? QStringLiteral("+")
                                       : QString();
  return sign + QLocale().toString(std::abs(percent), 'f', 0) + QStringLiteral(" %");
}

}  // namespace convoy::ui
