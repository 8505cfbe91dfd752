#include "ui/models/link_text.h"

#include <QCoreApplication>
#include <QLocale>
#include <QRegularExpression>
#include <QStringList>

namespace convoy::ui {
namespace {

QString tr(const char* text) {
  return QCoreApplication::translate("LinkText", text);
}

}  // namespace

QString bandwidthText(std::optional<double> mbps) {
  if (!mbps) return tr("unlimited");
  if (*mbps >= 1000.0) return tr("%1 Gb/s").arg(QLocale().toString(*mbps / 1000.0, 'g', 4));
  return tr("%1 Mb/s").arg(QLocale().toString(*mbps, 'g', 4));
}

QString linkText(const std::optional<LinkSettings>& link) {
  if (!link) return tr("default");
  QString text = bandwidthText(link->bandwidth_mbps);
  if (link->latency_ms > 0.0)
    text += tr(", %1 ms").arg(QLocale().toString(link->latency_ms, 'g', 6));
  if (link->duplex == Duplex::kHalf) text += tr(", half duplex");
  return text;
}

std::optional<std::optional<LinkSettings>> linkFromText(const QString& text) {
  static const QRegularExpression kBandwidth(
      QStringLiteral("^([0-9.,]+)\\s*(?:([mg])b?(?:it)?(?:/s|ps)?)?$"),
      QRegularExpression::CaseInsensitiveOption);
  static const QRegularExpression kLatency(QStringLiteral("^([0-9.,]+)\\s*ms$"),
                                           QRegularExpression::CaseInsensitiveOption);
  const auto number = [](const QString& digits) -> std::optional<double> {
    bool ok = false;
    double value = QLocale().toDouble(digits, &ok);
    if (!ok) value = QLocale::c().toDouble(digits, &ok);
    return ok ? std::optional(value) : std::nullopt;
  };

  const QString plain = text.trimmed();
  if (plain.isEmpty() || plain.compare(tr("default"), Qt::CaseInsensitive) == 0)
    return std::optional<LinkSettings>();
  LinkSettings link;
  // A comma may be the decimal sign, but only one without a space behind it.
  QStringList parts = plain.split(QRegularExpression(QStringLiteral(",\\s+|;\\s*")));
  const QString bandwidth = parts.takeFirst().trimmed();
  if (bandwidth.compare(tr("unlimited"), Qt::CaseInsensitive) != 0) {
    const auto match = kBandwidth.match(bandwidth);
    const auto value = match.hasMatch() ? number(match.captured(1)) : std::nullopt;
    if (!value || *value <= 0.0) return std::nullopt;
    const bool giga = match.captured(2).compare("g", Qt::CaseInsensitive) == 0;
    link.bandwidth_mbps = *value * (giga ? 1000.0 : 1.0);
  }
  for (const QString& part : parts) {
    const auto latency = kLatency.match(part.trimmed());
    if (latency.hasMatch()) {
      const auto value = number(latency.captured(1));
      if (!value) return std::nullopt;
      link.latency_ms = *value;
    } else if (part.contains(tr("half"), Qt::CaseInsensitive)) {
      link.duplex = Duplex::kHalf;
    } else if (!part.contains(tr("full"), Qt::CaseInsensitive)) {
      return std::nullopt;
    }
  }
  return std::optional(link);
}

}  // namespace convoy::ui
