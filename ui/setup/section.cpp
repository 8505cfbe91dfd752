#include "ui/setup/section.h"

#include <QHBoxLayout>
#include <QPainter>
#include <QVBoxLayout>

#include "ui/icon.h"
#include "ui/theme/theme.h"

namespace convoy::ui {

Section::Section(const QString& title, QWidget* content, QWidget* parent)
    : QWidget(parent),
      m_header(new QToolButton(this)),
      m_summary(new QLabel(this)),
      m_content(content) {
  m_header->setText(title);
  m_header->setCheckable(true);
  m_header->setChecked(true);
  m_header->setAutoRaise(true);
  m_header->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
  m_header->setIconSize(QSize(14, 14));
  m_header->setAccessibleName(tr("Section %1").arg(title));
  m_header->setFont(Theme::instance().font(TextStyle::Title));
  m_header->setStyleSheet(QStringLiteral("QToolButton { border: none; padding: 2px; }"));
  m_summary->setForegroundRole(QPalette::PlaceholderText);
  m_summary->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
  m_summary->setMinimumWidth(0);
  m_summary->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);

  auto* line = new QHBoxLayout;
  line->setContentsMargins(0, 0, Space::kTight, 0);
  line->addWidget(m_header);
  line->addWidget(m_summary, 1);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(Space::kSmall, Space::kTight, Space::kSmall, Space::kSmall);
  layout->setSpacing(Space::kTight);
  layout->addLayout(line);
  layout->addWidget(content);
  connect(m_header, &QToolButton::toggled, this, &Section::showState);
  showState();
}

void Section::setSummary(const QString& summary) {
  m_summaryText = summary;
  showState();
}

void Section::showState() {
  const bool expanded = isExpanded();
  m_header->setIcon(
      themedIcon(expanded ? QStringLiteral("expanded") : QStringLiteral("collapsed")));
  m_content->setVisible(expanded);
  m_summary->setText(expanded ? QString()
                              : m_summary->fontMetrics().elidedText(m_summaryText, Qt::ElideRight,
                                                                    m_summary->width()));
  m_summary->setToolTip(m_summaryText);
}

void Section::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  showState();
}

void Section::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.setPen(Theme::instance().color(Ink::Border));
  painter.drawLine(0, height() - 1, width(), height() - 1);
}

}  // namespace convoy::ui
