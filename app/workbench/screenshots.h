// Takes pictures of the real window for the README and for those who judge its looks: idle, three
// quarters into a run, at its end, and the predictions from it; each in light and in dark.
#pragma once

#include <QDir>
#include <QObject>

#include "ui/main_window.h"

namespace convoy {

class Screenshots : public QObject {
  Q_OBJECT

 public:
  // Watches the window's run; `folder` exists.
  Screenshots(ui::MainWindow* window, const QDir& folder);

  // Saves workbench-<what>-light.png and -dark.png; for an empty `what` workbench-light.png and
  // workbench-dark.png. The scheme is then what it was.
  void take(const QString& what);
  // A file that could not be written.
  const QString& failure() const { return m_failure; }

 private:
  void watch();

  ui::MainWindow* m_window;
  QDir m_folder;
  QString m_failure;
  bool m_running = false;  // the picture of the run under way is taken
};

}  // namespace convoy
