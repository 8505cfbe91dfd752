// The Setup dock's content: the experiment's name and one section for each part of it.
#pragma once

#include <QHash>

#include "ui/column_area.h"
#include "ui/models/experiment_document.h"

class QLineEdit;

namespace convoy::ui {

class DataPanel;
class DevicesPanel;
class FieldNote;
class NoteEdit;
class Section;
class SetupPanel;

class SetupView : public ColumnArea {
  Q_OBJECT

 public:
  explicit SetupView(ExperimentDocument* document, QWidget* parent = nullptr);

  DevicesPanel* devicesPanel() { return m_devices; }
  DataPanel* dataPanel() { return m_data; }

  // While a run goes on only the link can be changed: it acts at once.
  void setRunning(bool running);
  // What the engine found beyond the document's own problems; shown until the next edit.
  void setRunProblem(const Problem& problem);

  QByteArray saveFolding() const;
  void restoreFolding(const QByteArray& state);
  void resetFolding();

  QSize sizeHint() const override { return {kPreferredWidth, 640}; }

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  static constexpr int kPreferredWidth = 416;

  void addSection(const QString& key, const QString& title, SetupPanel* panel);
  void refresh();
  void showProblems(QList<Problem> problems);

  ExperimentDocument* m_document;
  QLineEdit* m_name;
  NoteEdit* m_note;
  FieldNote* m_otherProblems;
  DevicesPanel* m_devices;
  DataPanel* m_data;
  struct Entry {
    QString key;
    Section* section;
    SetupPanel* panel;
  };
  QList<Entry> m_sections;
};

}  // namespace convoy::ui
