#include "ui/theme/theme.h"

#include <QApplication>
#include <QEvent>
#include <QFontDatabase>
#include <QFontInfo>
#include <QPainter>
#include <QProxyStyle>
#include <QStyleFactory>
#include <QStyleOption>
#include <algorithm>
#include <array>
#include <cmath>

namespace convoy::ui {
namespace {

struct Pair {
  const char* light;
  const char* dark;
};

constexpr std::array<Pair, size_t(Ink::Count)> kInks = {{
    {"#F4F5F7", "#15171B"},  // Window
    {"#FFFFFF", "#1D2025"},  // Card
    {"#DCE0E5", "#343940"},  // Border
    {"#868E99", "#6A727D"},  // Outline
    {"#EAEDF0", "#2A2E34"},  // Grid
    {"#1B1F24", "#E6E8EB"},  // Text
    {"#59626E", "#A3ABB5"},  // MutedText
    {"#0B63CE", "#7AB8FF"},  // Accent
    {"#0072B2", "#3E9BDC"},  // Compute
    {"#D07A00", "#F2A93B"},  // Send
    {"#8C4A00", "#C96A2B"},  // Receive
    {"#8A93A0", "#6F7884"},  // Wait
    {"#0072B2", "#3E9BDC"},  // Convolution
    {"#D07A00", "#F2A93B"},  // Communication
    {"#8A93A0", "#7A8490"},  // Rest
    {"#0072B2", "#3E9BDC"},  // Speedup
    {"#BC4A10", "#F0824A"},  // Loss
    {"#0072B2", "#3E9BDC"},  // Accuracy
    {"#59626E", "#A3ABB5"},  // Baseline
    {"#00785A", "#34C197"},  // Limit
    {"#9A3D74", "#E58BBB"},  // Prediction
    {"#D07A00", "#F2A93B"},  // MethodPaper
    {"#0072B2", "#3E9BDC"},  // MethodBest
    {"#5B2A86", "#C05A94"},  // MethodOwn
    {"#00785A", "#34C197"},  // Good
    {"#8A5A00", "#F2B84B"},  // Warning
    {"#B3261E", "#FF8A80"},  // Error
}};

constexpr std::array<Pair, 8> kDevices = {{
    {"#0072B2", "#3E9BDC"},
    {"#E07000", "#F2A93B"},
    {"#0AA878", "#4BE0B0"},
    {"#7F3071", "#E0709F"},
    {"#5B6472", "#9A6CF0"},
    {"#5B93E0", "#C3D3E6"},
    {"#8A2A0A", "#C86430"},
    {"#6E6A00", "#8A9568"},
}};

// Colour names keep the header free of data; a pair holds both schemes so that neither is
// forgotten.
QColor pick(const Pair& pair, bool dark) {
  return QColor(dark ? pair.dark : pair.light);
}

double luminance(const QColor& color) {
  const auto linear = [](double c) {
    return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
  };
  return 0.2126 * linear(color.redF()) + 0.7152 * linear(color.greenF()) +
         0.0722 * linear(color.blueF());
}

// A desktop's own font is the user's choice and stays. With none, fontconfig falls back to DejaVu,
// which is wide; these are calmer, and their figures have one width, so that numbers do not jump.
QString preferredFamily() {
  const QString system = QFontInfo(QFontDatabase::systemFont(QFontDatabase::GeneralFont)).family();
  if (!system.startsWith("DejaVu") && !system.startsWith("Bitstream")) return system;
  const QStringList installed = QFontDatabase::families();
  for (const char* family : {"Open Sans", "Noto Sans", "Roboto"})
    if (installed.contains(family)) return family;
  return system;
}

// Fusion without the pictures that it puts on the buttons of dialogs, and with outlines of fields
// that can be seen: its own are a darker window, which is no colour in the dark.
class PlainFusion : public QProxyStyle {
 public:
  PlainFusion() : QProxyStyle(QStyleFactory::create("Fusion")) {}
  int styleHint(StyleHint hint, const QStyleOption* option, const QWidget* widget,
                QStyleHintReturn* result) const override {
    if (hint == SH_DialogButtonBox_ButtonsHaveIcons) return 0;
    return QProxyStyle::styleHint(hint, option, widget, result);
  }
  void drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* painter,
                     const QWidget* widget) const override {
    const auto* frame = qstyleoption_cast<const QStyleOptionFrame*>(option);
    if (frame && element == PE_FrameLineEdit)
      return QProxyStyle::drawPrimitive(element, &outlined(QStyleOptionFrame(*frame)), painter,
                                        widget);
    if (frame && element == PE_Frame) {
      QProxyStyle::drawPrimitive(element, &outlined(QStyleOptionFrame(*frame), kFrameDarker),
                                 painter, widget);
      // Fusion's frames of lists and texts do not show who has the focus.
      if ((frame->state & State_HasFocus) && frame->lineWidth > 0) {
        painter->setPen(Theme::instance().color(Ink::Accent));
        painter->drawRect(frame->rect.adjusted(0, 0, -1, -1));
      }
      return;
    }
    QProxyStyle::drawPrimitive(element, option, painter, widget);
  }
  void drawComplexControl(ComplexControl control, const QStyleOptionComplex* option,
                          QPainter* painter, const QWidget* widget) const override {
    if (const auto* spin = qstyleoption_cast<const QStyleOptionSpinBox*>(option))
      return QProxyStyle::drawComplexControl(control, &outlined(QStyleOptionSpinBox(*spin)),
                                             painter, widget);
    if (const auto* combo = qstyleoption_cast<const QStyleOptionComboBox*>(option))
      return QProxyStyle::drawComplexControl(control, &outlined(QStyleOptionComboBox(*combo)),
                                             painter, widget);
    QProxyStyle::drawComplexControl(control, option, painter, widget);
  }

