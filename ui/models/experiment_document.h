// The experiment that is being set up: its values, its file, and undo.
//
// Every widget of the Setup dock shows setup() when changed() says so, and writes through edit();
// no widget keeps a value of its own.
#pragma once

#include <QList>
#include <QObject>
#include <QString>
#include <QUndoStack>
#include <functional>

#include "ui/models/problems.h"
#include "ui/models/setup.h"

namespace convoy::ui {

class ExperimentDocument : public QObject {
  Q_OBJECT

 public:
  explicit ExperimentDocument(DeviceCatalog catalog, QObject* parent = nullptr);

  const DeviceCatalog& catalog() const { return m_catalog; }
  const Setup& setup() const { return m_setup; }
  Experiment experiment() const { return toExperiment(m_setup); }
  const QList<Problem>& problems() const { return m_problems; }
  QUndoStack* undoStack() { return &m_undoStack; }

  // Changes the set-up as one step of undo called `text`. Edits in a row with the same `field` (not
  // empty) become one step: a spin box that is held down.
  void edit(const QString& text, const QString& field, const std::function<void(Setup&)>& change);

  QString file() const { return m_file; }
  bool isModified() const { return !m_undoStack.isClean(); }
  // Back to the ready experiment, with no file.
  void reset();
  // Throw convoy::Error; the document is then as it was.
  void open(const QString& file);
  void save(const QString& file);
  // Takes an experiment that belongs to no file, such as that of the last session.
  void restore(const Experiment& experiment, const QString& file, bool modified);

 signals:
  void changed();
  void fileChanged();

 private:
  friend class EditCommand;
  void setSetup(const Setup& setup);
  void replace(const Setup& setup, const QString& file);

  DeviceCatalog m_catalog;
  Setup m_setup;
  QList<Problem> m_problems;
  QUndoStack m_undoStack;
  QString m_file;
};

}  // namespace convoy::ui
