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
#include <optional>

#include "ui/models/problems.h"
#include "ui/models/setup.h"

namespace convoy::ui {

class ExperimentDocument : public QObject {
  Q_OBJECT

 public:
  explicit ExperimentDocument(DeviceCatalog catalog, QObject* parent = nullptr);
  ~ExperimentDocument() override;

  const DeviceCatalog& catalog() const { return m_catalog; }
  const Setup& setup() const { return m_state.setup; }
  Experiment experiment() const { return toExperiment(setup()); }
  const QList<Problem>& problems() const { return m_problems; }
  QUndoStack* undoStack() { return &m_undoStack; }

  // Changes the set-up as one step of undo called `text`. Edits in a row with the same `field` (not
  // empty) become one step: a spin box that is held down.
  void edit(const QString& text, const QString& field, const std::function<void(Setup&)>& change);

  QString file() const { return m_state.file; }
  // From what its file has, or from what it began with.
  bool isModified() const;
  // Other experiments come in a step of undo, too: nothing that was not saved is ever lost.
  // Back to the ready experiment, with no file.
  void reset();
  // A beginning that belongs to no file; `text` names the step.
  void begin(const QString& text, const Experiment& experiment);
  // Throw convoy::Error; the document is then as it was.
  void open(const QString& file);
  void save(const QString& file);
  // What the last session left: without a way back.
  void restore(const Experiment& experiment, const QString& file, bool modified);

 signals:
  void changed();
  void fileChanged();

 private:
  struct State {
    Setup setup;
    QString file;
    std::optional<Setup> saved;  // what `file` has; none: not known, so that it counts as modified
  };
  friend class EditCommand;
  friend class ReplaceCommand;
  void setSetup(const Setup& setup);
  void setState(const State& state);
  void replace(const QString& text, const Setup& setup, const QString& file);

  DeviceCatalog m_catalog;
  State m_state;
  QList<Problem> m_problems;
  QUndoStack m_undoStack;
};

}  // namespace convoy::ui