 private:
  // Fusion draws outlines in the window's colour, darker by these factors (in per cent).
  static constexpr int kDarker = 140, kFrameDarker = 140 * 100 / 108;
  template <class Option>
  static const Option& outlined(Option&& option, int darker = kDarker) {
    const QColor outline = Theme::instance().color(Ink::Outline);
    option.palette.setColor(QPalette::Window, outline.lighter(darker));
    return option;
  }
};

}  // namespace

Theme& Theme::instance() {
  static Theme theme;
  return theme;
}

void Theme::apply(Scheme scheme) {
  m_scheme = scheme;
  if (!m_applied) {
    m_applied = true;
    QApplication::setStyle(new PlainFusion);
    QFont font(preferredFamily());
    font.setPointSizeF(std::max(9.0, QApplication::font().pointSizeF()));
    QApplication::setFont(font);
    qApp->installEventFilter(this);
  }
  use(scheme == Scheme::Dark || (scheme == Scheme::System && platformIsDark()));
}

void Theme::use(bool dark) {
  m_dark = dark;
  m_asking = true;
  QApplication::setPalette(palette(dark));
  m_asking = false;
  emit changed();
}

// Qt 6.4 has no colour scheme to ask for. The platform's own palette, which the application has
// again once ours is taken off, tells: its text is lighter than its window in the dark.
bool Theme::platformIsDark() {
  m_asking = true;
  QApplication::setPalette(QPalette());
  m_asking = false;
  const QPalette platform = QApplication::palette();
  return platform.color(QPalette::WindowText).lightness() >
         platform.color(QPalette::Window).lightness();
}

bool Theme::eventFilter(QObject* watched, QEvent* event) {
  const bool platformChanged =
      event->type() == QEvent::ThemeChange ||
      (event->type() == QEvent::ApplicationPaletteChange && watched == qApp);
  if (platformChanged && !m_asking && m_scheme == Scheme::System) {
    const bool was = m_dark;
    const bool is = platformIsDark();
    if (is != was)
      use(is);
    else {
      m_asking = true;
      QApplication::setPalette(palette(is));
      m_asking = false;
    }
  }
  return QObject::eventFilter(watched, event);
}

