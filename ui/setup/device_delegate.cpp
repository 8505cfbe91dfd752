#include "ui/setup/device_delegate.h"

#include <QApplication>
#include <QComboBox>
#include <QPainter>
#include <QSpinBox>
#include <algorithm>

#include "ui/models/device_model.h"
#include "ui/models/link_text.h"
#include "ui/setup/number_box.h"
#include "ui/setup/tick_box.h"
#include "ui/theme/theme.h"

namespace convoy::ui {
namespace {

constexpr int kGlyphWidth = 14;

}  // namespace

QString DeviceDelegate::factsThatFit(const QString& detail, const QFontMetrics& metrics,
                                     int width) {
  static const QString kBetween = QStringLiteral(" · ");
  if (!detail.contains(kBetween)) return metrics.elidedText(detail, Qt::ElideRight, width);
  QString facts = detail;
  while (!facts.isEmpty() && metrics.horizontalAdvance(facts) > width)
    facts.truncate(std::max<qsizetype>(0, facts.lastIndexOf(kBetween)));
  return facts;
}

void DeviceDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option,
                           const QModelIndex& index) const {
  if (index.column() == DeviceModel::Name) {
    paintName(painter, option, index);
    return;
  }
  QStyleOptionViewItem cell = option;
  initStyleOption(&cell, index);
  const bool used = index.data(DeviceModel::PositionRole).toInt() >= 0;
  const bool editable = index.flags() & Qt::ItemIsEditable;
  if (!used || !editable)
    cell.palette.setColor(QPalette::Text,
                          cell.palette.color(used ? QPalette::Text : QPalette::PlaceholderText));
  QApplication::style()->drawControl(QStyle::CE_ItemViewItem, &cell, painter, cell.widget);
}

