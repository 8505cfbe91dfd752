// Several charts as files of one folder.
#pragma once

#include <QList>
#include <QString>

#include "ui/charts/chart.h"

namespace convoy::ui {

// Writes every chart into the folder ("speedup.png", ...), which is created if missing. Returns
// what went wrong, empty when nothing did.
QString saveCharts(const QList<Chart*>& charts, const QString& folder, ExportFormat format);

}  // namespace convoy::ui
