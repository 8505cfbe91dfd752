#include "ui/setup/setup_panel.h"

#include <QScopedValueRollback>

namespace convoy::ui {

SetupPanel::SetupPanel(ExperimentDocument* document, QWidget* parent)
    : QWidget(parent), m_document(document) {}

void SetupPanel::refresh() {
  const QScopedValueRollback guard(m_refreshing, true);
  showSetup(m_document->setup());
}

void SetupPanel::takeProblems(QList<Problem>& problems) {
  for (FieldNote* fieldNote : std::as_const(m_notes)) fieldNote->take(problems);
}

void SetupPanel::edit(const QString& text, const QString& field,
                      const std::function<void(Setup&)>& change) {
  if (!m_refreshing) m_document->edit(text, field, change);
}

FieldNote* SetupPanel::note(const QString& path) {
  auto* fieldNote = new FieldNote(path, this);
  m_notes.append(fieldNote);
  return fieldNote;
}

}  // namespace convoy::ui
