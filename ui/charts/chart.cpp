#include "ui/charts/chart.h"

#include <QClipboard>
#include <QContextMenuEvent>
#include <QFileDialog>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QMenu>
#include <QPainter>
#include <QStackedLayout>
#include <QTableView>
#include <QToolButton>
#include <QVBoxLayout>

#include "ui/charts/bar_plot.h"
#include "ui/charts/chart_canvas.h"
#include "ui/charts/chart_legend.h"
#include "ui/charts/chart_table_model.h"
#include "ui/charts/line_plot.h"
#include "ui/theme/card.h"

namespace convoy::ui {

Chart::Chart(LinesSpec spec, QWidget* parent) : QFrame(parent), m_title(spec.title) {
  const QString description = spec.description;
  m_canvas = new ChartCanvas(
      [&spec](QChart& chart) { return std::make_unique<LinePlot>(chart, std::move(spec)); }, this);
  build(description);
}

Chart::Chart(BarsSpec spec, QWidget* parent) : QFrame(parent), m_title(spec.title) {
  const QString description = spec.description;
  m_canvas = new ChartCanvas(
      [&spec](QChart& chart) { return std::make_unique<BarPlot>(chart, std::move(spec)); }, this);
  build(description);
}

void Chart::build(const QString& description) {
  setAccessibleName(m_title);
  setAccessibleDescription(description);
  m_canvas->setAccessibleName(tr("%1, picture").arg(m_title));
  m_canvas->setAccessibleDescription(description);

  m_titleLabel = new QLabel(m_title, this);
  m_legend = new ChartLegend(this);
  m_model = new ChartTableModel(m_canvas->plot().table(), this);
  m_table = new QTableView(this);
  m_table->setModel(m_model);
  m_table->setAccessibleName(tr("%1, table").arg(m_title));
  m_table->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Ignored);  // the picture's height
  m_table->setEditTriggers(QAbstractItemView::NoEditTriggers);
  m_table->setFrameShape(QFrame::NoFrame);
  m_table->setShowGrid(false);
  m_table->setAlternatingRowColors(true);
  m_table->verticalHeader()->hide();
  m_table->horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch);
  m_table->horizontalHeader()->setHighlightSections(false);

  buildMenu();
  m_resetButton = new QToolButton(this);
  m_resetButton->setDefaultAction(m_resetZoom);
  m_resetButton->setAutoRaise(true);
  m_resetButton->hide();
  m_menuButton = new QToolButton(this);
  m_menuButton->setText(QStringLiteral("⋯"));
  m_menuButton->setAutoRaise(true);
  m_menuButton->setPopupMode(QToolButton::InstantPopup);
  m_menuButton->setMenu(m_menu);
  m_menuButton->setToolTip(tr("Copy, save, table and more"));
  m_menuButton->setAccessibleName(tr("Menu of %1").arg(m_title));

  m_head = new QHBoxLayout;
  m_head->setSpacing(Space::kTight);
  m_head->addWidget(m_titleLabel, 1);
  m_head->addWidget(m_resetButton);
  m_head->addWidget(m_menuButton);
  m_stack = new QStackedLayout;
  m_stack->addWidget(m_canvas);
  m_stack->addWidget(m_table);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(Space::kLarge, Space::kSmall, Space::kMedium, Space::kSmall);
  column->setSpacing(Space::kTight);
  column->addLayout(m_head);
  column->addWidget(m_legend);
  column->addLayout(m_stack, 1);

  connect(m_legend, &ChartLegend::toggled, this, &Chart::setSeriesHidden);
  connect(m_canvas, &ChartCanvas::pointed, this, &Chart::cursorMoved);
  connect(m_canvas, &ChartCanvas::zoomChanged, this, [this](bool zoomed) {
    m_resetZoom->setEnabled(zoomed);
    m_resetButton->setVisible(zoomed);
  });
  connect(&Theme::instance(), &Theme::changed, this, &Chart::restyle);
  restyle();
}

void Chart::buildMenu() {
  m_menu = new QMenu(this);
  m_menu->addAction(tr("&Copy picture"), this, &Chart::copyPicture);
  m_menu->addAction(tr("Copy &data"), this, [this] {
    QGuiApplication::clipboard()->setText(QString::fromUtf8(exported(ExportFormat::Csv)));
  });
  m_menu->addSeparator();
  const std::pair<QString, ExportFormat> formats[] = {
      {tr("Save as &PNG…"), ExportFormat::Png},
      {tr("Save as &SVG…"), ExportFormat::Svg},
      {tr("Save as PD&F…"), ExportFormat::Pdf},
      {tr("Save what is shown as CS&V…"), ExportFormat::Csv}};
  for (const auto& [text, format] : formats)
    m_menu->addAction(text, this, [this, format = format] { askAndExport(format); });
  m_menu->addSeparator();
  m_showTable = m_menu->addAction(tr("Show as &table"));
  m_showTable->setCheckable(true);
  connect(m_showTable, &QAction::toggled, this, &Chart::setTableShown);
  m_log = m_menu->addAction(tr("&Logarithmic axis"));
  m_log->setCheckable(true);
  m_log->setVisible(m_canvas->plot().canBeLogarithmic());
  connect(m_log, &QAction::toggled, this, &Chart::setLogarithmic);
  m_resetZoom = m_menu->addAction(tr("Reset &zoom"), this, &Chart::resetZoom);
  m_resetZoom->setToolTip(tr("Show everything again (double click)"));
  m_resetZoom->setEnabled(false);
}

