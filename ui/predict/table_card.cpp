#include "ui/predict/table_card.h"

#include <QEvent>
#include <QFontMetrics>
#include <QHeaderView>
#include <QLabel>
#include <QPainter>
#include <QScrollBar>
#include <QStyle>
#include <QTableView>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/theme/card.h"
#include "ui/theme/theme.h"

namespace convoy::ui {
namespace {

constexpr int kMostAir = 24;  // before a number

}  // namespace

TableCard::TableCard(const QString& title, const QString& description, QAbstractItemModel* model,
                     QWidget* parent)
    : QFrame(parent),
      m_title(new QLabel(title, this)),
      m_table(new QTableView(this)),
      m_empty(new QLabel(this)) {
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
  header->setSectionResizeMode(QHeaderView::Fixed);  // fitColumns()
  header->setSectionResizeMode(0, QHeaderView::Stretch);
  m_table->viewport()->installEventFilter(this);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(Space::kLarge, Space::kSmall, Space::kMedium, Space::kSmall);
  column->setSpacing(Space::kTight);
  column->addWidget(m_title);
  column->addWidget(m_table, 1);
  m_empty->setObjectName(QStringLiteral("noRows"));
  m_empty->setWordWrap(true);
  m_empty->setAlignment(Qt::AlignLeft | Qt::AlignTop);
  column->addWidget(m_empty, 1);
  connect(model, &QAbstractItemModel::modelReset, this, &TableCard::showEmptiness);
  // Where names break depends on both.
  connect(model, &QAbstractItemModel::modelReset, this, &TableCard::fitColumns);
  connect(model, &QAbstractItemModel::modelReset, this, &TableCard::fitRows);
  connect(header, &QHeaderView::sectionResized, this, &TableCard::fitRows);
  showEmptiness();
  connect(&Theme::instance(), &Theme::changed, this, &TableCard::restyle);
  restyle();
}

void TableCard::setEmptyText(const QString& text) {
  m_empty->setText(text);
  showEmptiness();
}

void TableCard::showEmptiness() {
  const bool empty = !m_empty->text().isEmpty() && m_table->model()->rowCount() == 0;
  m_empty->setVisible(empty);
  m_table->setVisible(!empty);
}

void TableCard::setNamesBroken(bool broken) {
  m_table->setWordWrap(broken);
  fitRows();
}

// Numbers get what they need and, where there is room, some air: which heading is whose shows.
void TableCard::fitColumns() {
  QHeaderView* header = m_table->horizontalHeader();
  const int numbers = header->count() - 1;
  if (numbers < 1) return;
  // Air for what a name in one line leaves.
  int room =
      m_table->viewport()->width() - std::max(widthOfNames(false), header->sectionSizeHint(0));
  for (int column = 1; column <= numbers; ++column) room -= widthOfColumn(column);
  const int air = std::clamp(room / (numbers + 1), 0, kMostAir);  // names get some, too
  for (int column = 1; column <= numbers; ++column)
    header->resizeSection(column, widthOfColumn(column) + air);
  fitRows();
}

// A scroll bar takes room, too.
bool TableCard::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() == QEvent::Resize) fitColumns();
  return QFrame::eventFilter(watched, event);
}

int TableCard::widthOfColumn(int column) const {
  const QAbstractItemView* view = m_table;  // where the hints are public
  return std::max(view->sizeHintForColumn(column),
                  m_table->horizontalHeader()->sectionSizeHint(column));
}

// Without the styles' room for icons, as rows of one line.
void TableCard::fitRows() {
  if (!m_table->wordWrap()) return;
  const QAbstractItemModel* model = m_table->model();
  // What the numbers leave: the first column itself is stretched later.
  int room = m_table->viewport()->width() - marginOfNames();
  for (int column = 1; column < model->columnCount(); ++column)
    room -= m_table->columnWidth(column);
  for (int row = 0; row < model->rowCount(); ++row) {
    const QModelIndex name = model->index(row, 0);
    const QFontMetrics metrics(name.data(Qt::FontRole).value<QFont>());
    const QRect text = metrics.boundingRect(QRect(0, 0, room, QWIDGETSIZE_MAX), Qt::TextWordWrap,
                                            name.data().toString());
    m_table->setRowHeight(row, std::max(m_table->verticalHeader()->defaultSectionSize(),
                                        text.height() + Space::kTight));
  }
}

// Of a cell, at both sides together.
int TableCard::marginOfNames() const {
  return 2 * (m_table->style()->pixelMetric(QStyle::PM_FocusFrameHMargin, nullptr, m_table) + 1);
}

int TableCard::widthOfNames(bool broken) const {
  const QAbstractItemModel* model = m_table->model();
  int widest = 0;
  for (int row = 0; row < model->rowCount(); ++row) {
    const QModelIndex name = model->index(row, 0);
    const QFontMetrics metrics(name.data(Qt::FontRole).value<QFont>());
    const QString text = name.data().toString();
    for (const QString& piece : broken ? text.split(u' ') : QStringList(text))
      widest = std::max(widest, metrics.horizontalAdvance(piece));
  }
  return widest + marginOfNames();
}

int TableCard::widthNeeded() const {
  const QHeaderView* header = m_table->horizontalHeader();
  int width = std::max(widthOfNames(m_table->wordWrap()), header->sectionSizeHint(0));
  for (int column = 1; column < header->count(); ++column) width += widthOfColumn(column);
  const QMargins around = layout()->contentsMargins();
  return around.left() + width + m_table->verticalScrollBar()->sizeHint().width() + around.right();
}

void TableCard::setRowsShown(int least, int most) {
  m_leastRows = least;
  m_mostRows = most;
  restyle();
}

int TableCard::heightOf(int rows) const {
  return m_table->horizontalHeader()->sizeHint().height() +
         rows * m_table->verticalHeader()->defaultSectionSize();
}

QSize TableCard::sizeHint() const {
  const QSize hint = QFrame::sizeHint();
  if (m_mostRows == 0) return hint;
  const int around =
      hint.height() - m_table->sizeHint().expandedTo(m_table->minimumSize()).height();
  return {hint.width(), around + heightOf(m_mostRows)};
}

void TableCard::restyle() {
  const Theme& theme = Theme::instance();
  m_title->setFont(theme.font(TextStyle::Title));
  QPalette quiet = palette();
  quiet.setColor(QPalette::WindowText, theme.color(Ink::MutedText));
  m_empty->setPalette(quiet);
  m_empty->setFont(theme.font(TextStyle::Small));
  const int line = QFontMetrics(theme.font(TextStyle::Small)).height() + Space::kTight;
  m_table->verticalHeader()->setMinimumSectionSize(line);
  m_table->verticalHeader()->setDefaultSectionSize(line);
  m_table->setStyleSheet(
      QStringLiteral("QTableView { background: %1; }"
                     "QHeaderView::section { background: %1; color: %2; border: none;"
                     " border-bottom: 1px solid %3; padding: 2px 4px; }")
          .arg(theme.color(Ink::Card).name(), theme.color(Ink::MutedText).name(),
               theme.color(Ink::Border).name()));
  fitColumns();
  fitRows();  // they have the default size now
  if (m_leastRows > 0) m_table->setMinimumHeight(heightOf(m_leastRows));
  updateGeometry();
  update();
}

void TableCard::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  paintCard(painter, *this);
}

}  // namespace convoy::ui
