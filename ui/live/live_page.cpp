#include "ui/live/live_page.h"

#include <QAction>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLocale>
#include <QStackedWidget>
#include <QVBoxLayout>
#include <cmath>

#include "ui/charts/nice_range.h"
#include "ui/column_area.h"
#include "ui/live/run_charts.h"
#include "ui/live/run_store.h"
#include "ui/live/tile.h"
#include "ui/run_status.h"

namespace convoy::ui {
namespace {

constexpr auto kNone = "–";

QString textOf(const std::optional<double>& value) {
  return value ? readable(*value) : QString::fromUtf8(kNone);
}

QString precisePercent(double fraction) {
  return QLocale().toString(100.0 * fraction, 'f', 1);
}

}  // namespace

LivePage::LivePage(RunStore& store, QWidget* parent) : QWidget(parent), m_store(store) {
  setAccessibleName(tr("Live"));
  m_status = new QLabel(this);
  m_status->setAccessibleName(tr("State of the run"));
  m_clock = new QLabel(tr("virtual clock"), this);
  m_clock->setObjectName(QStringLiteral("virtualClock"));
  m_clock->setToolTip(
      tr("Devices and links are measured one at a time and placed side by side: all times, rates "
         "and speedups are those of the computers that they stand for. What has passed and what "
         "is left of the run is real time."));
  m_clock->setAccessibleDescription(m_clock->toolTip());
  m_detail = new QLabel(this);
  m_detail->setWordWrap(true);
  m_detail->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
  auto* head = new QHBoxLayout;
  head->setContentsMargins(Space::kTight, 0, Space::kTight, 0);
  head->setSpacing(Space::kMedium);
  head->addWidget(m_status);
  head->addWidget(m_clock, 0, Qt::AlignVCenter);  // not as high as a detail of two lines
  head->addWidget(m_detail, 1);

  m_speedup = new Tile(tr("Speedup"), this);
  m_efficiency = new Tile(tr("Efficiency"), this);
  m_stepTime = new Tile(tr("Step time"), this);
  m_images = new Tile(tr("Throughput"), this);
  m_loss = new Tile(tr("Loss"), this);
  m_accuracy = new Tile(tr("Accuracy"), this);
  m_timeLeft = new Tile(tr("Time left"), this);
  m_speedup->setInk(Ink::Speedup);
  auto* tiles = new QHBoxLayout;
  tiles->setSpacing(Space::kSmall);
  tiles->addWidget(m_speedup, 15);
  for (Tile* tile : {m_efficiency, m_stepTime, m_images, m_loss, m_accuracy, m_timeLeft})
    tiles->addWidget(tile, tile == m_stepTime ? 15 : 10);

  m_charts = {new Chart(deviceTimesSpec(store), this), new Chart(stepTimeSpec(store), this),
              new Chart(speedupSpec(store), this), new Chart(learningSpec(store), this)};
  m_devices = new QStackedWidget(this);
  m_devices->addWidget(m_charts[0]);
  m_showShares = new QAction(tr("Shares"), this);
  m_showShares->setObjectName(QStringLiteral("showShares"));
  m_showShares->setToolTip(tr("How the devices' shares have changed over the steps"));
  m_showShares->setVisible(false);
  m_showTimes = new QAction(tr("Times"), this);
  m_showTimes->setToolTip(tr("Back to the time of each device"));
  m_charts[0]->addHeadAction(m_showShares);
  connect(m_showShares, &QAction::triggered, this, [this] { m_devices->setCurrentIndex(1); });
  connect(m_showTimes, &QAction::triggered, this, [this] { m_devices->setCurrentIndex(0); });
  auto* grid = new QGridLayout;
  grid->setSpacing(Space::kSmall);
  for (int i = 0; i < m_charts.size(); ++i) {
    grid->addWidget(i == 0 ? static_cast<QWidget*>(m_devices) : m_charts[i], i / 2, i % 2);
    grid->setRowStretch(i / 2, 1);
    grid->setColumnStretch(i % 2, 1);
    connectChart(m_charts[i]);
  }

  auto* content = new QWidget(this);
  auto* column = new QVBoxLayout(content);
  column->setContentsMargins(Space::kMedium, Space::kMedium, Space::kMedium, Space::kMedium);
  column->setSpacing(Space::kSmall);
  column->addLayout(head);
  column->addLayout(tiles);
  column->addLayout(grid, 1);
  // Messages above and many devices can leave less height than charts need to be read.
  auto* page = new QVBoxLayout(this);
  page->setContentsMargins(0, 0, 0, 0);
  page->addWidget(new ColumnArea(this, content));

  connect(&store, &RunStore::changed, this, &LivePage::refresh);
  connect(&Theme::instance(), &Theme::changed, this, &LivePage::restyle);
  restyle();
}

void LivePage::connectChart(Chart* chart) {
  connect(chart, &Chart::exportDone, this, &LivePage::chartSaved);
  connect(chart, &Chart::exportFailed, this, &LivePage::chartFailed);
  connect(chart, &Chart::cursorMoved, this, [this, chart](std::optional<double> x) {
    for (Chart* other : allCharts())
      if (other != chart) other->showCursor(x);
  });
}

// The lines of its chart are the run's devices: another run needs another chart.
void LivePage::refreshShares() {
  const bool changed = m_store.shares().size() > 1;
  m_showShares->setVisible(changed);
  if (m_shares && (!changed || m_sharesOf != m_store.generation())) {
    m_devices->removeWidget(m_shares);
    delete m_shares;
    m_shares = nullptr;
  }
  if (!changed) return;
  if (!m_shares) {
    m_shares = new Chart(sharesSpec(m_store), this);
    m_sharesOf = m_store.generation();
    m_shares->addHeadAction(m_showTimes);
    m_devices->addWidget(m_shares);
    connectChart(m_shares);
  }
  m_shares->refresh();
}

void LivePage::restyle() {
  m_status->setFont(Theme::instance().font(TextStyle::Heading));
  m_clock->setStyleSheet(
      QStringLiteral("QLabel#virtualClock { color: %1; border: 1px solid %1; border-radius: 4px;"
                     " padding: 0 5px; }")
          .arg(Theme::instance().color(Ink::Prediction).name()));
  m_clock->setFont(Theme::instance().font(TextStyle::Small));
  QPalette quiet = palette();
  quiet.setColor(QPalette::WindowText, Theme::instance().color(Ink::MutedText));
  m_detail->setPalette(quiet);
  refreshStatus();
  refreshTiles();
}

void LivePage::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  refresh();
}

