// A chart of the workbench: title, legend, picture, and a table twin of the same numbers.
//
// Everything of Qt Charts stays behind this class. It shows what its spec's functions return when
// refresh() is called, and only then; hidden charts do no work and catch up when they are shown.
// GUI thread only.
#pragma once

#include <QFrame>
#include <QSizeF>
#include <optional>

#include "ui/charts/chart_export.h"
#include "ui/charts/chart_spec.h"

class QAction;
class QHBoxLayout;
class QLabel;
class QMenu;
class QStackedLayout;
class QTableView;
class QToolButton;

namespace convoy::ui {

class ChartCanvas;
class ChartLegend;
class ChartTableModel;

class Chart : public QFrame {
  Q_OBJECT

 public:
  explicit Chart(LinesSpec spec, QWidget* parent = nullptr);
  explicit Chart(BarsSpec spec, QWidget* parent = nullptr);

  const QString& title() const { return m_title; }
  // What a file of it is called: "step-time.png", after the title unless something is set here.
  void setFileStem(const QString& stem) { m_fileStem = stem; }
  QString fileName(ExportFormat format) const;
  void setEmptyText(const QString& text);
  void refresh();

  void setSeriesHidden(int series, bool hidden);
  bool isSeriesHidden(int series) const;
  bool isZoomed() const;
  void resetZoom();
  bool isTableShown() const;
  void setTableShown(bool shown);
  void setLogarithmic(bool logarithmic);
  // A button beside the title, for another view of the same thing.
  void addHeadAction(QAction* action);
  // The x under the cursor of another chart with the same x.
  void showCursor(std::optional<double> x);

  // Writes what is shown: pictures at 960x540 or as given, CSV of the visible range and series.
  // Returns what went wrong, empty when nothing did.
  QString exportTo(const QString& path, ExportFormat format, const QSizeF& size = {960.0, 540.0});
  QByteArray exported(ExportFormat format, const QSizeF& size = {960.0, 540.0});

  ChartCanvas& canvas() { return *m_canvas; }
  ChartTableModel& tableModel() { return *m_model; }
  // For the right button and the chart's own button.
  QMenu* menu() const { return m_menu; }

 signals:
  void cursorMoved(std::optional<double> x);
  void exportDone(const QString& path);
  void exportFailed(const QString& message);

 protected:
  void paintEvent(QPaintEvent* event) override;
  void showEvent(QShowEvent* event) override;
  void contextMenuEvent(QContextMenuEvent* event) override;

 private:
  void build(const QString& description);
  void buildMenu();
  void restyle();
  void updateLegend();
  void copyPicture();
  void askAndExport(ExportFormat format);
  void paintAll(QPainter& painter, const QRectF& area);

  QString m_title;
  QString m_fileStem;
  ChartCanvas* m_canvas = nullptr;
  ChartLegend* m_legend = nullptr;
  ChartTableModel* m_model = nullptr;
  QLabel* m_titleLabel = nullptr;
  QHBoxLayout* m_head = nullptr;
  QToolButton* m_resetButton = nullptr;
  QToolButton* m_menuButton = nullptr;
  QTableView* m_table = nullptr;
  QStackedLayout* m_stack = nullptr;
  QMenu* m_menu = nullptr;
  QAction* m_resetZoom = nullptr;
  QAction* m_showTable = nullptr;
  QAction* m_log = nullptr;
};

}  // namespace convoy::ui
