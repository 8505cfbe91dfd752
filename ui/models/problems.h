// What cannot work, or will surprise, said before Run.
#pragma once

#include <QList>
#include <QString>

#include "engine/results/run_events.h"
#include "ui/models/setup.h"

namespace convoy::ui {

// The message belongs next to the field that `path` names, in the spelling of the experiment file:
// "/training/batch_size".
struct Problem {
  QString path;
  Severity severity = Severity::kError;
  QString text;
};

QList<Problem> findProblems(const Setup& setup, const DeviceCatalog& catalog);
// The problem with the section of the dock that it is in, for places far from its field.
QString placedText(const Problem& problem);
bool canRun(const QList<Problem>& problems);

// An engine message as a problem: the path from "file: /training/batch_size", the text without it.
Problem problemFrom(const QString& where, const QString& text);

}  // namespace convoy::ui
