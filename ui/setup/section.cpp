#include "ui/setup/section.h"

#include <QPainter>
#include <QStyleOptionFocusRect>
#include <QVBoxLayout>

#include "ui/icon.h"
#include "ui/theme/theme.h"

namespace convoy::ui {
namespace {

constexpr int kArrow = 14;
constexpr int kMinWidth = 160;

}  // namespace

SectionHeader::SectionHeader(const QString& title, QWidget* parent) : QAbstractButton(parent) {
  setText(title);
  setCheckable(true);
  setChecked(true);
  setAccessibleName(tr("Section %1").arg(title));
  setFocusPolicy(Qt::TabFocus);
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

void SectionHeader::setSummary(const QString& summary) {
  m_summary = summary;
  setToolTip(isChecked() ? QString() : summary);
  update();
}

QSize SectionHeader::sizeHint() const {
  return {kMinWidth, fontMetrics().height() + Space::kSmall};
}

void SectionHeader::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  const QRect arrow(0, (height() - kArrow) / 2, kArrow, kArrow);
  themedIcon(isChecked() ? QStringLiteral("expanded") : QStringLiteral("collapsed"))
      .paint(&painter, arrow);
  const QFont title = Theme::instance().font(TextStyle::Title);
  painter.setFont(title);
  painter.setPen(Theme::instance().color(Ink::Text));
  const int left = arrow.right() + Space::kSmall;
  painter.drawText(rect().adjusted(left, 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter, text());
  if (!isChecked()) {
    const int used = left + QFontMetrics(title).horizontalAdvance(text()) + Space::kLarge;
    painter.setFont(font());
    painter.setPen(Theme::instance().color(Ink::MutedText));
    painter.drawText(rect(), Qt::AlignRight | Qt::AlignVCenter,
                     fontMetrics().elidedText(m_summary, Qt::ElideRight, width() - used));
  }
  if (hasFocus()) {
    QStyleOptionFocusRect focus;
    focus.initFrom(this);
    style()->drawPrimitive(QStyle::PE_FrameFocusRect, &focus, &painter, this);
  }
}

Section::Section(const QString& title, QWidget* content, QWidget* parent)
    : QWidget(parent), m_header(new SectionHeader(title, this)) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(Space::kMedium, Space::kTight, Space::kMedium, Space::kSmall);
  layout->setSpacing(Space::kTight);
  layout->addWidget(m_header);
  layout->addWidget(content);
  connect(m_header, &SectionHeader::toggled, content, &QWidget::setVisible);
}

void Section::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.setPen(Theme::instance().color(Ink::Border));
  painter.drawLine(0, height() - 1, width(), height() - 1);
}

}  // namespace convoy::ui
