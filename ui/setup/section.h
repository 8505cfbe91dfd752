// A titled part of the Setup dock that folds away; folded, its title line still says what is set.
#pragma once

#include <QAbstractButton>
#include <QWidget>

namespace convoy::ui {

// The title line: arrow, title and, folded, the summary.
class SectionHeader : public QAbstractButton {
  Q_OBJECT

 public:
  SectionHeader(const QString& title, QWidget* parent);
  void setSummary(const QString& summary);
  QSize sizeHint() const override;

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  QString m_summary;
};

class Section : public QWidget {
  Q_OBJECT

 public:
  Section(const QString& title, QWidget* content, QWidget* parent = nullptr);

  bool isExpanded() const { return m_header->isChecked(); }
  void setExpanded(bool expanded) { m_header->setChecked(expanded); }
  void setSummary(const QString& summary) { m_header->setSummary(summary); }

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  SectionHeader* m_header;
};

}  // namespace convoy::ui
