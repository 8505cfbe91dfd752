// convoy-workbench: the window.
#include <QApplication>
#include <QCommandLineParser>
#include <QIcon>
#include <QRegularExpression>
#include <QSettings>
#include <QTextStream>
#include <QTimer>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string_view>

#include "app/workbench/screenshots.h"
#include "engine/base/error.h"
#include "engine/device/discovery.h"
#include "engine/training/run.h"
#include "ui/main_window.h"
#include "ui/message_bar.h"
#include "ui/predict/predict_page.h"
#include "ui/theme/theme.h"

namespace {

using convoy::ui::EngineRunner;
using convoy::ui::MainWindow;
using convoy::ui::Scheme;

struct Arguments {
  QString experiment;
  QString screenshots;
  bool autostart = false;
  std::optional<Scheme> scheme;
  std::optional<QSize> size;
  // Nobody sits before the window: it ends by itself and says on standard error what went wrong.
  bool unattended() const { return autostart || !screenshots.isEmpty(); }
};

int complain(const QString& text, convoy::ErrorKind kind) {
  QTextStream(stderr) << "convoy-workbench: " << text << '\n';
  return convoy::exit_code(kind);
}

// The exit code when the command line is wrong.
std::optional<int> parse(QCoreApplication& application, Arguments& arguments) {
  QCommandLineParser parser;
  parser.setApplicationDescription(
      QApplication::translate("main",
                              "Trains convolutional networks over unequal devices and "
                              "shows where the time goes."));
  parser.addHelpOption();
  parser.addVersionOption();
  const QCommandLineOption experiment("experiment", "Open this experiment file.", "FILE");
  const QCommandLineOption autostart("autostart", "Run the experiment at once.");
  const QCommandLineOption screenshots(
      "screenshots",
      "Save pictures of the window to DIR, then end; the exit code says how the run "
      "went.",
      "DIR");
  const QCommandLineOption theme("theme", "Colours: light or dark.", "light|dark");
  const QCommandLineOption size("size", "Size of the window, such as 1280x800.", "WxH");
  parser.addOptions({experiment, autostart, screenshots, theme, size});
  parser.addPositionalArgument("FILE", "Same as --experiment FILE.", "[FILE]");
  parser.process(application);

  const auto usage = [](const QString& text) { return complain(text, convoy::ErrorKind::kUsage); };
  arguments.experiment = parser.value(experiment);
  const QStringList files = parser.positionalArguments();
  if (files.size() > 1 || (!files.isEmpty() && parser.isSet(experiment)))
    return usage("more than one experiment file is given; one is valid");
  if (!files.isEmpty()) arguments.experiment = files.front();
  arguments.screenshots = parser.value(screenshots);
  arguments.autostart = parser.isSet(autostart);
  if (parser.isSet(theme)) {
    const QString value = parser.value(theme);
    if (value != "light" && value != "dark")
      return usage(QString("--theme is \"%1\"; valid are light and dark").arg(value));
    arguments.scheme = value == "light" ? Scheme::Light : Scheme::Dark;
  }
  if (parser.isSet(size)) {
    static const QRegularExpression kSize("^(\\d{3,5})x(\\d{3,5})$");
    const auto match = kSize.match(parser.value(size));
    if (!match.hasMatch())
      return usage(QString("--size is \"%1\"; valid is WIDTHxHEIGHT in pixels, such as 1280x800")
                       .arg(parser.value(size)));
    arguments.size = QSize(match.captured(1).toInt(), match.captured(2).toInt());
  }
  return std::nullopt;
}

// Help and version are text: they need no display.
bool asksForText(int argc, char** argv) {
  return std::any_of(argv + 1, argv + argc, [](std::string_view argument) {
    return argument == "-h" || argument == "--help" || argument == "--help-all" ||
           argument == "-v" || argument == "--version";
  });
}

// How the run went, as the command line would say it.
int runExitCode(const EngineRunner& runner) {
  if (const auto& failure = runner.failure()) return complain(failure->text, failure->kind);
  const auto& summary = runner.summary();
  const bool done = summary && summary->outcome == convoy::RunOutcome::kDone;
  return done ? 0 : convoy::kExitInterrupted;
}

int runWorkbench(int argc, char** argv) {
  QApplication::setOrganizationName("convoy");
  QApplication::setApplicationName("workbench");
  QApplication::setApplicationDisplayName("Convoy");
  QApplication::setApplicationVersion(CONVOY_VERSION);
  QGuiApplication::setDesktopFileName("org.convoy.Convoy");
  QSettings::setDefaultFormat(QSettings::IniFormat);

  Arguments arguments;
  if (asksForText(argc, argv)) {
    QCoreApplication application(argc, argv);
    return parse(application, arguments).value_or(0);
  }
  QApplication application(argc, argv);
  if (const auto code = parse(application, arguments)) return *code;
  if (!arguments.screenshots.isEmpty() && !QDir().mkpath(arguments.screenshots))
    return complain(QString("%1: the folder cannot be made").arg(arguments.screenshots),
                    convoy::ErrorKind::kRun);

  const auto stored = !arguments.screenshots.isEmpty() ? 0 : QSettings().value("scheme", 0).toInt();
  convoy::ui::Theme::instance().apply(arguments.scheme.value_or(static_cast<Scheme>(stored)));
  MainWindow::Options options;
  options.restoreSession = arguments.screenshots.isEmpty();
  MainWindow window(convoy::ui::DeviceCatalog::detect(), options);
  QApplication::setWindowIcon(window.windowIcon());
  if (arguments.size) window.resize(*arguments.size);

  if (!arguments.experiment.isEmpty() && !window.openFile(arguments.experiment) &&
      arguments.unattended())
    return complain(window.messageBar()->texts().value(0), convoy::ErrorKind::kExperiment);
  window.show();

  std::unique_ptr<convoy::Screenshots> screenshots;
  int code = 0;
  const auto leave = [&] {
    if (screenshots && !screenshots->failure().isEmpty())
      code = complain(QString("%1: the picture cannot be written").arg(screenshots->failure()),
                      convoy::ErrorKind::kRun);
    QApplication::exit(code);
  };
  if (!arguments.screenshots.isEmpty())
    screenshots = std::make_unique<convoy::Screenshots>(&window, QDir(arguments.screenshots));
  QObject::connect(&window, &MainWindow::runFinished, &window, [&] {
    if (!screenshots) return;
    code = runExitCode(*window.runner());
    screenshots->take(code == 0 ? QString() : QString("failed"));
    if (code != 0) return leave();
    QObject::connect(window.predictPage(), &convoy::ui::PredictPage::settled, &window, [&] {
      screenshots->take("predict");
      leave();
    });
    window.showPage(MainWindow::Page::Predict);
  });
  // Once the window is laid out and on the screen.
  QTimer::singleShot(500, &window, [&] {
    if (screenshots) screenshots->take("idle");
    if (!arguments.autostart) {
      if (screenshots) leave();
      return;
    }
    if (window.startRun()) return;
    code = complain(window.messageBar()->texts().value(0), convoy::ErrorKind::kExperiment);
    leave();
  });
  const int result = QApplication::exec();
  return arguments.unattended() ? code : result;
}

}  // namespace

int main(int argc, char** argv) {
  convoy::keep_runtimes_on_cores();
  const int code = runWorkbench(argc, argv);
  if (convoy::devices_left_hanging() == 0) return code;
  std::fflush(nullptr);
  std::_Exit(code);  // not under a driver's feet
}
