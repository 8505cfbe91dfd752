#include "ui/message_bar.h"

#include <QApplication>
#include <QClipboard>
#include <QHBoxLayout>
#include <QLabel>
#include <QPainter>
#include <QToolButton>
#include <algorithm>

#include "ui/icon.h"
#include "ui/theme/theme.h"

namespace convoy::ui {
namespace {

constexpr int kWidestAction = 240;

Ink inkOf(Severity severity) {
  switch (severity) {
    case Severity::kInfo:
      return Ink::Accent;
    case Severity::kWarning:
      return Ink::Warning;
    case Severity::kError:
      break;
  }
  return Ink::Error;
}

QString iconOf(Severity severity) {
  switch (severity) {
    case Severity::kInfo:
      return QStringLiteral("info");
    case Severity::kWarning:
      return QStringLiteral("warning");
    case Severity::kError:
      break;
  }
  return QStringLiteral("error");
}

QString nameOf(Severity severity) {
  switch (severity) {
    case Severity::kInfo:
      return MessageBar::tr("Note");
    case Severity::kWarning:
      return MessageBar::tr("Warning");
    case Severity::kError:
      break;
  }
  return MessageBar::tr("Error");
}

}  // namespace

// One message: icon, text, copy, dismiss, on a tint of its colour.
class MessageStrip : public QWidget {
 public:
  MessageStrip(Severity severity, const QString& text, const QList<MessageBar::Action>& actions,
               QWidget* parent)
      : QWidget(parent), m_severity(severity), m_text(text) {
    setAccessibleName(nameOf(severity) + QStringLiteral(": ") + text);
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(Space::kMedium, Space::kTight, Space::kSmall, Space::kTight);
    layout->setSpacing(Space::kSmall);
    auto* icon = new QLabel(this);
    icon->setPixmap(themedIcon(iconOf(severity), inkOf(severity)).pixmap(QSize(16, 16)));
    connect(&Theme::instance(), &Theme::changed, icon, [icon, severity] {
      icon->setPixmap(themedIcon(iconOf(severity), inkOf(severity)).pixmap(QSize(16, 16)));
    });
    auto* label = new QLabel(text, this);
    label->setObjectName(QStringLiteral("messageText"));
    label->setTextFormat(Qt::PlainText);
    label->setWordWrap(true);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    copy = button(QStringLiteral("copy"), MessageBar::tr("Copy this message"));
    close = button(QStringLiteral("close"), MessageBar::tr("Dismiss this message"));
    layout->addWidget(icon);
    layout->addWidget(label, 1);
    for (const MessageBar::Action& action : actions) {
      auto* act = new QToolButton(this);
      act->setObjectName(QStringLiteral("messageAction"));
      act->setText(act->fontMetrics().elidedText(action.text, Qt::ElideMiddle, kWidestAction));
      act->setToolTip(action.text);
      act->setAccessibleName(action.text);
      connect(act, &QToolButton::clicked, this, action.trigger);
      layout->addWidget(act);
      m_actions.append(act);
    }
    layout->addWidget(copy);
    layout->addWidget(close);
    connect(copy, &QToolButton::clicked, this,
            [this] { QApplication::clipboard()->setText(m_text); });
  }

  Severity severity() const { return m_severity; }
  const QString& text() const { return m_text; }
  // Hidden only: the click may have come from one of them.
  void withdrawActions() {
    for (QToolButton* action : std::as_const(m_actions)) action->hide();
  }

  QToolButton* copy;
  QToolButton* close;

 protected:
  void paintEvent(QPaintEvent*) override {
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QColor color = Theme::instance().color(inkOf(m_severity));
    QColor tint = color;
    tint.setAlphaF(0.12F);
    QColor edge = color;
    edge.setAlphaF(0.5F);
    painter.setPen(edge);
    painter.setBrush(tint);
    painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), Space::kTight,
                            Space::kTight);
  }

 private:
  QToolButton* button(const QString& icon, const QString& name) {
    auto* result = new QToolButton(this);
    result->setAutoRaise(true);
    result->setIcon(themedIcon(icon));
    result->setToolTip(name);
    result->setAccessibleName(name);
    return result;
  }

  Severity m_severity;
  QString m_text;
  QList<QToolButton*> m_actions;
};

MessageBar::MessageBar(QWidget* parent) : QWidget(parent), m_layout(new QVBoxLayout(this)) {
  setAccessibleName(tr("Messages"));
  m_layout->setContentsMargins(Space::kLarge, Space::kSmall, Space::kLarge, Space::kSmall);
  m_layout->setSpacing(Space::kTight);
  hide();
}

void MessageBar::remove(const QString& text) {
  for (MessageStrip* strip : std::as_const(m_strips)) {
    if (strip->text() != text) continue;
    m_strips.removeOne(strip);
    strip->hide();
    strip->deleteLater();  // the click that removes it may have come from its own button
    break;
  }
  setVisible(!m_strips.isEmpty());
}

void MessageBar::withdraw(const QString& text) {
  for (MessageStrip* strip : std::as_const(m_strips))
    if (strip->text() == text) strip->withdrawActions();
}

void MessageBar::add(Severity severity, const QString& text, const QList<Action>& actions) {
  remove(text);
  auto* strip = new MessageStrip(severity, text, actions, this);
  connect(strip->close, &QToolButton::clicked, this, [this, strip] {
    m_strips.removeOne(strip);
    strip->hide();
    strip->deleteLater();
    setVisible(!m_strips.isEmpty());
  });
  m_strips.prepend(strip);
  m_layout->insertWidget(0, strip);
  while (m_strips.size() > kMaxShown) {
    const auto least = std::min_element(
        m_strips.rbegin(), m_strips.rend(),
        [](const auto* a, const auto* b) { return a->severity() < b->severity(); });
    MessageStrip* gone = *least;
    m_strips.removeOne(gone);
    gone->hide();
    gone->deleteLater();  // a click in it may have brought the new message
  }
  setVisible(true);
}

void MessageBar::clear() {
  qDeleteAll(m_strips);
  m_strips.clear();
  hide();
}

QStringList MessageBar::texts() const {
  QStringList result;
  for (const MessageStrip* strip : m_strips) result.append(strip->text());
  return result;
}

}  // namespace convoy::ui
