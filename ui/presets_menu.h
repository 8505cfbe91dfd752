// The menu of ready experiments that come with the program, grouped; built in, so that they are
// there wherever the program is.
#pragma once

#include <QMenu>

namespace convoy::ui {

class PresetsMenu : public QMenu {
  Q_OBJECT

 public:
  explicit PresetsMenu(QWidget* parent = nullptr);

 signals:
  void chosen(const QString& resource);  // ":/experiments/..."

 private:
  void fill();
  void addGroup(QMenu* menu, const QString& folder);
};

}  // namespace convoy::ui
