#include "ui/setup/field_note.h"

#include <QHBoxLayout>
#include <algorithm>

#include "ui/icon.h"
#include "ui/theme/theme.h"

namespace convoy::ui {

FieldNote::FieldNote(const QString& path, QWidget* parent)
    : QWidget(parent), m_path(path), m_icon(new QLabel(this)), m_text(new QLabel(this)) {
  auto* layout = new QHBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(Space::kTight);
  layout->addWidget(m_icon, 0, Qt::AlignTop);
  layout->addWidget(m_text, 1);
  m_text->setWordWrap(true);
  m_text->setTextFormat(Qt::PlainText);
  m_text->setTextInteractionFlags(Qt::TextSelectableByMouse);
  connect(&Theme::instance(), &Theme::changed, this, &FieldNote::restyle);
  hide();
}

void FieldNote::take(QList<Problem>& problems) {
  QStringList texts;
  m_severity = Severity::kInfo;
  for (auto it = problems.begin(); it != problems.end();) {
    if (it->path != m_path && !it->path.startsWith(m_path + '/')) {
      ++it;
      continue;
    }
    if (!texts.contains(it->text)) texts.append(it->text);
    m_severity = std::max(m_severity, it->severity);
    it = problems.erase(it);
  }
  m_text->setText(texts.join('\n'));
  setAccessibleName(m_text->text());
  restyle();
  setVisible(!texts.isEmpty());
}

void FieldNote::restyle() {
  const bool bad = m_severity == Severity::kError;
  const Ink ink = bad ? Ink::Error : m_severity == Severity::kWarning ? Ink::Warning : Ink::Accent;
  const QString icon = bad                                ? QStringLiteral("error")
                       : m_severity == Severity::kWarning ? QStringLiteral("warning")
                                                          : QStringLiteral("info");
  QPalette palette;
  palette.setColor(QPalette::WindowText, Theme::instance().color(ink));
  m_text->setPalette(palette);
  m_text->setFont(Theme::instance().font(TextStyle::Small));
  m_icon->setPixmap(themedIcon(icon, ink).pixmap(QSize(14, 14)));
}

}  // namespace convoy::ui
