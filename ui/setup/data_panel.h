// Which pictures to train on: built in, downloaded or from a folder.
#pragma once

#include "ui/bridge/dataset_download.h"
#include "ui/setup/setup_panel.h"

class QComboBox;
class QLabel;
class QLineEdit;
class QProgressBar;
class QPushButton;
class QSpinBox;
class QToolButton;

namespace convoy::ui {

class DataPanel : public SetupPanel {
  Q_OBJECT

 public:
  explicit DataPanel(ExperimentDocument* document, QWidget* parent = nullptr);
  QString summary() const override;

  // Takes a folder that was dropped on the window: a known data set or class folders.
  void useFolder(const QString& folder);
  DatasetDownload* download() { return &m_download; }

 signals:
  void messageArrived(convoy::Severity severity, const QString& text);

 protected:
  void showSetup(const Setup& setup) override;

 private:
  QSpinBox* limit(const QString& name, std::optional<int> DatasetSpec::*field);
  void browse();
  void showDownload();
  void connectDownload();

  QComboBox* m_kind;
  QLabel* m_pathLabel;
  QLineEdit* m_path;
  QToolButton* m_browse;
  QPushButton* m_fetch;
  QWidget* m_progressLine;
  QProgressBar* m_progress;
  QLabel* m_sizeLabel;
  QSpinBox* m_imageSize;
  QSpinBox* m_trainLimit;
  QSpinBox* m_testLimit;
  DatasetDownload m_download;
};

}  // namespace convoy::ui
