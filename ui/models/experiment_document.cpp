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

ExperimentDocument::ExperimentDocument(DeviceCatalog catalog, QObject* parent)
    : QObject(parent), m_catalog(std::move(catalog)), m_setup(defaultSetup(m_catalog)) {
  m_problems = findProblems(m_setup, m_catalog);
  connect(&m_undoStack, &QUndoStack::cleanChanged, this, &ExperimentDocument::fileChanged);
}

void ExperimentDocument::edit(const QString& text, const QString& field,
                              const std::function<void(Setup&)>& change) {
  Setup after = m_setup;
  change(after);
  if (!sameSetup(after, m_setup)) m_undoStack.push(new EditCommand(this, text, field, after));
}

void ExperimentDocument::setSetup(const Setup& setup) {
  m_setup = setup;
  m_problems = findProblems(m_setup, m_catalog);
  emit changed();
}

void ExperimentDocument::replace(const Setup& setup, const QString& file) {
  m_file = file;
  m_undoStack.clear();
  setSetup(setup);
  emit fileChanged();
}

void ExperimentDocument::reset() {
  replace(defaultSetup(m_catalog), {});
}

void ExperimentDocument::open(const QString& file) {
  const Experiment experiment = read_experiment(file.toStdString());
  replace(fromExperiment(experiment, m_catalog), QFileInfo(file).absoluteFilePath());
}

void ExperimentDocument::save(const QString& file) {
  write_file_atomically(file.toStdString(), experiment_json(experiment()));
  m_file = QFileInfo(file).absoluteFilePath();
  m_undoStack.setClean();
  emit fileChanged();
}

void ExperimentDocument::restore(const Experiment& experiment, const QString& file, bool modified) {
  replace(fromExperiment(experiment, m_catalog), file);
  if (modified) m_undoStack.resetClean();
  emit fileChanged();
}

}  // namespace convoy::ui
