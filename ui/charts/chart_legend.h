// The names of a chart's series. A click, or the space key, hides a series and shows it again.
#pragma once

#include <QAbstractButton>
#include <QList>
#include <QPainter>
#include <QWidget>

#include "ui/charts/plot.h"

namespace convoy::ui {

class LegendButton : public QAbstractButton {
  Q_OBJECT

 public:
  explicit LegendButton(QWidget* parent) : QAbstractButton(parent) {}
  void setEntry(const LegendEntry& entry);
  QSize sizeHint() const override;

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  LegendEntry m_entry;
};

class ChartLegend : public QWidget {
  Q_OBJECT

 public:
  explicit ChartLegend(QWidget* parent = nullptr);
  void setEntries(const QList<LegendEntry>& entries);

  // For exported pictures: the same in one or more rows. Returns the height that is used.
  static qreal paint(QPainter& painter, const QRectF& area, const QList<LegendEntry>& entries);

 signals:
  void toggled(int entry, bool hidden);

 private:
  QList<LegendEntry> m_entries;
  QList<LegendButton*> m_buttons;
};

}  // namespace convoy::ui
