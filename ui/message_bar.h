// Messages above the page, newest first, that wait to be read and never stand in the way.
#pragma once

#include <QFrame>
#include <QList>

#include "engine/results/run_events.h"

class QLabel;
class QToolButton;
class QVBoxLayout;

namespace convoy::ui {

class MessageBar : public QWidget {
  Q_OBJECT

 public:
  static constexpr int kMaxShown =
      3;  // the least severe and oldest go first; the run's store keeps all

  explicit MessageBar(QWidget* parent = nullptr);

  // The same text again only moves to the top.
  void add(Severity severity, const QString& text);
  void clear();
  QStringList texts() const;

 private:
  QVBoxLayout* m_layout;
  QList<class MessageStrip*> m_strips;
};

}  // namespace convoy::ui