void Chart::addHeadAction(QAction* action) {
  auto* button = new QToolButton(this);
  button->setDefaultAction(action);
  button->setAccessibleName(action->text());
  m_head->insertWidget(1, button);
  const auto follow = [action, button] { button->setVisible(action->isVisible()); };
  connect(action, &QAction::changed, button, follow);
  follow();
}

void Chart::setEmptyText(const QString& text) {
  m_canvas->setEmptyText(text);
}

void Chart::refresh() {
  if (!isVisible()) return;  // showEvent catches up
  if (isTableShown())
    m_model->refresh();
  else
    m_canvas->refresh();
  updateLegend();
}

void Chart::showEvent(QShowEvent* event) {
  QFrame::showEvent(event);
  refresh();
}

void Chart::setSeriesHidden(int series, bool hidden) {
  m_canvas->plot().setHidden(series, hidden);
  m_canvas->refresh();
  updateLegend();
}

bool Chart::isSeriesHidden(int series) const {
  return m_canvas->plot().legend()[series].hidden;
}

bool Chart::isZoomed() const {
  return m_canvas->plot().isZoomed();
}

void Chart::resetZoom() {
  m_canvas->resetZoom();
}

bool Chart::isTableShown() const {
  return m_stack->currentWidget() == m_table;
}

void Chart::setTableShown(bool shown) {
  m_stack->setCurrentWidget(shown ? static_cast<QWidget*>(m_table) : m_canvas);
  m_legend->setVisible(!shown);
  m_showTable->setChecked(shown);
  refresh();
}

void Chart::setLogarithmic(bool logarithmic) {
  m_canvas->plot().setLogarithmic(logarithmic);
  m_log->setChecked(logarithmic);
  m_canvas->restyle();
}

void Chart::showCursor(std::optional<double> x) {
  m_canvas->setCursor(x);
}

void Chart::restyle() {
  const Theme& theme = Theme::instance();
  m_titleLabel->setFont(theme.font(TextStyle::Title));
  // A button with a style sheet keeps the palette that it was polished with.
  m_menuButton->setStyleSheet(
      QStringLiteral("QToolButton { color: %1; } QToolButton::menu-indicator { image: none; }")
          .arg(theme.color(Ink::Text).name()));
  m_canvas->restyle();
  updateLegend();
  update();
}

void Chart::updateLegend() {
  m_legend->setEntries(m_canvas->plot().legend());
}

void Chart::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  paintCard(painter, *this);
}

void Chart::contextMenuEvent(QContextMenuEvent* event) {
  m_menu->popup(event->globalPos());
}

void Chart::paintAll(QPainter& painter, const QRectF& area) {
  const Theme& theme = Theme::instance();
  painter.fillRect(area, theme.color(Ink::Card));
  QRectF inside = area.adjusted(Space::kLarge, Space::kMedium, -Space::kLarge, -Space::kSmall);
  painter.setFont(theme.font(TextStyle::Title));
  painter.setPen(theme.color(Ink::Text));
  painter.drawText(inside, Qt::AlignLeft | Qt::AlignTop, m_title);
  inside.setTop(inside.top() + QFontMetricsF(theme.font(TextStyle::Title)).height() + 4.0);
  inside.setTop(inside.top() + ChartLegend::paint(painter, inside, m_canvas->plot().legend()) +
                4.0);
  m_canvas->paint(painter, inside);
}

QString Chart::fileName(ExportFormat format) const {
  const QString stem = m_fileStem.isEmpty() ? m_title : m_fileStem;
  return stem.simplified().toLower().replace(' ', '-') + '.' + suffixOf(format);
}

QByteArray Chart::exported(ExportFormat format, const QSizeF& size) {
  m_canvas->plot().refresh();
  if (format == ExportFormat::Csv)
    return csvOf(m_canvas->plot().table(), m_canvas->plot().visibleRows(),
                 m_canvas->plot().visibleColumns());
  return pictureOf(format, size, m_title,
                   [this](QPainter& painter, const QRectF& area) { paintAll(painter, area); });
}

QString Chart::exportTo(const QString& path, ExportFormat format, const QSizeF& size) {
  return writeFile(path, exported(format, size));
}

void Chart::copyPicture() {
  QImage image = QImage::fromData(exported(ExportFormat::Png), "PNG");
  QGuiApplication::clipboard()->setImage(image);
}

void Chart::askAndExport(ExportFormat format) {
  const QString suffix = suffixOf(format);
  QString path = QFileDialog::getSaveFileName(this, tr("Save %1").arg(m_title), fileName(format),
                                              tr("%1 file (*.%2)").arg(suffix.toUpper(), suffix));
  if (path.isEmpty()) return;
  if (!path.endsWith('.' + suffix, Qt::CaseInsensitive)) path += '.' + suffix;
  const QString problem = exportTo(path, format);
  if (problem.isEmpty())
    emit exportDone(path);
  else
    emit exportFailed(problem);
}

}  // namespace convoy::ui
