// Messages above the page, newest first, that wait to be read and never stand in the way.
#pragma once

#include <QFrame>
#include <QList>
#include <functional>

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

  // What can be done about it, as a button at its end; a long text is cut short there.
  struct Action {
    QString text;
    std::function<void()> trigger;
  };

  // The same text again only moves to the top, and takes the actions that come with it.
  void add(Severity severity, const QString& text) { add(severity, text, {}); }
  void add(Severity severity, const QString& text, const QList<Action>& actions);
  void remove(const QString& text);
  // Nothing can be done about it any more: the message stays, its actions go.
  void withdraw(const QString& text);
  void clear();
  QStringList texts() const;

 private:
  QVBoxLayout* m_layout;
  QList<class MessageStrip*> m_strips;
};

}  // namespace convoy::ui
