// Tab walks the window's controls as one reads them.
#include <QDockWidget>
#include <QScrollArea>
#include <QTabWidget>

#include "tests/ui/window_driver.h"
#include "ui/message_bar.h"
#include "ui/setup/section.h"

using namespace convoy;
using namespace convoy::ui;

namespace {

QString nameOf(const QWidget* widget) {
  return QStringLiteral("%1 %2 “%3”")
      .arg(widget->metaObject()->className(), widget->objectName(), widget->accessibleName());
}

// The two branches of the tree of widgets that part below the last parent of both.
std::pair<const QWidget*, const QWidget*> branches(const QWidget* a, const QWidget* b) {
  const QWidget* below = a;
  const QWidget* parent = a;
  while (!parent->isAncestorOf(b)) {
    below = parent;
    parent = parent->parentWidget();
  }
  const QWidget* other = b;
  while (other->parentWidget() != parent) other = other->parentWidget();
  return {below, other};
}

// Whether a line of text with both in it would have `a` first; what stands together counts as one.
bool isReadBefore(const QWidget* a, const QWidget* b) {
  if (a->isAncestorOf(b)) return true;
  if (b->isAncestorOf(a)) return false;
  const auto [first, second] = branches(a, b);
  const QRect one = first->geometry(), two = second->geometry();
  const int common = std::min(one.bottom(), two.bottom()) - std::max(one.top(), two.top());
  const bool sameLine = 2 * common > std::min(one.height(), two.height());
  return sameLine ? one.left() < two.left() : one.top() < two.top();
}

}  // namespace

class TabOrderTest : public QObject, private WindowDriver {
  Q_OBJECT

 private:
  // All that Tab stops at on its way round, from the first control of the dock on.
  QList<QWidget*> walk(Qt::Key key = Qt::Key_Tab) {
    QList<QWidget*> stops;
    QWidget* const first = child<QWidget>(*m_window, "experimentName");
    first->setFocus();
    for (QWidget* now = first; !stops.contains(now) && stops.size() < 500;
         now = QApplication::focusWidget()) {
      stops.append(now);
      QTest::keyClick(now, key);
    }
    return stops;
  }

  void checkOrder(const QList<QWidget*>& stops) {
    for (qsizetype i = 0; i + 1 < stops.size(); ++i) {
      if (stops[i + 1]->parentWidget()->inherits("QToolBar")) continue;  // once round
      QVERIFY2(isReadBefore(stops[i], stops[i + 1]),
               qPrintable(nameOf(stops[i]) + " comes before " + nameOf(stops[i + 1])));
    }
  }

  // Everything unfolded, and high enough that all of it has its place.
  void unfold() {
    m_window->resize(1600, 1700);
    for (Section* section : m_window->findChildren<Section*>()) section->setExpanded(true);
    document()->edit("Own method", {},
                     [](Setup& setup) { setup.experiment.distribution.options.overlap = true; });
    QTest::qWait(0);
  }

 private slots:
  void initTestCase() { useOwnSettings(); }
  void init() {
    openWindow();
    m_window->activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(m_window.get()));
    unfold();
  }
  void cleanup() { m_window.reset(); }

  void walksTheSetUpAndThePage() {
    const QList<QWidget*> stops = walk();
    checkOrder(stops);
    for (const char* name :
         {"experimentNote", "devices", "splitCpu", "networkPreset", "kernels2", "addLayer",
          "batchSize", "seed", "trainingUnit", "bandwidthSlider", "stop1000", "duplex", "method",
          "rebalance", "split", "clock", "datasetKind", "trainLimit", "testLimit"})
      QVERIFY2(stops.contains(child<QWidget>(*m_window, name)), name);
    QVERIFY(stops.size() > 50);
  }

  void walksBackTheSameWay() {
    QList<QWidget*> forth = walk();
    const QList<QWidget*> back = walk(Qt::Key_Backtab);
    std::reverse(forth.begin() + 1, forth.end());
    const auto namesOf = [](const QList<QWidget*>& stops) {
      QStringList names;
      for (const QWidget* stop : stops) names.append(nameOf(stop));
      return names.join('\n');
    };
    QCOMPARE(namesOf(back), namesOf(forth));
  }

  void walksWhatHasCome() {
    // A run with its legends, a message with a button, a page that was not there.
    makeTiny(*m_window, 12);
    QSignalSpy finished(m_window.get(), &MainWindow::runFinished);
    QVERIFY(m_window->startRun());
    QVERIFY(finished.wait(kLong));
    QVERIFY2(!m_window->runner()->failure(), qPrintable(failureText()));
    m_window->messageBar()->add(Severity::kWarning, "a message", {{"Do it", [] {}}});
    for (const auto page : {MainWindow::Page::Live, MainWindow::Page::Predict}) {
      m_window->showPage(page);
      QTest::qWait(0);
      const QList<QWidget*> stops = walk();
      checkOrder(stops);
      const auto come = [&](const char* type) {
        return std::any_of(stops.begin(), stops.end(),
                           [&](const QWidget* stop) { return stop->inherits(type); });
      };
      QVERIFY(stops.contains(child<QWidget>(*m_window, "messageAction")));
      if (page == MainWindow::Page::Live) QVERIFY(come("convoy::ui::LegendButton"));
    }
  }

  void followsTheDockToTheOtherSide() {
    auto* dock = child<QDockWidget>(*m_window, "setupDock");
    m_window->addDockWidget(Qt::RightDockWidgetArea, dock);
    QTest::qWait(0);
    checkOrder(walk());
  }
};

QTEST_MAIN(TabOrderTest)
#include "tab_order_test.moc"
