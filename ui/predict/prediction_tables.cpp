#include "ui/predict/prediction_tables.h"

#include <QFont>
#include <QLocale>
#include <cmath>

#include "ui/charts/nice_range.h"
#include "ui/theme/theme.h"

namespace convoy::ui {
namespace {

constexpr auto kNone = "–";

QVariant numberAlignment(int column) {
  return QVariant::fromValue((column == 0 ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
}

// In per cent; what costs more has a minus. What rounds to nothing is nothing.
QString savedText(double before, double after) {
  const double percent = 100.0 * (before - after) / before;
  if (!(std::abs(percent) >= 0.05)) return QString::fromUtf8(kNone);
  const QString sign = percent < 0.0 ? QStringLiteral("−") : QString();
  return QStringLiteral("%1%2 %").arg(
      sign, QLocale().toString(std::abs(percent), 'f', std::abs(percent) < 1.0 ? 1 : 0));
}

QString amountText(double before, double after, const QString& unit) {
  const double saved = before - after;
  return saved < 0.0
             ? OptionTable::tr("%1 %2 more than the paper's method").arg(readable(-saved), unit)
             : OptionTable::tr("%1 %2 less than the paper's method").arg(readable(saved), unit);
}

}  // namespace

void OptionTable::setOptions(const std::vector<OptionWorth>& options) {
  beginResetModel();
  m_options = options;
  endResetModel();
}

int OptionTable::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : int(m_options.size());
}

int OptionTable::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : ColumnCount;
}

QVariant OptionTable::display(const OptionWorth& option, int column) const {
  const OptionWorth& base = m_options.front();
  const bool isBase = option.role == OptionWorth::Role::Base;
  switch (column) {
    case Name:
      return option.inUse ? QStringLiteral("✓ ") + option.name
                          : QStringLiteral("\u2003 ") + option.name;
    case Traffic:
      return readable(option.bytes / 1e6);
    case TrafficSaved:
      return isBase ? QString() : savedText(base.bytes / 1e6, option.bytes / 1e6);
    case Time:
      return readable(option.ms);
    case TimeSaved:
      return isBase ? QString() : savedText(base.ms, option.ms);
  }
  return {};
}

QVariant OptionTable::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  const OptionWorth& option = m_options[size_t(index.row())];
  switch (role) {
    case Qt::DisplayRole:
      return display(option, index.column());
    case Qt::TextAlignmentRole:
      return numberAlignment(index.column());
    case Qt::ToolTipRole:
      if (index.column() == TrafficSaved && option.role != OptionWorth::Role::Base)
        return amountText(m_options.front().bytes / 1e6, option.bytes / 1e6, tr("MB"));
      if (index.column() == TimeSaved && option.role != OptionWorth::Role::Base)
        return amountText(m_options.front().ms, option.ms, tr("ms"));
      if (!option.note.isEmpty()) return option.note;
      return option.inUse ? tr("The set-up uses it.") : tr("The set-up does not use it.");
    case Qt::FontRole: {
      QFont font = Theme::instance().font(TextStyle::Small);
      if (option.role != OptionWorth::Role::Option) font.setWeight(QFont::DemiBold);
      return font;
    }
    case Qt::AccessibleTextRole:
      return tr("%1%2, %3: %4")
          .arg(option.name, option.inUse ? tr(", in use") : QString(),
               headerData(index.column(), Qt::Horizontal, Qt::DisplayRole).toString(),
               display(option, index.column()).toString());
    default:
      return {};
  }
}

QVariant OptionTable::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal) return {};
  if (role == Qt::TextAlignmentRole) return numberAlignment(section);
  if (role == Qt::FontRole) return Theme::instance().font(TextStyle::Small);
  if (role != Qt::DisplayRole) return {};
  switch (section) {
    case Name:
      return tr("Option alone");
    case Traffic:
      return tr("MB");
    case TrafficSaved:
      return tr("saved");
    case Time:
      return tr("ms");
    case TimeSaved:
      return tr("saved");
    default:
      return {};
  }
}

void CheckTable::setChecks(const std::vector<PredictionCheck>& checks) {
  beginResetModel();
  m_checks = checks;
  endResetModel();
}

int CheckTable::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : int(m_checks.size());
}

int CheckTable::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : ColumnCount;
}

QVariant CheckTable::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  // The newest on top.
  const PredictionCheck& check = m_checks[m_checks.size() - 1 - size_t(index.row())];
  if (role == Qt::TextAlignmentRole) return numberAlignment(index.column());
  if (role == Qt::FontRole) return Theme::instance().font(TextStyle::Small);
  if (role == Qt::ToolTipRole) return check.detail;
  if (role != Qt::DisplayRole) return {};
  switch (index.column()) {
    case Run:
      return check.name;
    case Measured:
      return readable(check.measuredMs);
    case Predicted:
      return readable(check.predictedMs);
    case Error:
      return signedPercent(check.error());
    default:
      return {};
  }
}

QVariant CheckTable::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal) return {};
  if (role == Qt::TextAlignmentRole) return numberAlignment(section);
  if (role == Qt::FontRole) return Theme::instance().font(TextStyle::Small);
  if (role != Qt::DisplayRole) return {};
  switch (section) {
    case Run:
      return tr("Run");
    case Measured:
      return tr("measured");
    case Predicted:
      return tr("predicted");
    case Error:
      return tr("error");
    default:
      return {};
  }
}

}  // namespace convoy::ui
