// The workbench's one look: colours with a meaning, a colour and a second cue for each device,
// fonts and spacing, in a light and a dark scheme that the whole program switches between live.
//
// Colours start from Okabe and Ito, "Color Universal Design" (2008), tuned per background so that
// every text reaches 4.5:1 and every mark 3:1 (WCAG 2.1, 1.4.3 and 1.4.11), and so that colours
// that meet in one chart stay apart under simulated protanopia, deuteranopia and tritanopia. GUI
// thread only.
#pragma once

#include <QColor>
#include <QFont>
#include <QList>
#include <QObject>
#include <QPalette>
#include <QString>

namespace convoy::ui {

enum class Scheme { System, Light, Dark };

enum class Ink {
  // surfaces and text
  Window,
  Card,
  Border,
  Outline,  // of a field to type in or choose from
  Grid,
  Text,
  MutedText,
  Accent,
  // what a device does
  Compute,
  Send,
  Receive,
  Wait,
  // what a step consists of
  Convolution,
  Communication,
  Rest,
  // what a run reaches
  Speedup,
  Loss,
  Accuracy,
  Baseline,
  Limit,
  Prediction,
  // how it is distributed
  MethodPaper,
  MethodBest,
  MethodOwn,
  // messages, as text on Card or Window
  Good,
  Warning,
  Error,
  Count
};

enum class Marker { Circle, Square, Triangle, Diamond, TriangleDown, Star, Pentagon, Cross };

// A device's colour everywhere, and the cues for those who cannot tell colours apart.
struct DeviceStyle {
  QColor color;
  Marker marker = Marker::Circle;
  QList<qreal> dash;  // in pen widths, as QPen::setDashPattern takes it; empty: solid
  QString glyph;      // the marker as a character, for tables and labels
};

enum class TextStyle { Body, Small, Title, Heading, Figure };

struct Space {  // device-independent pixels
  static constexpr int kTight = 4;
  static constexpr int kSmall = 8;
  static constexpr int kMedium = 12;
  static constexpr int kLarge = 16;
  static constexpr int kHuge = 24;
  static constexpr int kCornerRadius = 8;
};

class Theme : public QObject {
  Q_OBJECT

 public:
  static Theme& instance();

  // Sets Fusion, its palette and the application's font. System follows the platform, live.
  void apply(Scheme scheme);
  Scheme scheme() const { return m_scheme; }
  bool isDark() const { return m_dark; }

  QColor color(Ink ink) const { return color(ink, m_dark); }
  DeviceStyle device(int index) const { return device(index, m_dark); }
  QFont font(TextStyle style) const;

  static QColor color(Ink ink, bool dark);
  static DeviceStyle device(int index, bool dark);  // repeats with other dashes after 8
  static QPalette palette(bool dark);
  // Behind text that may lie on a chart's areas: lets a little of them through.
  static QColor veil(bool dark);
  // (L1 + 0.05) / (L2 + 0.05) of the relative luminances; 1 to 21.
  static double contrast(const QColor& a, const QColor& b);

 signals:
  void changed();

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  Theme() = default;
  void use(bool dark);
  bool platformIsDark();

  Scheme m_scheme = Scheme::System;
  bool m_dark = false;
  bool m_applied = false;
  bool m_asking = false;  // reading the platform's palette: do not answer its events
};

}  // namespace convoy::ui
