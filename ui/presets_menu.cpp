#include "ui/presets_menu.h"

#include <QCollator>
#include <QDir>
#include <QFile>
#include <algorithm>

#include "engine/training/experiment.h"

namespace convoy::ui {
namespace {

const QString kFolder = QStringLiteral(":/experiments");

}  // namespace

PresetsMenu::PresetsMenu(QWidget* parent) : QMenu(tr("&Presets"), parent) {
  setObjectName(QStringLiteral("presets"));
  setToolTipsVisible(true);
  fill();
}

void PresetsMenu::fill() {
  const std::pair<QString, QString> groups[] = {
      {tr("Equal &CPUs (Virtual Clock)"), QStringLiteral("/equal-cpus")},
      {tr("&GPU-like Devices (Virtual Clock)"), QStringLiteral("/gpu-like")}};
  addSection(tr("This Machine"));
  addGroup(this, kFolder);
  addSection(tr("Other Machines"));
  for (const auto& [title, folder] : groups) {
    QMenu* menu = addMenu(title);
    menu->setToolTipsVisible(true);
    addGroup(menu, kFolder + folder);
  }
}

void PresetsMenu::addGroup(QMenu* menu, const QString& folder) {
  QStringList files = QDir(folder).entryList({QStringLiteral("*.json")}, QDir::Files);
  QCollator byNumber(QLocale::c());  // 50:500 before 150:800
  byNumber.setNumericMode(true);
  std::sort(files.begin(), files.end(), byNumber);
  // The one to begin with comes first.
  std::stable_partition(files.begin(), files.end(),
                        [](const QString& file) { return file == QStringLiteral("default.json"); });
  QString network;
  for (const QString& name : std::as_const(files)) {
    const QString path = folder + '/' + name;
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly)) continue;
    const Experiment preset = parse_experiment(file.readAll().toStdString(), path.toStdString());
    const QString its = name.section(QStringLiteral("-on-"), 0, 0);
    if (menu != this && !network.isEmpty() && its != network) menu->addSeparator();
    network = its;
    QAction* action = menu->addAction(QString::fromStdString(preset.name), this,
                                      [this, path] { emit chosen(path); });
    action->setToolTip(QString::fromStdString(preset.note));
    action->setData(path);
  }
}

}  // namespace convoy::ui
