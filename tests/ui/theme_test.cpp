// Can everybody read it: contrast of text and marks, colours apart for colour-blind people.
#include "ui/theme/theme.h"

#include <QApplication>
#include <QComboBox>
#include <QImage>
#include <QLineEdit>
#include <QPainter>
#include <QPlainTextEdit>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTest>
#include <algorithm>
#include <array>
#include <cmath>

using namespace convoy::ui;

namespace {

using Vector = std::array<double, 3>;
using Matrix = std::array<Vector, 3>;

// Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision
// Deficiency" (2009), severity 1, on linear RGB.
constexpr Matrix kVisions[] = {{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}},
                               {{{0.152286, 1.052583, -0.204868},
                                 {0.114503, 0.786281, 0.099216},
                                 {-0.003882, -0.048116, 1.051998}}},
                               {{{0.367322, 0.860646, -0.227968},
                                 {0.280085, 0.672501, 0.047413},
                                 {-0.011820, 0.042940, 0.968881}}},
                               {{{1.255528, -0.076749, -0.178779},
                                 {-0.078411, 0.930809, 0.147602},
                                 {0.004733, 0.691367, 0.303900}}}};

Vector times(const Matrix& matrix, const Vector& v) {
  Vector out{};
  for (size_t i = 0; i < 3; ++i)
    for (size_t j = 0; j < 3; ++j) out[i] += matrix[i][j] * v[j];
  return out;
}

Vector linear(const QColor& color) {
  const auto channel = [](double c) {
    return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
  };
  return {channel(color.redF()), channel(color.greenF()), channel(color.blueF())};
}

// Oklab (Ottosson 2020), in which distance follows what people see.
Vector oklab(Vector rgb) {
  for (double& c : rgb) c = std::clamp(c, 0.0, 1.0);
  Vector lms = times({{{0.4122214708, 0.5363325363, 0.0514459929},
                       {0.2119034982, 0.6806995451, 0.1073969566},
                       {0.0883024619, 0.2817188376, 0.6299787005}}},
                     rgb);
  for (double& c : lms) c = std::cbrt(c);
  return times({{{0.2104542553, 0.7936177850, -0.0040720468},
                 {1.9779984951, -2.4285922050, 0.4505937099},
                 {0.0259040371, 0.7827717662, -0.8086757660}}},
               lms);
}

// The smallest distance over all kinds of vision; 0.02 is about what one can just tell apart.
double distance(const QColor& a, const QColor& b) {
  double least = 10.0;
  for (const Matrix& vision : kVisions) {
    const Vector first = oklab(times(vision, linear(a)));
    const Vector second = oklab(times(vision, linear(b)));
    least = std::min(least,
                     std::hypot(first[0] - second[0], first[1] - second[1], first[2] - second[2]));
  }
  return least;
}

}  // namespace

class ThemeTest : public QObject {
  Q_OBJECT

 private slots:
  void contrastFollowsItsDefinition() {
    QCOMPARE(Theme::contrast(Qt::black, Qt::white), 21.0);
    QCOMPARE(Theme::contrast(Qt::white, Qt::black), 21.0);
    QCOMPARE(Theme::contrast(Qt::red, Qt::red), 1.0);
    // WebAIM's example: #777777 on white just misses 4.5.
    QVERIFY(std::abs(Theme::contrast(QColor("#777777"), Qt::white) - 4.48) < 0.005);
  }

