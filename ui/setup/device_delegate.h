// Paints the device's name with its colour and glyph, the master's badge and, in a narrow table, a
// second line that says what it is; edits speeds in per cent and links by name or number.
#pragma once

#include <QStyledItemDelegate>

namespace convoy::ui {

class DeviceDelegate : public QStyledItemDelegate {
  Q_OBJECT

 public:
  using QStyledItemDelegate::QStyledItemDelegate;

  // "CPU · 1 core · 25.3 GB" without the last of its facts where it has no room for them: half a
  // number is worse than none, and the tool tip has them all.
  static QString factsThatFit(const QString& detail, const QFontMetrics& metrics, int width);

  void setTwoLines(bool twoLines) { m_twoLines = twoLines; }

  void paint(QPainter* painter, const QStyleOptionViewItem& option,
             const QModelIndex& index) const override;
  QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;
  QWidget* createEditor(QWidget* parent, const QStyleOptionViewItem& option,
                        const QModelIndex& index) const override;
  void setEditorData(QWidget* editor, const QModelIndex& index) const override;
  void updateEditorGeometry(QWidget* editor, const QStyleOptionViewItem& option,
                            const QModelIndex& index) const override;
  void setModelData(QWidget* editor, QAbstractItemModel* model,
                    const QModelIndex& index) const override;

 private:
  void paintName(QPainter* painter, const QStyleOptionViewItem& option,
                 const QModelIndex& index) const;

  bool m_twoLines = true;
};

}  // namespace convoy::ui
