#include "ui/setup/note_edit.h"

#include <QSignalBlocker>
#include <QtMath>
#include <algorithm>

#include "ui/theme/theme.h"

namespace convoy::ui {
namespace {

constexpr int kMaxLines = 6;

}  // namespace

NoteEdit::NoteEdit(QWidget* parent) : QPlainTextEdit(parent) {
  setObjectName(QStringLiteral("experimentNote"));
  setAccessibleName(tr("Note on the experiment"));
  setPlaceholderText(tr("Note: what is measured, what is assumed"));
  setTabChangesFocus(true);
  setUndoRedoEnabled(false);  // the experiment's undo has it
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  connect(this, &QPlainTextEdit::textChanged, this, [this] {
    fit();
    emit edited(toPlainText());
  });
  connect(&Theme::instance(), &Theme::changed, this, &NoteEdit::restyle);
  restyle();
}

void NoteEdit::restyle() {
  setFont(Theme::instance().font(TextStyle::Small));
  fit();
}

void NoteEdit::setNote(const QString& note) {
  if (note == toPlainText()) return;
  const QSignalBlocker quiet(this);
  setPlainText(note);
  fit();
}

// A bar that comes and goes would change the lines that it is needed for.
void NoteEdit::fit() {
  const bool all = document()->size().height() <= kMaxLines;
  setVerticalScrollBarPolicy(all ? Qt::ScrollBarAlwaysOff : Qt::ScrollBarAlwaysOn);
  updateGeometry();
}

QSize NoteEdit::sizeHint() const {
  // Of a plain text document the height is counted in lines.
  const int lines = std::clamp(qCeil(document()->size().height()), 1, kMaxLines);
  const int frame = 2 * frameWidth() + 2 * qCeil(document()->documentMargin());
  return {160, lines * fontMetrics().lineSpacing() + frame};
}

void NoteEdit::resizeEvent(QResizeEvent* event) {
  QPlainTextEdit::resizeEvent(event);
  if (event->size().width() != event->oldSize().width()) fit();
}

}  // namespace convoy::ui