void LivePage::refresh() {
  if (!isVisible()) return;  // showEvent catches up
  refreshStatus();
  refreshTiles();
  for (Chart* chart : m_charts) chart->refresh();
  refreshShares();
}

void LivePage::setObstacle(const QString& text) {
  if (text == m_obstacle) return;
  m_obstacle = text;
  refreshStatus();
}

void LivePage::setPaused(bool paused) {
  if (paused == m_paused) return;
  m_paused = paused;
  refreshStatus();
}

QString LivePage::statusText() const {
  return m_status->text();
}

void LivePage::refreshStatus() {
  using State = RunStore::State;
  const RunStarted& started = m_store.started();
  const RunStore::Progress& progress = m_store.progress();
  const int done = m_store.stepCount();

  QString status, empty;
  QString detail = progress.what;
  if (!detail.isEmpty()) detail[0] = detail[0].toUpper();
  Ink ink = Ink::Text;
  const QString reached =
      done > 0 ? tr("After %1 of %2 steps; what was measured is kept")
                     .arg(QLocale().toString(done), QLocale().toString(started.steps))
               : tr("Before the first step");
  switch (m_store.state()) {
    case State::Idle:
      status = m_obstacle.isEmpty() ? tr("Ready") : tr("Not ready");
      ink = m_obstacle.isEmpty() ? Ink::Text : Ink::Error;
      detail =
          m_obstacle.isEmpty() ? tr("Press Run to train over the ticked devices.") : m_obstacle;
      break;
    case State::Preparing:
      status = tr("Preparing");
      empty = tr("Loading the data and starting the devices.");
      break;
    case State::Calibrating:
      status = tr("Calibrating");
      empty =
          tr("Each device is being timed on each layer's real shape, so that all get kernels in "
             "proportion to their speed.");
      break;
    case State::Baseline:
      status = tr("Measuring the baseline");
      empty = tr("A few steps on a single device, to compare with.");
      break;
    case State::Training:
      status = m_paused ? tr("Paused") : tr("Training");
      detail = tr("Step %1 of %2").arg(QLocale().toString(done), QLocale().toString(started.steps));
      empty = tr("Appears after the warm-up steps.");
      break;
    case State::Testing:
      status = tr("Testing");
      break;
    case State::Done:
      status = tr("Finished");
      ink = Ink::Good;
      detail = tr("%1 steps").arg(QLocale().toString(done));
      break;
    case State::Stopped:
      status = tr("Stopped");
      ink = Ink::Warning;
      detail = reached;
      empty = tr("The run was stopped before its first step.");
      break;
    case State::Failed:
      status = tr("Failed");
      ink = Ink::Error;
      detail = reached;  // why is said in the message bar
      empty = tr("The run failed before its first step.");
      break;
  }
  QStringList out;
  for (int device = 0; device < m_store.deviceCount(); ++device)
    if (m_store.quarantine(device)) out.append(m_store.deviceName(device));
  if (m_store.state() >= State::Training && !started.network.empty())
    detail +=
        tr(" · network %1, batch %2, %3")
            .arg(QString::fromStdString(started.network), QLocale().toString(started.batch_size),
                 QString::fromStdString(started.dataset));
  if (!out.isEmpty()) detail += tr(" · out: %1").arg(out.join(QStringLiteral(", ")));

  const auto& summary = m_store.summary();
  QString tip = m_store.state() == State::Failed ? m_store.failure() : QString();
  if (summary && summary->gradient_difference) {
    const double difference = *summary->gradient_difference;
    detail += tr(" · largest relative gradient difference from one device: %1")
                  .arg(difference < 1e-3 ? QLocale().toString(difference, 'e', 1)
                                         : QLocale().toString(difference, 'g', 2));
    tip =
        tr("The first step's gradients against those of the same step on one device: rounding, and "
           "what the wire's number format costs.");
  }

  m_status->setText(status);
  m_clock->setVisible(m_store.state() != State::Idle && m_store.isVirtual());
  QPalette colored = palette();
  colored.setColor(QPalette::WindowText, Theme::instance().color(ink));
  m_status->setPalette(colored);
  m_detail->setText(detail);
  m_detail->setToolTip(tip.isEmpty() ? detail : tip);

  const QString idle[] = {
      tr("Press Run to see how long each device computes, sends, receives and waits."),
      tr("Press Run to see where the time of each step goes."),
      tr("Press Run to see how much faster the devices are together."),
      tr("Press Run to see the network learn.")};
  // What is happening is said once; the other charts only say when they come.
  const QString later =
      m_store.running() ? tr("Appears with the first step.") : tr("Nothing was measured.");
  for (int i = 0; i < m_charts.size(); ++i)
    m_charts[i]->setEmptyText(m_store.state() == State::Idle ? idle[i]
                              : i == 0 && !empty.isEmpty()   ? empty
                                                             : later);
}