  void textIsReadable_data() {
    QTest::addColumn<bool>("dark");
    QTest::newRow("light") << false;
    QTest::newRow("dark") << true;
  }
  void textIsReadable() {
    QFETCH(bool, dark);
    for (const Ink text :
         {Ink::Text, Ink::MutedText, Ink::Accent, Ink::Good, Ink::Warning, Ink::Error,
          Ink::Baseline, Ink::Limit, Ink::Prediction, Ink::Speedup, Ink::Loss, Ink::Accuracy})
      for (const Ink ground : {Ink::Window, Ink::Card})
        QVERIFY2(Theme::contrast(Theme::color(text, dark), Theme::color(ground, dark)) >= 4.5,
                 qPrintable(QStringLiteral("ink %1 on %2: %3")
                                .arg(int(text))
                                .arg(int(ground))
                                .arg(Theme::contrast(Theme::color(text, dark),
                                                     Theme::color(ground, dark)))));
    const QPalette palette = Theme::palette(dark);
    const std::pair<QPalette::ColorRole, QPalette::ColorRole> pairs[] = {
        {QPalette::WindowText, QPalette::Window},
        {QPalette::Text, QPalette::Base},
        {QPalette::Text, QPalette::AlternateBase},
        {QPalette::PlaceholderText, QPalette::Base},
        {QPalette::ButtonText, QPalette::Button},
        {QPalette::HighlightedText, QPalette::Highlight},
        {QPalette::ToolTipText, QPalette::ToolTipBase},
        {QPalette::Link, QPalette::Base},
        {QPalette::LinkVisited, QPalette::Base}};
    for (const auto& [text, ground] : pairs)
      QVERIFY2(Theme::contrast(palette.color(text), palette.color(ground)) >= 4.5,
               qPrintable(QStringLiteral("roles %1 on %2").arg(text).arg(ground)));
  }

  // A run disables its whole set-up, which is what a person wants to read then.
  void disabledTextIsReadable_data() { textIsReadable_data(); }
  void disabledTextIsReadable() {
    QFETCH(bool, dark);
    const QPalette palette = Theme::palette(dark);
    for (const auto& [text, ground] : {std::pair{QPalette::WindowText, QPalette::Window},
                                       std::pair{QPalette::Text, QPalette::Base}}) {
      const QColor color = palette.color(QPalette::Disabled, text);
      QVERIFY(Theme::contrast(color, palette.color(ground)) >= 4.5);
      // And yet it is not taken for what can be edited.
      QVERIFY(Theme::contrast(palette.color(text), color) >= 2.0);
    }
  }

  void namesOnAreasAreReadable_data() { textIsReadable_data(); }
  void namesOnAreasAreReadable() {
    QFETCH(bool, dark);
    for (const Ink ground :
         {Ink::Convolution, Ink::Communication, Ink::Rest, Ink::Speedup, Ink::Loss}) {
      QImage area(1, 1, QImage::Format_RGB32);
      area.fill(Theme::color(ground, dark));
      QPainter(&area).fillRect(area.rect(), Theme::veil(dark));
      for (const Ink text : {Ink::Baseline, Ink::Limit, Ink::Prediction, Ink::MutedText})
        QVERIFY2(Theme::contrast(Theme::color(text, dark), area.pixelColor(0, 0)) >= 4.5,
                 qPrintable(QStringLiteral("ink %1 on %2").arg(int(text)).arg(int(ground))));
    }
  }

  // Where to type shows (WCAG 2.1, 1.4.11), in the dark as well.
  void fieldsHaveAnOutline_data() { textIsReadable_data(); }
  void fieldsHaveAnOutline() {
    QFETCH(bool, dark);
    Theme::instance().apply(dark ? Scheme::Dark : Scheme::Light);
    QLineEdit line;
    QSpinBox spin;
    QComboBox combo;
    QPlainTextEdit text;
    for (QWidget* field : std::initializer_list<QWidget*>{&line, &spin, &combo, &text}) {
      field->resize(120, 30);
      const QImage image = field->grab().toImage();
      double most = 0.0;  // down the middle of the upper edge
      for (int y = 0; y < 4; ++y) {
        const QColor pixel = image.pixelColor(image.width() / 2, y);
        most = std::max(most, std::min(Theme::contrast(pixel, Theme::color(Ink::Window, dark)),
                                       Theme::contrast(pixel, Theme::color(Ink::Card, dark))));
      }
      QVERIFY2(most >= 2.9, qPrintable(QStringLiteral("%1: %2")
                                           .arg(QLatin1String(field->metaObject()->className()))
                                           .arg(most)));
    }
    // A text of several lines shows that it has the focus, as a line does.
    text.show();
    text.activateWindow();
    text.setFocus();
    QTRY_VERIFY(text.hasFocus());
    const QImage image = text.grab().toImage();
    bool accented = false;
    for (int y = 0; y < 4; ++y)
      accented |= image.pixelColor(image.width() / 2, y) == Theme::color(Ink::Accent, dark);
    QVERIFY(accented);
    Theme::instance().apply(Scheme::Light);
  }

