#include "ui/models/experiment_document.h"

#include <QFileInfo>
#include <QUndoCommand>

#include "engine/base/atomic_file.h"

namespace convoy::ui {

class EditCommand : public QUndoCommand {
 public:
  EditCommand(ExperimentDocument* document, const QString& text, const QString& field,
              const Setup& after)
      : QUndoCommand(text),
        m_document(document),
        m_field(field),
        m_before(document->setup()),
        m_after(after) {}

  void undo() override { m_document->setSetup(m_before); }
  void redo() override { m_document->setSetup(m_after); }
  int id() const override { return m_field.isEmpty() ? -1 : 1; }
  bool mergeWith(const QUndoCommand* other) override {
    const auto* next = static_cast<const EditCommand*>(other);
    if (next->m_field != m_field) return false;
    m_after = next->m_after;
    setObsolete(sameSetup(m_before, m_after));
    return true;
  }

 private:
  ExperimentDocument* m_document;
  QString m_field;
  Setup m_before, m_after;
};

// Another experiment, with its file.
class ReplaceCommand : public QUndoCommand {
 public:
  ReplaceCommand(ExperimentDocument* document, const QString& text,
                 const ExperimentDocument::State& after)
      : QUndoCommand(text), m_document(document), m_before(document->m_state), m_after(after) {}

  void undo() override { m_document->setState(m_before); }
  void redo() override { m_document->setState(m_after); }

 private:
  ExperimentDocument* m_document;
  ExperimentDocument::State m_before, m_after;
};

ExperimentDocument::ExperimentDocument(DeviceCatalog catalog, QObject* parent)
    : QObject(parent), m_catalog(std::move(catalog)) {
  m_state.setup = defaultSetup(m_catalog);
  m_state.saved = m_state.setup;
  m_problems = findProblems(setup(), m_catalog);
}

// The stack tells that it is emptied, and who would hear it, the window around it, is half gone.
ExperimentDocument::~ExperimentDocument() {
  m_undoStack.blockSignals(true);
}

bool ExperimentDocument::isModified() const {
  return !m_state.saved || !sameSetup(*m_state.saved, setup());
}

void ExperimentDocument::edit(const QString& text, const QString& field,
                              const std::function<void(Setup&)>& change) {
  Setup after = setup();
  change(after);
  if (!sameSetup(after, setup())) m_undoStack.push(new EditCommand(this, text, field, after));
}

void ExperimentDocument::setSetup(const Setup& setup) {
  m_state.setup = setup;
  m_problems = findProblems(setup, m_catalog);
  emit changed();
}

void ExperimentDocument::setState(const State& state) {
  m_state = state;
  m_problems = findProblems(setup(), m_catalog);
  emit changed();
  emit fileChanged();
}

void ExperimentDocument::replace(const QString& text, const Setup& setup, const QString& file) {
  m_undoStack.push(new ReplaceCommand(this, text, {setup, file, setup}));
}

void ExperimentDocument::reset() {
  replace(tr("New"), defaultSetup(m_catalog), {});
}

void ExperimentDocument::begin(const QString& text, const Experiment& experiment) {
  replace(text, fromExperiment(experiment, m_catalog), {});
}

void ExperimentDocument::open(const QString& file) {
  const Experiment experiment = read_experiment(file.toStdString());
  const QFileInfo info(file);
  replace(tr("Open %1").arg(info.fileName()), fromExperiment(experiment, m_catalog),
          info.absoluteFilePath());
}

void ExperimentDocument::save(const QString& file) {
  write_file_atomically(file.toStdString(), experiment_json(experiment()));
  m_state.file = QFileInfo(file).absoluteFilePath();
  m_state.saved = setup();
  m_undoStack.setClean();  // so that no later edit joins one that was saved
  emit fileChanged();
}

void ExperimentDocument::restore(const Experiment& experiment, const QString& file, bool modified) {
  m_undoStack.clear();
  const Setup setup = fromExperiment(experiment, m_catalog);
  setState({setup, file, modified ? std::nullopt : std::optional(setup)});
}

}  // namespace convoy::ui