void DeviceDelegate::paintName(QPainter* painter, const QStyleOptionViewItem& option,
                               const QModelIndex& index) const {
  QStyleOptionViewItem cell = option;
  initStyleOption(&cell, index);
  const QString name = std::exchange(cell.text, {});
  const QStyle* style = QApplication::style();
  // Background, selection and focus frame are the style's; its tick's frame is too faint on dark.
  const QRect check =
      style->subElementRect(QStyle::SE_ItemViewItemCheckIndicator, &cell, cell.widget);
  cell.features.setFlag(QStyleOptionViewItem::HasCheckIndicator, false);
  style->drawControl(QStyle::CE_ItemViewItem, &cell, painter, cell.widget);
  QRect area = cell.rect;
  area.setLeft(check.right() + Space::kTight + 2);
  area.adjust(0, 2, -Space::kTight, -2);
  paintTick(painter, check, cell.checkState == Qt::Checked);

  painter->save();
  const bool selected = cell.state & QStyle::State_Selected;
  const int position = index.data(DeviceModel::PositionRole).toInt();
  const bool lost = index.data(DeviceModel::LostRole).toBool();
  const bool missing = index.data(DeviceModel::MissingRole).toBool();
  const QColor text = cell.palette.color(selected ? QPalette::HighlightedText : QPalette::Text);
  const QColor muted =
      selected ? text : Theme::instance().color(missing || lost ? Ink::Error : Ink::MutedText);
  QRect first = area, second = area;
  if (m_twoLines) {
    first.setBottom(area.center().y());
    second.setTop(area.center().y() + 1);
  }
  if (position >= 0) {
    const DeviceStyle device = Theme::instance().device(position);
    painter->setPen(selected ? text : device.color);
    painter->drawText(QRect(first.left(), first.top(), kGlyphWidth, first.height()),
                      Qt::AlignLeft | Qt::AlignVCenter, device.glyph);
  }
  first.setLeft(first.left() + kGlyphWidth);
  second.setLeft(first.left());

  if (lost || index.data(DeviceModel::MasterRole).toBool()) {
    const QString badge = lost ? tr("out") : tr("master");
    const QFont small = Theme::instance().font(TextStyle::Small);
    const QFontMetrics metrics(small);
    const int width = metrics.horizontalAdvance(badge) + 10;
    const int nameWidth = painter->fontMetrics().horizontalAdvance(name);
    // Behind the name; where that has no room for both, before the second line.
    const bool below = m_twoLines && first.left() + nameWidth + 6 + width > first.right();
    QRect& line = below ? second : first;
    const int left =
        below ? line.left()
              : std::max(line.left(), std::min(line.left() + nameWidth + 6, line.right() - width));
    const int height = metrics.height() + 1;
    const QRect pill(left, line.center().y() - height / 2, width, height);
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(selected ? text : Theme::instance().color(lost ? Ink::Error : Ink::Accent));
    painter->setBrush(Qt::NoBrush);
    painter->drawRoundedRect(QRectF(pill).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
    painter->setFont(small);
    painter->drawText(pill, Qt::AlignCenter, badge);
    painter->setFont(cell.font);
    if (below)
      line.setLeft(pill.right() + 5);
    else
      line.setRight(pill.left() - 4);
  }
  painter->setPen(position >= 0 ? text : muted);
  painter->drawText(first, Qt::AlignLeft | Qt::AlignVCenter,
                    painter->fontMetrics().elidedText(name, Qt::ElideMiddle, first.width()));
  if (m_twoLines) {
    painter->setFont(Theme::instance().font(TextStyle::Small));
    painter->setPen(muted);
    painter->drawText(second, Qt::AlignLeft | Qt::AlignVCenter,
                      factsThatFit(index.data(DeviceModel::DetailRole).toString(),
                                   painter->fontMetrics(), second.width()));
  }
  painter->restore();
}

QSize DeviceDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const {
  QSize size = QStyledItemDelegate::sizeHint(option, index);
  const int line = option.fontMetrics.height();
  size.setHeight(m_twoLines ? 2 * line + Space::kSmall : line + Space::kSmall);
  return size;
}

QWidget* DeviceDelegate::createEditor(QWidget* parent, const QStyleOptionViewItem& option,
                                      const QModelIndex& index) const {
  switch (index.column()) {
    case DeviceModel::Speed: {
      auto* box = new QSpinBox(parent);
      box->setRange(DeviceModel::kMinSpeedPercent, index.data(DeviceModel::MaxSpeedRole).toInt());
      box->setSingleStep(5);
      box->setSuffix(tr(" %"));
      return box;
    }
    case DeviceModel::Share: {
      auto* box = new NumberBox(parent);
      box->setRange(0.0, 100.0);
      box->setDecimals(3);
      box->setSuffix(tr(" %"));
      return box;
    }
    case DeviceModel::Link: {
      auto* box = new QComboBox(parent);
      box->setEditable(true);
      box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
      box->setMinimumContentsLength(24);  // "100 Mb/s, 0.5 ms, half duplex"
      box->addItems({linkText(std::nullopt), bandwidthText(50.0), bandwidthText(100.0),
                     bandwidthText(1000.0), bandwidthText(10000.0), bandwidthText(std::nullopt)});
      return box;
    }
    default:
      return QStyledItemDelegate::createEditor(parent, option, index);
  }
}

void DeviceDelegate::setEditorData(QWidget* editor, const QModelIndex& index) const {
  if (auto* box = qobject_cast<QSpinBox*>(editor))
    box->setValue(index.data(Qt::EditRole).toInt());
  else if (auto* number = qobject_cast<QDoubleSpinBox*>(editor))
    number->setValue(index.data(Qt::EditRole).toDouble());
  else if (auto* combo = qobject_cast<QComboBox*>(editor))
    combo->setEditText(index.data(Qt::EditRole).toString());
  else
    QStyledItemDelegate::setEditorData(editor, index);
}

// A link says more than its column has room for: its editor covers some of those before it.
void DeviceDelegate::updateEditorGeometry(QWidget* editor, const QStyleOptionViewItem& option,
                                          const QModelIndex& index) const {
  QStyledItemDelegate::updateEditorGeometry(editor, option, index);
  if (index.column() != DeviceModel::Link) return;
  QRect place = editor->geometry();
  const int room = editor->sizeHint().width();
  if (room > place.width()) place.setLeft(std::max(0, place.right() + 1 - room));
  editor->setGeometry(place);
}

void DeviceDelegate::setModelData(QWidget* editor, QAbstractItemModel* model,
                                  const QModelIndex& index) const {
  if (auto* box = qobject_cast<QSpinBox*>(editor)) {
    box->interpretText();
    model->setData(index, box->value());
  } else if (auto* number = qobject_cast<QDoubleSpinBox*>(editor)) {
    number->interpretText();
    model->setData(index, number->value());
  } else if (auto* combo = qobject_cast<QComboBox*>(editor)) {
    model->setData(index, combo->currentText());
  } else {
    QStyledItemDelegate::setModelData(editor, model, index);
  }
}

}  // namespace convoy::ui
