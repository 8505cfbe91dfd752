// The common part of the Setup dock's sections: shows the document, says what is wrong.
#pragma once

#include <QFormLayout>
#include <QWidget>

#include "ui/models/experiment_document.h"
#include "ui/setup/field_note.h"

namespace convoy::ui {

class SetupPanel : public QWidget {
  Q_OBJECT

 public:
  explicit SetupPanel(ExperimentDocument* document, QWidget* parent = nullptr);

  // Puts the document's values into the controls, without that counting as an edit.
  void refresh();
  void takeProblems(QList<Problem>& problems);
  // While a run goes on, nothing can be changed unless a panel says otherwise.
  virtual void setRunning(bool running) { setEnabled(!running); }
  // What is set, in a few words, for the folded section.
  virtual QString summary() const = 0;

 protected:
  virtual void showSetup(const Setup& setup) = 0;

  ExperimentDocument* document() const { return m_document; }
  // An edit that the person has just made; ignored while refresh() fills the controls.
  void edit(const QString& text, const QString& field, const std::function<void(Setup&)>& change);
  // A note to be placed by the caller.
  FieldNote* note(const QString& path);

 private:
  ExperimentDocument* m_document;
  QList<FieldNote*> m_notes;
  bool m_refreshing = false;
};

}  // namespace convoy::ui
