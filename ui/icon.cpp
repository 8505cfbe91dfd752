#include "ui/icon.h"

#include <QApplication>
#include <QFile>
#include <QIconEngine>
#include <QPainter>
#include <QSvgRenderer>

// Resources of a static library have to be asked for by name, outside any namespace.
static void loadIcons() {
  Q_INIT_RESOURCE(workbench);
}

namespace convoy::ui {
namespace {

class ThemedIconEngine : public QIconEngine {
 public:
  ThemedIconEngine(QByteArray svg, std::optional<Ink> ink) : m_svg(std::move(svg)), m_ink(ink) {}

  void paint(QPainter* painter, const QRect& rect, QIcon::Mode mode, QIcon::State) override {
    const bool disabled = mode == QIcon::Disabled;
    const QColor color =
        m_ink && !disabled
            ? Theme::instance().color(*m_ink)
            : QApplication::palette().color(
                  disabled ? QPalette::Disabled : QPalette::Active,
                  mode == QIcon::Selected ? QPalette::HighlightedText : QPalette::ButtonText);
    QByteArray svg = m_svg;
    svg.replace("currentColor", color.name().toLatin1());
    QSvgRenderer(svg).render(painter, rect);
  }
  QPixmap pixmap(const QSize& size, QIcon::Mode mode, QIcon::State state) override {
    QPixmap pixmap(size);
    pixmap.fill(Qt::transparent);
    QPainter painter(&pixmap);
    paint(&painter, QRect(QPoint(0, 0), size), mode, state);
    return pixmap;
  }
  QIconEngine* clone() const override { return new ThemedIconEngine(*this); }

 private:
  QByteArray m_svg;
  std::optional<Ink> m_ink;
};

}  // namespace

QIcon applicationIcon() {
  loadIcons();
  return QIcon(QStringLiteral(":/icons/convoy.svg"));
}

QIcon themedIcon(const QString& name, std::optional<Ink> ink) {
  loadIcons();
  QFile file(QStringLiteral(":/icons/%1.svg").arg(name));
  if (!file.open(QIODevice::ReadOnly)) qFatal("There is no icon %s", qPrintable(name));
  return QIcon(new ThemedIconEngine(file.readAll(), ink));
}

}  // namespace convoy::ui