void LivePage::refreshTiles() {
  const RunStore& run = m_store;
  const std::optional<RunSummary>& summary = run.summary();
  const QString none = QString::fromUtf8(kNone);

  // While it runs the last steps count; afterwards all of them, as summary.csv has it.
  const auto shown = [&](std::optional<double> whole, std::optional<double> recent) {
    return whole ? whole : recent;
  };
  const auto speedup = shown(summary ? summary->speedup : std::nullopt, run.recentSpeedup());
  const auto limit = run.amdahlLimit();
  m_speedup->setInk(inkOfSpeedup(speedup));
  if (inkOfSpeedup(speedup) == Ink::Warning && run.baseline())
    m_speedup->setValue(
        timesText(*speedup), {},
        tr("slower than %1 alone").arg(QString::fromStdString(run.baseline()->name)),
        tr("a slowdown"));
  else
    m_speedup->setValue(speedup ? timesText(*speedup) : none, {},
                        limit             ? tr("of %1 Amdahl limit").arg(timesText(*limit))
                        : run.stepCount() ? tr("no baseline measured")
                                          : tr("of the Amdahl limit"),
                        limit             ? tr("limit %1").arg(timesText(*limit))
                        : run.stepCount() ? tr("no baseline")
                                          : tr("of the limit"));

  const auto efficiency = shown(summary ? summary->efficiency : std::nullopt, run.efficiency());
  const auto pooled = run.pooledSpeed();
  m_efficiency->setValue(
      efficiency ? percentText(*efficiency) : none, efficiency ? QStringLiteral("%") : QString(),
      pooled ? tr("of %1 pooled").arg(timesText(*pooled)) : tr("of pooled speed"),
      pooled ? tr("of %1").arg(timesText(*pooled)) : tr("pooled"));

  const auto stepMs = shown(summary ? summary->step_ms : std::nullopt, run.recentStepMs());
  const QString alone =
      run.baseline() ? tr("alone %1 ms").arg(readable(run.baseline()->step_ms)) : tr("median");
  const auto predicted = run.predictedStepMs();
  const auto error = run.predictionError();
  m_stepTime->setName(run.isVirtual() ? tr("Virtual step time") : tr("Step time"),
                      run.isVirtual() ? tr("Virtual step") : QString());
  m_stepTime->setValue(
      textOf(stepMs), stepMs ? QStringLiteral("ms") : QString(),
      !predicted ? alone
      : error    ? tr("predicted %1 ms (%2)").arg(readable(*predicted), signedPercent(*error))
                 : tr("predicted %1 ms").arg(readable(*predicted)),
      predicted ? tr("pred. %1").arg(readable(*predicted)) : QString());
  m_stepTime->setToolTip(
      predicted ? tr("Predicted from the calibration before the first step; in brackets how far "
                     "that is off. On one device alone a step takes %1 ms.")
                      .arg(run.baseline() ? readable(run.baseline()->step_ms) : none)
                : QString());

  const auto images = shown(summary ? summary->images_per_s : std::nullopt, run.imagesPerSecond());
  m_images->setValue(textOf(images), images ? tr("img/s") : QString(),
                     run.started().batch_size > 0 ? tr("batch of %1").arg(run.started().batch_size)
                                                  : tr("in training"));

  const RunStore::Steps& steps = run.steps();
  if (run.stepCount() == 0) {
    m_loss->setValue(none, {}, tr("in training"));
    m_accuracy->setValue(none, {}, tr("in training"));
  } else {
    const double accuracy = steps.recentAccuracy.back();
    m_loss->setValue(QLocale().toString(steps.recentLoss.back(), 'f', 3), {},
                     tr("last %1 batches").arg(std::min(run.stepCount(), RunStore::kRecentSteps)),
                     tr("last %1").arg(std::min(run.stepCount(), RunStore::kRecentSteps)));
    if (summary && summary->test_accuracy)
      m_accuracy->setValue(precisePercent(*summary->test_accuracy), QStringLiteral("%"),
                           tr("test · train %1 %").arg(percentText(accuracy)), tr("in the test"));
    else
      m_accuracy->setValue(precisePercent(accuracy), QStringLiteral("%"), tr("in training"));
  }

  const auto left = run.secondsLeft();
  const int missing = run.started().steps - run.stepCount();
  const QString count = run.stepCount() == 0 ? tr("of the run")
                        : run.running()
                            ? tr("%1 steps left").arg(QLocale().toString(missing))
                            : tr("after %1 steps").arg(QLocale().toString(run.stepCount()));
  const QString briefly = run.stepCount() == 0 ? QString()
                          : run.running()
                              ? tr("steps: %1").arg(QLocale().toString(missing))
                              : tr("steps: %1").arg(QLocale().toString(run.stepCount()));
  m_timeLeft->setValue(left ? durationText(std::ceil(*left)) : none, {}, count, briefly);
}

QList<Chart*> LivePage::allCharts() const {
  return m_shares ? m_charts + QList<Chart*>{m_shares} : m_charts;
}

}  // namespace convoy::ui
