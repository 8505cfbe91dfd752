// What leaves the window as files: a run's results and the charts.
#include <QDesktopServices>
#include <QDir>
#include <QFileDialog>
#include <QFileInfo>
#include <QMenu>
#include <QPointer>
#include <QTabWidget>
#include <QUrl>

#include "ui/charts/save_charts.h"
#include "ui/icon.h"
#include "ui/live/live_page.h"
#include "ui/main_window.h"
#include "ui/message_bar.h"
#include "ui/predict/predict_page.h"

namespace convoy::ui {

void MainWindow::fillExportMenu(QMenu* menu) {
  menu->setToolTipsVisible(true);
  menu->addAction(m_exportRun);
  QMenu* charts = menu->addMenu(tr("C&harts of This Page"));
  m_exportCharts = charts->menuAction();
  const auto format = [&](const QString& text, ExportFormat value) {
    charts->addAction(text, this, [this, value] {
      chooseFolder(tr("Folder for the Charts"),
                   [this, value](const QString& folder) { exportCharts(folder, value); });
    });
  };
  format(tr("As &PNG, Twice the Size…"), ExportFormat::Png);
  format(tr("As &SVG…"), ExportFormat::Svg);
  format(tr("As P&DF…"), ExportFormat::Pdf);
  format(tr("As &CSV of What Is Shown…"), ExportFormat::Csv);
}

void MainWindow::showExports() {
  m_exportRun->setEnabled(!runFolder().isEmpty() && QDir(runFolder()).exists());
  m_exportCharts->setEnabled(!chartsOfPage().isEmpty());
  m_exports->setEnabled(m_exportRun->isEnabled() || m_exportCharts->isEnabled());
}

QString MainWindow::runFolder() const {
  return QString::fromStdString(m_runner.folder().string());
}

QList<Chart*> MainWindow::chartsOfPage() const {
  if (m_pages->currentWidget() == m_live)
    return m_store.stepCount() > 0 ? m_live->allCharts() : QList<Chart*>();
  return m_predict->chartsToSave();
}

void MainWindow::chooseFolder(const QString& title,
                              const std::function<void(const QString&)>& use) {
  auto* dialog = new QFileDialog(this, title);
  dialog->setFileMode(QFileDialog::Directory);
  dialog->setOption(QFileDialog::ShowDirsOnly);
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  connect(dialog, &QFileDialog::fileSelected, this, use);
  dialog->open();
}

// What is there already may be another run's: it goes only when somebody says so.
void MainWindow::exportInto(const QString& folder, const QStringList& files,
                            const std::function<void()>& write) {
  QStringList there;
  for (const QString& file : files)
    if (QFileInfo::exists(QDir(folder).filePath(file))) there.append(file);
  if (there.isEmpty()) return write();
  const QString question =
      tr("Nothing is saved yet: %1 already has %2.")
          .arg(QDir::toNativeSeparators(folder), there.join(QStringLiteral(", ")));
  m_messages->add(Severity::kWarning, question, {{tr("Replace"), [this, question, write] {
                                                    m_messages->remove(question);
                                                    write();
                                                  }}});
}

void MainWindow::tellSaved(const QString& folder, const QStringList& files) {
  m_messages->add(
      Severity::kInfo,
      tr("Saved in %1: %2.")
          .arg(QDir::toNativeSeparators(folder), files.join(QStringLiteral(", "))),
      {{tr("Open Folder"), [folder] { QDesktopServices::openUrl(QUrl::fromLocalFile(folder)); }}});
}

void MainWindow::exportRun(const QString& folder) {
  const QDir source(runFolder());
  const QStringList files = source.entryList(QDir::Files);
  exportInto(folder, files, [this, folder, source, files] {
    for (const QString& name : files) {
      const QString target = QDir(folder).filePath(name);
      QFile file(source.filePath(name));
      QFile::remove(target);
      if (file.copy(target)) continue;
      m_messages->add(Severity::kError,
                      tr("%1 could not be written: %2").arg(target, file.errorString()));
      return;
    }
    tellSaved(folder, files);
  });
}

void MainWindow::exportCharts(const QString& folder, ExportFormat format) {
  QList<QPointer<Chart>> charts;  // another run may end one before somebody says Replace
  QStringList files;
  for (Chart* chart : chartsOfPage()) {
    charts.append(chart);
    files.append(chart->fileName(format));
  }
  exportInto(folder, files, [this, folder, format, charts, files] {
    QList<Chart*> present;
    for (const auto& chart : charts)
      if (chart) present.append(chart);
    const QString failure = saveCharts(present, folder, format);
    if (failure.isEmpty())
      tellSaved(folder, files);
    else
      m_messages->add(Severity::kError, tr("The charts could not be saved: %1").arg(failure));
  });
}

}  // namespace convoy::ui
