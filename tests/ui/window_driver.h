// A window under test, worked as a person works it: by its real controls.
#pragma once

#include <QAbstractButton>
#include <QAbstractSpinBox>
#include <QAction>
#include <QFile>
#include <QSettings>
#include <QTemporaryDir>
#include <QToolButton>
#include <QtTest>
#include <memory>

#include "ui/main_window.h"
#include "ui/setup/field_note.h"

namespace convoy::ui {

inline constexpr int kLong = 120'000;  // a wait for a run that only a hanging test uses up
inline constexpr int kSoon = 15'000;   // the same for what takes a tick or two

inline const DeviceCatalog& machine() {
  static const DeviceCatalog catalog = DeviceCatalog::detect();
  return catalog;
}

template <class Widget>
Widget* child(const QWidget& window, const char* name) {
  auto* widget = window.findChild<Widget*>(QLatin1String(name));
  if (!widget) qFatal("There is no %s", name);
  return widget;
}

// As a person does it: the text is marked and typed over.
inline void type(QAbstractSpinBox* box, const QString& text) {
  box->selectAll();
  QTest::keyClicks(box, text);
  QTest::keyClick(box, Qt::Key_Enter);
}

inline void click(const QWidget& window, const char* button) {
  auto* widget = child<QAbstractButton>(window, button);
  QVERIFY2(widget->isEnabled(), button);
  QTest::mouseClick(widget, Qt::LeftButton, {},
                    widget->inherits("QCheckBox") ? QPoint(8, widget->height() / 2) : QPoint());
}

inline bool runIsEnabled(const MainWindow& window) {
  return child<QToolButton>(window, "runButton")->isEnabled();
}

// A real experiment of a second or less; CPU devices only, so that it is the same everywhere.
inline void makeTiny(MainWindow& window, int steps) {
  window.document()->edit("Tiny", {}, [&](Setup& setup) {
    setup.experiment.name = "tiny";
    setup.experiment.network.kernels = {3, 4};
    setup.experiment.training.batch_size = 8;
    setup.experiment.training.steps = steps;
    setup.experiment.training.epochs.reset();
    setup.experiment.dataset.train_limit = 64;
    setup.experiment.dataset.test_limit = 16;
    for (DeviceRow& row : setup.devices) row.ticked = row.ticked && row.spec.id.starts_with("cpu");
  });
}

inline QStringList lines(const QString& path) {
  QFile file(path);
  if (!file.open(QIODevice::ReadOnly)) return {};
  return QString::fromUtf8(file.readAll()).split('\n', Qt::SkipEmptyParts);
}

inline FieldNote* noteAt(const QWidget& window, const QString& path) {
  for (FieldNote* note : window.findChildren<FieldNote*>())
    if (note->path() == path) return note;
  return nullptr;
}

// Settings and data of its own, and for each test a new window.
class WindowDriver {
 protected:
  void useOwnSettings() {
    QVERIFY(m_home.isValid());
    qputenv("XDG_DATA_HOME", m_home.filePath("data").toLocal8Bit());
    QSettings::setDefaultFormat(QSettings::IniFormat);
    QSettings::setPath(QSettings::IniFormat, QSettings::UserScope, m_home.filePath("config"));
    QCoreApplication::setOrganizationName("convoy-test");
    QCoreApplication::setApplicationName("window-test");
    Theme::instance().apply(Scheme::Light);
  }
  void openWindow() {
    QSettings().clear();
    m_window = std::make_unique<MainWindow>(machine());
    m_window->show();
    QVERIFY(QTest::qWaitForWindowExposed(m_window.get()));
  }

  ExperimentDocument* document() { return m_window->document(); }
  const Experiment& experiment() {
    m_experiment = document()->experiment();
    return m_experiment;
  }
  QString failureText() {
    const auto& failure = m_window->runner()->failure();
    return failure ? failure->text : QString();
  }
  void undo() { child<QAction>(*m_window, "undo")->trigger(); }

  QTemporaryDir m_home;
  std::unique_ptr<MainWindow> m_window;
  Experiment m_experiment;
};

}  // namespace convoy::ui