  void marksStandOut_data() { textIsReadable_data(); }
  void marksStandOut() {
    QFETCH(bool, dark);
    const QColor card = Theme::color(Ink::Card, dark);
    for (const Ink ink :
         {Ink::Compute, Ink::Send, Ink::Receive, Ink::Wait, Ink::Convolution, Ink::Communication,
          Ink::Rest, Ink::MethodPaper, Ink::MethodBest, Ink::MethodOwn})
      QVERIFY2(Theme::contrast(Theme::color(ink, dark), card) >= 3.0,
               qPrintable(QString::number(int(ink))));
    for (int device = 0; device < 8; ++device)
      QVERIFY2(Theme::contrast(Theme::device(device, dark).color, card) >= 3.0,
               qPrintable(QString::number(device)));
  }

  void colourBlindPeopleTellThemApart_data() { textIsReadable_data(); }
  void colourBlindPeopleTellThemApart() {
    QFETCH(bool, dark);
    const QList<QList<Ink>> together = {{Ink::Compute, Ink::Send, Ink::Receive, Ink::Wait},
                                        {Ink::Convolution, Ink::Communication, Ink::Rest},
                                        {Ink::MethodPaper, Ink::MethodBest, Ink::MethodOwn},
                                        {Ink::Loss, Ink::Accuracy}};
    for (const QList<Ink>& inks : together)
      for (const Ink a : inks)
        for (const Ink b : inks)
          if (a != b) {
            const double apart = distance(Theme::color(a, dark), Theme::color(b, dark));
            QVERIFY2(
                apart >= 0.09,
                qPrintable(QStringLiteral("%1 and %2: %3").arg(int(a)).arg(int(b)).arg(apart)));
          }
    for (int a = 0; a < 5; ++a)
      for (int b = 0; b < a; ++b)
        QVERIFY(distance(Theme::device(a, dark).color, Theme::device(b, dark).color) >= 0.05);
  }

  void devicesHaveASecondCue() {
    for (int a = 0; a < 24; ++a)
      for (int b = 0; b < a; ++b) {
        const DeviceStyle first = Theme::device(a, false), second = Theme::device(b, false);
        QVERIFY2(first.marker != second.marker || first.dash != second.dash,
                 qPrintable(QStringLiteral("devices %1 and %2").arg(a).arg(b)));
        if (a < 8) {
          QVERIFY(first.marker != second.marker);
          QVERIFY(first.dash != second.dash);
          QVERIFY(first.glyph != second.glyph);
        }
      }
  }

  void switchesLive() {
    Theme& theme = Theme::instance();
    QSignalSpy changed(&theme, &Theme::changed);
    theme.apply(Scheme::Dark);
    QVERIFY(theme.isDark());
    QCOMPARE(QApplication::palette().color(QPalette::Window), Theme::color(Ink::Window, true));
    theme.apply(Scheme::Light);
    QVERIFY(!theme.isDark());
    QCOMPARE(QApplication::palette().color(QPalette::Window), Theme::color(Ink::Window, false));
    QCOMPARE(changed.count(), 2);
    theme.apply(Scheme::System);  // the offscreen platform is light
    QVERIFY(!theme.isDark());
    QCOMPARE(theme.scheme(), Scheme::System);
  }
};

QTEST_MAIN(ThemeTest)
#include "theme_test.moc"
