// One number of the run, large, with its name above and what it means below.
#pragma once

#include <QWidget>
#include <optional>

#include "ui/theme/theme.h"

namespace convoy::ui {

// A slowdown is a speedup, too, but nobody should take it for one.
Ink inkOfSpeedup(std::optional<double> speedup);

class Tile : public QWidget {
  Q_OBJECT

 public:
  explicit Tile(const QString& name, QWidget* parent = nullptr);

  // `brief` is what is left of the note where there is no room for it.
  void setValue(const QString& value, const QString& unit = {}, const QString& note = {},
                const QString& brief = {});
  void setName(const QString& name, const QString& brief = {});
  void setInk(Ink ink);  // of the value
  const QString& value() const { return m_value; }
  const QString& note() const { return m_note; }
  const QString& name() const { return m_name; }
  QString shownNote() const { return shown(m_note, m_brief); }  // in the room that there is

  QSize minimumSizeHint() const override;
  QSize sizeHint() const override { return minimumSizeHint(); }

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  void describe();
  QString shown(const QString& text, const QString& brief) const;
  qreal pad() const;
  qreal innerWidth() const;

  QString m_name, m_briefName, m_value, m_unit, m_note, m_brief;
  Ink m_ink = Ink::Text;
};

}  // namespace convoy::ui