QFont Theme::font(TextStyle style) const {
  QFont font = QApplication::font();
  const double size = font.pointSizeF();
  switch (style) {
    case TextStyle::Body:
      break;
    case TextStyle::Small:
      font.setPointSizeF(size * 0.9);
      break;
    case TextStyle::Title:
      font.setWeight(QFont::DemiBold);
      break;
    case TextStyle::Heading:
      font.setPointSizeF(size * 1.3);
      font.setWeight(QFont::DemiBold);
      break;
    case TextStyle::Figure:
      font.setPointSizeF(size * 1.85);
      font.setWeight(QFont::DemiBold);
      break;
  }
  return font;
}

QColor Theme::color(Ink ink, bool dark) {
  return pick(kInks[size_t(ink)], dark);
}

DeviceStyle Theme::device(int index, bool dark) {
  static constexpr const char* kGlyphs[] = {"●", "■", "▲", "◆", "▼", "★", "⬟", "✚"};
  static const QList<qreal> kDashes[] = {
      {}, {6, 3}, {2, 2}, {8, 3, 2, 3}, {10, 4}, {1, 3}, {4, 2, 1, 2, 1, 2}, {12, 3, 4, 3}};
  const size_t place = size_t(std::max(index, 0));
  const size_t count = kDevices.size();
  // Past the eighth the colours come round again with the dashes moved on, so a pair stays unique.
  const size_t dash = (place + place / count) % count;
  return {pick(kDevices[place % count], dark), Marker(place % count), kDashes[dash],
          QString::fromUtf8(kGlyphs[place % count])};
}

QPalette Theme::palette(bool dark) {
  const auto ink = [dark](Ink i) { return color(i, dark); };
  QPalette p;
  p.setColor(QPalette::Window, ink(Ink::Window));
  p.setColor(QPalette::WindowText, ink(Ink::Text));
  p.setColor(QPalette::Base, ink(Ink::Card));
  p.setColor(QPalette::AlternateBase, dark ? QColor("#22262C") : QColor("#F8F9FA"));
  p.setColor(QPalette::Text, ink(Ink::Text));
  p.setColor(QPalette::PlaceholderText, ink(Ink::MutedText));
  p.setColor(QPalette::Button, dark ? QColor("#2A2E35") : QColor("#F0F2F4"));
  p.setColor(QPalette::ButtonText, ink(Ink::Text));
  p.setColor(QPalette::BrightText, Qt::white);
  p.setColor(QPalette::ToolTipBase, dark ? QColor("#2F343B") : QColor("#FFFFFF"));
  p.setColor(QPalette::ToolTipText, ink(Ink::Text));
  p.setColor(QPalette::Highlight, dark ? QColor("#2B6CC9") : QColor("#0B63CE"));
  p.setColor(QPalette::HighlightedText, Qt::white);
  p.setColor(QPalette::Link, ink(Ink::Accent));
  p.setColor(QPalette::LinkVisited, ink(Ink::Prediction));
  // Fusion derives its outlines from these.
  p.setColor(QPalette::Light, dark ? QColor("#3A3F47") : QColor("#FFFFFF"));
  p.setColor(QPalette::Midlight, dark ? QColor("#30353C") : QColor("#F0F2F4"));
  p.setColor(QPalette::Mid, dark ? QColor("#24282D") : QColor("#C4CAD1"));
  p.setColor(QPalette::Dark, dark ? QColor("#101216") : QColor("#A4ACB6"));
  p.setColor(QPalette::Shadow, dark ? QColor("#08090B") : QColor("#6D7681"));
  // A run disables its whole set-up, and who watches it wants to read that.
  const QColor disabled = dark ? QColor("#858D98") : QColor("#66707B");
  for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
    p.setColor(QPalette::Disabled, role, disabled);
  p.setColor(QPalette::Disabled, QPalette::Highlight, ink(Ink::Border));
  p.setColor(QPalette::Disabled, QPalette::HighlightedText, disabled);
  return p;
}

QColor Theme::veil(bool dark) {
  QColor veil = color(Ink::Card, dark);
  veil.setAlphaF(0.9F);
  return veil;
}

double Theme::contrast(const QColor& a, const QColor& b) {
  const double first = luminance(a);
  const double second = luminance(b);
  return (std::max(first, second) + 0.05) / (std::min(first, second) + 0.05);
}

}  // namespace convoy::ui
