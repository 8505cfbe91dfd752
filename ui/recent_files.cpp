#include "ui/recent_files.h"

#include <QDir>
#include <QSettings>

namespace convoy::ui {
namespace {

const QString kKey = QStringLiteral("recentFiles");

QStringList stored() {
  return QSettings().value(kKey).toStringList();
}

}  // namespace

RecentFiles::RecentFiles(QWidget* parent) : QMenu(tr("Open &Recent"), parent) {
  connect(this, &QMenu::aboutToShow, this, &RecentFiles::fill);
  menuAction()->setEnabled(!stored().isEmpty());
}

void RecentFiles::add(const QString& file) {
  QStringList files = stored();
  files.removeAll(file);
  files.prepend(file);
  QSettings().setValue(kKey, files.mid(0, kMaxFiles));
  menuAction()->setEnabled(true);
}

void RecentFiles::remove(const QString& file) {
  QStringList files = stored();
  files.removeAll(file);
  QSettings().setValue(kKey, files);
  menuAction()->setEnabled(!files.isEmpty());
}

void RecentFiles::fill() {
  clear();
  for (const QString& file : stored())
    addAction(QDir::toNativeSeparators(file), this, [this, file] { emit chosen(file); });
  addSeparator();
  addAction(tr("&Clear List"), this, [this] {
    QSettings().remove(kKey);
    menuAction()->setEnabled(false);
  });
}

}  // namespace convoy::ui
