#include "ui/charts/save_charts.h"

#include <QCoreApplication>
#include <QDir>

namespace convoy::ui {

QString saveCharts(const QList<Chart*>& charts, const QString& folder, ExportFormat format) {
  const QDir directory(folder);
  if (!directory.mkpath("."))
    return QCoreApplication::translate("Chart", "The folder %1 cannot be made.")
        .arg(QDir::toNativeSeparators(folder));
  for (Chart* chart : charts) {
    const QString problem = chart->exportTo(directory.filePath(chart->fileName(format)), format);
    if (!problem.isEmpty()) return problem;
  }
  return {};
}

}  // namespace convoy::ui
