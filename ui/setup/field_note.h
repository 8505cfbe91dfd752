// What is wrong, or worth knowing, about the field above it. Takes no room when there is nothing.
#pragma once

#include <QLabel>
#include <QWidget>

#include "ui/models/problems.h"

namespace convoy::ui {

class FieldNote : public QWidget {
  Q_OBJECT

 public:
  // Shows the problems whose path is `path` or lies below it.
  explicit FieldNote(const QString& path, QWidget* parent = nullptr);

  const QString& path() const { return m_path; }
  // Takes what belongs here out of `problems`.
  void take(QList<Problem>& problems);
  QString text() const { return m_text->text(); }

 private:
  void restyle();

  QString m_path;
  Severity m_severity = Severity::kInfo;
  QLabel* m_icon;
  QLabel* m_text;
};

}  // namespace convoy::ui
