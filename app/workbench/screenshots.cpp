#include "app/workbench/screenshots.h"

#include <QApplication>
#include <QPixmap>

#include "ui/theme/theme.h"

namespace convoy {

Screenshots::Screenshots(ui::MainWindow* window, const QDir& folder)
    : m_window(window), m_folder(folder) {
  connect(window->store(), &ui::RunStore::changed, this, &Screenshots::watch);
}

void Screenshots::watch() {
  const ui::RunStore* store = m_window->store();
  if (m_running || store->state() != ui::RunStore::State::Training) return;
  // Late enough that the charts, whose axes grow in steps, are well filled.
  if (4 * store->stepCount() < 3 * store->started().steps) return;
  m_running = true;
  take(QStringLiteral("running"));
}

void Screenshots::take(const QString& what) {
  ui::Theme& theme = ui::Theme::instance();
  const ui::Scheme before = theme.scheme();
  for (const ui::Scheme scheme : {ui::Scheme::Light, ui::Scheme::Dark}) {
    theme.apply(scheme);
    // Lets layouts and palettes settle, but no tick of the run come between the two pictures.
    QApplication::sendPostedEvents();
    QString name = QStringLiteral("workbench");
    if (!what.isEmpty()) name += QLatin1Char('-') + what;
    name +=
        scheme == ui::Scheme::Light ? QStringLiteral("-light.png") : QStringLiteral("-dark.png");
    if (!m_window->grab().save(m_folder.filePath(name))) m_failure = m_folder.filePath(name);
  }
  theme.apply(before);
}

}  // namespace convoy
