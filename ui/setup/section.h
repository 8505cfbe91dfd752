// A titled part of the Setup dock that folds away; folded, its title line still says what is set.
#pragma once

#include <QLabel>
#include <QToolButton>
#include <QWidget>

namespace convoy::ui {

class Section : public QWidget {
  Q_OBJECT

 public:
  Section(const QString& title, QWidget* content, QWidget* parent = nullptr);

  QWidget* content() const { return m_content; }
  bool isExpanded() const { return m_header->isChecked(); }
  void setExpanded(bool expanded) { m_header->setChecked(expanded); }
  void setSummary(const QString& summary);

 protected:
  void resizeEvent(QResizeEvent* event) override;
  void paintEvent(QPaintEvent* event) override;

 private:
  void showState();

  QToolButton* m_header;
  QLabel* m_summary;
  QString m_summaryText;
  QWidget* m_content;
};

}  // namespace convoy::ui
