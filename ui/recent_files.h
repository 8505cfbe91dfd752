// The menu of experiment files that were open lately, kept in the settings.
#pragma once

#include <QMenu>

namespace convoy::ui {

class RecentFiles : public QMenu {
  Q_OBJECT

 public:
  static constexpr int kMaxFiles = 8;

  explicit RecentFiles(QWidget* parent = nullptr);
  void add(const QString& file);
  void remove(const QString& file);

 signals:
  void chosen(const QString& file);

 private:
  void fill();
};

}  // namespace convoy::ui
