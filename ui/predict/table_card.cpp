#include "ui/predict/table_card.h"

#include <QFontMetrics>
#include <QHeaderView>
#include <QLabel>
#include <QPainter>
#include <QTableView>
#include <QVBoxLayout>

#include "ui/theme/card.h"
#include "ui/theme/theme.h"

namespace convoy::ui {

TableCard::TableCard(const QString& title, const QString& description, QAbstractItemModel* model,
                     QWidget* parent)
    : QFrame(parent), m_title(new QLabel(title, this)), m_table(new QTableView(this)) {
  m_table->setModel(model);
  m_table->setAccessibleName(title);
  m_table->setAccessibleDescription(description);
  m_title->setToolTip(description);
  m_table->setEditTriggers(QAbstractItemView::NoEditTriggers);
  m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
  m_table->setFrameShape(QFrame::NoFrame);
  m_table->setShowGrid(false);
  m_table->setWordWrap(false);
  m_table->setTabKeyNavigation(false);
  m_table->verticalHeader()->hide();
  QHeaderView* header = m_table->horizontalHeader();
  header->setHighlightSections(false);
  header->setSectionResizeMode(QHeaderView::ResizeToContents);
  header->setSectionResizeMode(0, QHeaderView::Stretch);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(Space::kLarge, Space::kSmall, Space::kMedium, Space::kSmall);
  column->setSpacing(Space::kTight);
  column->addWidget(m_title);
  column->addWidget(m_table, 1);
  connect(&Theme::instance(), &Theme::changed, this, &TableCard::restyle);
  restyle();
}

void TableCard::setRowsShown(int rows) {
  m_rowsShown = rows;
  restyle();
}

void TableCard::restyle() {
  const Theme& theme = Theme::instance();
  m_title->setFont(theme.font(TextStyle::Title));
  const int line = QFontMetrics(theme.font(TextStyle::Small)).height() + Space::kTight;
  if (m_rowsShown > 0) m_table->setMinimumHeight((m_rowsShown + 1) * line + Space::kSmall);
  m_table->verticalHeader()->setMinimumSectionSize(line);
  m_table->verticalHeader()->setDefaultSectionSize(line);
  m_table->setStyleSheet(
      QStringLiteral("QTableView { background: %1; }"
                     "QHeaderView::section { background: %1; color: %2; border: none;"
                     " border-bottom: 1px solid %3; padding: 2px 4px; }")
          .arg(theme.color(Ink::Card).name(), theme.color(Ink::MutedText).name(),
               theme.color(Ink::Border).name()));
  update();
}

void TableCard::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  paintCard(painter, *this);
}

}  // namespace convoy::ui
