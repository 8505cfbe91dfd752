#include "ui/predict/predict_page.h"

#include <QButtonGroup>
#include <QHBoxLayout>
#include <QLabel>
#include <QLocale>
#include <QProgressBar>
#include <QPushButton>
#include <QStackedWidget>
#include <QTableView>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/bridge/predictor.h"
#include "ui/charts/nice_range.h"
#include "ui/column_area.h"
#include "ui/live/tile.h"
#include "ui/predict/prediction_tables.h"
#include "ui/predict/table_card.h"
#include "ui/theme/theme.h"

namespace convoy::ui {
namespace {

constexpr int kAskingMs = 40;
constexpr std::size_t kMeasuredKept = 50;
constexpr int kMethodRows = 9;  // the paper's, six options, all, one's own
constexpr int kLeastRows = 4;   // in a small window

QString axisName(PredictAxis axis) {
  switch (axis) {
    case PredictAxis::Bandwidth:
      return PredictPage::tr("Bandwidth");
    case PredictAxis::Devices:
      return PredictPage::tr("Devices");
    case PredictAxis::BatchSize:
      break;
  }
  return PredictPage::tr("Batch size");
}

void setInk(QLabel* label, Ink ink, TextStyle style) {
  QPalette palette = label->palette();
  palette.setColor(QPalette::WindowText, Theme::instance().color(ink));
  label->setPalette(palette);
  label->setFont(Theme::instance().font(style));
}

}  // namespace

PredictPage::PredictPage(ExperimentDocument* document, Predictor* predictor, QWidget* parent)
    : QWidget(parent),
      m_document(document),
      m_predictor(predictor),
      m_stack(new QStackedWidget(this)),
      m_options(new OptionTable(this)),
      m_checks(new CheckTable(this)) {
  setAccessibleName(tr("Predict"));
  m_stack->addWidget(makeEmpty());
  m_stack->addWidget(new ColumnArea(this, makeContent()));
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(Space::kMedium, Space::kMedium, Space::kMedium, Space::kMedium);
  column->addWidget(m_stack);

  m_asking.setSingleShot(true);
  m_asking.setInterval(kAskingMs);
  connect(&m_asking, &QTimer::timeout, this, &PredictPage::ask);
  connect(document, &ExperimentDocument::changed, this, &PredictPage::update);
  connect(&Theme::instance(), &Theme::changed, this, &PredictPage::restyle);
  connectPredictor();
  restyle();
  refresh();
}

QWidget* PredictPage::makeEmpty() {
  auto* page = new QWidget(this);
  m_emptyTitle = new QLabel(page);
  m_emptyTitle->setAlignment(Qt::AlignHCenter);
  m_emptyText = new QLabel(page);
  m_emptyText->setObjectName(QStringLiteral("predictEmpty"));
  m_emptyText->setAlignment(Qt::AlignHCenter);
  m_emptyText->setWordWrap(true);
  m_emptyText->setFixedWidth(480);
  m_calibrate = new QPushButton(tr("Calibra&te Now"), page);
  m_calibrate->setObjectName(QStringLiteral("calibrate"));
  m_progress = new QProgressBar(page);
  m_progress->setAccessibleName(tr("Progress of the calibration"));
  m_progress->setFixedWidth(320);
  m_progress->setTextVisible(false);
  m_progressText = new QLabel(page);
  m_progressText->setAlignment(Qt::AlignHCenter);
  m_stop = new QPushButton(tr("Stop"), page);
  m_stop->setObjectName(QStringLiteral("stopCalibration"));
  auto* column = new QVBoxLayout(page);
  column->setSpacing(Space::kMedium);
  column->addStretch(2);
  for (QWidget* widget : std::initializer_list<QWidget*>{m_emptyTitle, m_emptyText, m_calibrate,
                                                         m_progressText, m_progress, m_stop}) {
    // Not an alignment: with one, wrapped text gets no height for its width.
    auto* row = new QHBoxLayout;
    row->addStretch(1);
    row->addWidget(widget);
    row->addStretch(1);
    column->addLayout(row);
  }
  column->addStretch(3);
  connect(m_calibrate, &QPushButton::clicked, this,
          [this] { calibrate(m_document->experiment()); });
  connect(m_stop, &QPushButton::clicked, m_predictor, &Predictor::stopCalibration);
  return page;
}

QWidget* PredictPage::makeContent() {
  auto* page = new QWidget(this);
  m_verdict = new QLabel(page);
  m_verdict->setObjectName(QStringLiteral("verdict"));
  m_verdict->setWordWrap(true);
  m_verdict->setTextInteractionFlags(Qt::TextSelectableByMouse);
  m_verdict->setAccessibleDescription(tr("The verdict on this set-up"));
  m_again = new QPushButton(tr("Calibra&te Again"), page);
  m_again->setObjectName(QStringLiteral("calibrateAgain"));
  m_again->setToolTip(tr("Measure the ticked devices on this network and batch size now"));
  connect(m_again, &QPushButton::clicked, this, [this] { calibrate(m_document->experiment()); });
  auto* head = new QHBoxLayout;
  head->setContentsMargins(Space::kTight, 0, 0, 0);
  head->setSpacing(Space::kLarge);
  head->addWidget(m_verdict, 1);
  head->addWidget(m_again, 0, Qt::AlignVCenter);

  m_stepTime = new Tile(tr("Step time"), page);
  m_speedup = new Tile(tr("Speedup"), page);
  m_communication = new Tile(tr("Communication"), page);
  m_traffic = new Tile(tr("Traffic"), page);
  m_breakEven = new Tile(tr("Break-even"), page);
  auto* tiles = new QHBoxLayout;
  tiles->setSpacing(Space::kSmall);
  for (Tile* tile : {m_speedup, m_stepTime, m_communication, m_traffic, m_breakEven})
    tiles->addWidget(tile, 1);

  m_chartPages = new QStackedWidget(page);
  for (int axis = 0; axis < kPredictAxes; ++axis) {
    const auto which = static_cast<PredictAxis>(axis);
    auto* pair = new QWidget(m_chartPages);
    auto* row = new QHBoxLayout(pair);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(Space::kSmall);
    for (Chart* chart : {new Chart(predictedStepTimeSpec(m_shown[axis], which), pair),
                         new Chart(predictedSpeedupSpec(m_shown[axis], which), pair)}) {
      row->addWidget(chart, 1);
      m_charts.append(chart);
      connect(chart, &Chart::exportDone, this, &PredictPage::chartSaved);
      connect(chart, &Chart::exportFailed, this, &PredictPage::chartFailed);
    }
    for (Chart* chart : {m_charts[2 * axis], m_charts[2 * axis + 1]})
      chart->setFileStem(tr("%1 over %2").arg(chart->title(), axisName(which)));
    // From Wi-Fi to a backplane step times span decades.
    if (which == PredictAxis::Bandwidth) m_charts[2 * axis]->setLogarithmic(true);
    for (const int i : {0, 1})
      connect(m_charts[2 * axis + i], &Chart::cursorMoved, m_charts[2 * axis + 1 - i],
              &Chart::showCursor);
    m_chartPages->addWidget(pair);
  }

  auto* column = new QVBoxLayout(page);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(Space::kSmall);
  column->addLayout(head);
  column->addLayout(tiles);
  column->addWidget(makeAxisLine());
  column->addWidget(m_chartPages, 1);
  column->addWidget(makeTables());
  return page;
}

QWidget* PredictPage::makeAxisLine() {
  auto* line = new QWidget(this);
  auto* row = new QHBoxLayout(line);
  row->setContentsMargins(Space::kTight, 0, 0, 0);
  row->setSpacing(Space::kTight);
  row->addWidget(new QLabel(tr("Over"), line));
  m_axes = new QButtonGroup(this);
  static constexpr const char* kNames[kPredictAxes] = {"axisBandwidth", "axisDevices", "axisBatch"};
  for (int axis = 0; axis < kPredictAxes; ++axis) {
    auto* button = new QToolButton(line);
    const QString name = axisName(static_cast<PredictAxis>(axis));
    button->setObjectName(QLatin1String(kNames[axis]));
    button->setText(name);
    button->setCheckable(true);
    button->setChecked(axis == 0);
    button->setAccessibleName(tr("Curves over %1").arg(name.toLower()));
    m_axes->addButton(button, axis);
    row->addWidget(button);
  }
  m_axisHint = new QLabel(line);
  m_axisHint->setWordWrap(true);  // no reason for a wide window
  m_moreBatches = new QPushButton(line);
  m_moreBatches->setObjectName(QStringLiteral("calibrateBatch"));
  row->addSpacing(Space::kMedium);
  row->addWidget(m_axisHint, 1);
  row->addWidget(m_moreBatches);
  connect(m_axes, &QButtonGroup::idClicked, this,
          [this](int id) { setAxis(static_cast<PredictAxis>(id)); });
  connect(m_moreBatches, &QPushButton::clicked, this, [this] { calibrate(nextBatch()); });
  return line;
}

QWidget* PredictPage::makeTables() {
  auto* tables = new QWidget(this);
  m_tables = new QHBoxLayout(tables);
  m_tables->setContentsMargins(0, 0, 0, 0);
  m_tables->setSpacing(Space::kSmall);
  m_optionCard = new TableCard(
      tr("What each option is worth, a step"),
      tr("Traffic and time of a step with the paper's method and one option at a time, at the "
         "set-up's link; a tick marks what the set-up uses."),
      m_options, tables);
  m_optionCard->setRowsShown(kLeastRows, kMethodRows);
  m_optionCard->table()->setObjectName(QStringLiteral("optionTable"));
  m_checkCard =
      new TableCard(tr("Predicted and measured, ms a step"),
                    tr("Runs of this set-up beside what is predicted for them, the newest on top."),
                    m_checks, tables);
  m_checkCard->setNamesBroken(true);
  m_checkCard->table()->setObjectName(QStringLiteral("checkTable"));
  m_checkCard->setEmptyText(
      tr("Run this set-up, or one that differs in what the curves are over or in its method, and "
         "what was measured stands here beside the prediction."));
  m_tables->addWidget(m_optionCard);
  m_tables->addWidget(m_checkCard);
  shareTables();
  return tables;
}

// Each gets the width in proportion to what it needs, so that a small window, too, cuts nothing.
void PredictPage::shareTables() {
  int place = 0;
  for (const TableCard* card : {m_optionCard, m_checkCard})
    m_tables->setStretch(place++, card->widthNeeded());
}

void PredictPage::connectPredictor() {
  connect(m_predictor, &Predictor::predicted, this, &PredictPage::take);
  connect(m_predictor, &Predictor::calibrationProgress, this,
          [this](const QString& what, int done, int total) {
            m_progressText->setText(what.isEmpty() ? what : what[0].toUpper() + what.mid(1));
            m_progress->setRange(0, total);
            m_progress->setValue(done);
          });
  connect(m_predictor, &Predictor::calibrationEnded, this, [this](const QString& failure) {
    if (!failure.isEmpty())
      emit messageArrived(Severity::kError, tr("The calibration failed: %1").arg(failure));
    refresh();
    ask();
  });
}

void PredictPage::addMeasured(const MeasuredRun& run) {
  m_measured.push_back(run);
  if (m_measured.size() > kMeasuredKept) m_measured.erase(m_measured.begin());
  update();
}

void PredictPage::setObstacle(const QString& text) {
  if (text == m_obstacle) return;
  m_obstacle = text;
  refresh();
}

void PredictPage::update() {
  if (isVisible() && !m_asking.isActive()) m_asking.start();
}

void PredictPage::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  ask();
}

void PredictPage::setAxis(PredictAxis axis) {
  m_axis = axis;
  m_axes->button(int(axis))->setChecked(true);
  m_chartPages->setCurrentIndex(int(axis));
  ask();
}

void PredictPage::ask() {
  m_predictor->request({m_document->experiment(), m_axis, m_measured});
}

void PredictPage::take(const PredictionData& data) {
  m_data = data;
  ShownCurves& shown = m_shown[int(m_axis)];
  shown.curves = data.curves;
  ++shown.revision;
  m_options->setOptions(data.options);
  m_checks->setChecks(data.checks);
  shareTables();
  refresh();
  emit settled();
}

void PredictPage::calibrate(const Experiment& experiment) {
  m_progressText->setText(tr("Opening the devices"));
  m_progress->setRange(0, 0);
  m_predictor->calibrate(experiment);
  refresh();
}

Experiment PredictPage::nextBatch() const {
  Experiment experiment = m_document->experiment();
  if (!m_data.batchSizes.empty()) experiment.training.batch_size = 2 * m_data.batchSizes.back();
  return experiment;
}

void PredictPage::refresh() {
  const bool calibrating = m_predictor->isCalibrating();
  const bool known =
      !m_predictor->isEmpty() && m_data.obstacle.isEmpty() && !m_data.options.empty();
  m_stack->setCurrentIndex(known && !calibrating ? 1 : 0);
  for (QWidget* widget : std::initializer_list<QWidget*>{m_progress, m_progressText, m_stop})
    widget->setVisible(calibrating);
  m_calibrate->setVisible(!calibrating);
  for (QPushButton* button : {m_calibrate, m_again, m_moreBatches})
    button->setEnabled(m_obstacle.isEmpty());
  m_emptyTitle->setText(calibrating ? tr("Calibrating") : tr("Nothing to predict from yet"));
  QString text =
      tr("Predictions need to know how fast each device computes each layer. A run "
         "measures that before its first step; or calibrate now, which takes as long "
         "as a few steps and trains nothing.");
  if (!m_data.obstacle.isEmpty()) text = m_data.obstacle + QStringLiteral("\n\n") + text;
  if (!m_obstacle.isEmpty()) text = m_obstacle;
  m_emptyText->setText(text);
  m_emptyText->setVisible(!calibrating);
  if (!known) return;

  m_verdict->setText(m_data.verdict);
  refreshTiles();
  for (QAbstractButton* button : m_axes->buttons()) {
    QFont font = Theme::instance().font(TextStyle::Small);
    if (button->isChecked()) font.setWeight(QFont::Bold);  // hard to tell in the dark else
    button->setFont(font);
  }
  const bool batches = m_axis == PredictAxis::BatchSize;
  m_moreBatches->setVisible(batches);
  m_moreBatches->setText(tr("Calibrate Batch %1").arg(nextBatch().training.batch_size));
  QString hint;
  if (batches && m_data.batchSizes.size() < 2)
    hint = tr("Only one batch size is calibrated; a curve needs more.");
  else if (m_axis == PredictAxis::Devices)
    hint = tr("The first devices of the table, one after another.");
  else if (m_axis == PredictAxis::Bandwidth && m_data.breakEven.kind == BreakEven::Kind::kUnasked)
    hint = tr("Every device has a link of its own; this is the default link's bandwidth.");
  else if (m_axis == PredictAxis::Bandwidth && !m_document->setup().experiment.link.bandwidth_mbps)
    hint = tr("The link is unlimited: beyond the right end.");
  m_axisHint->setText(hint);
  for (Chart* chart : charts()) chart->refresh();
}

QList<Chart*> PredictPage::chartsToSave() const {
  return m_stack->currentIndex() == 1 ? charts() : QList<Chart*>();
}

void PredictPage::refreshTiles() {
  const Prediction& now = m_data.now;
  m_stepTime->setValue(readable(now.step.step_ms), QStringLiteral("ms"),
                       now.baseline_step_ms ? tr("alone %1 ms").arg(readable(*now.baseline_step_ms))
                                            : tr("predicted"));
  const QString baseline = QString::fromStdString(now.baseline);
  m_speedup->setInk(inkOfSpeedup(now.speedup));
  m_speedup->setValue(now.speedup ? timesText(*now.speedup) : QStringLiteral("–"), {},
                      now.baseline.empty() ? tr("no baseline") : tr("against %1").arg(baseline),
                      now.baseline.empty() ? QString() : tr("vs %1").arg(baseline));
  m_communication->setValue(percentText(std::max(0.0, now.comm_share())), QStringLiteral("%"),
                            tr("of the step"));
  m_traffic->setValue(readable(static_cast<double>(now.step.bytes) / 1e6), QStringLiteral("MB"),
                      tr("a step, both directions"), tr("a step"));
  switch (m_data.breakEven.kind) {
    case BreakEven::Kind::kAlways:
      m_breakEven->setValue(tr("always"), {}, tr("pays at any bandwidth"), tr("at any bandwidth"));
      break;
    case BreakEven::Kind::kNever:
      m_breakEven->setValue(tr("never"), {}, tr("pays at no bandwidth"), tr("at no bandwidth"));
      break;
    case BreakEven::Kind::kUnasked:
      m_breakEven->setValue(QStringLiteral("–"), {}, tr("no default link in use"), tr("own links"));
      break;
    case BreakEven::Kind::kAt: {
      // As the verdict says it, "22 Gb/s": more digits would promise more than is known.
      const QStringList parts =
          QString::fromStdString(break_even_text(m_data.breakEven)).split(QLatin1Char(' '));
      m_breakEven->setValue(parts.front(), parts.back(), tr("pays from here on"));
      break;
    }
  }
}

void PredictPage::restyle() {
  setInk(m_emptyTitle, Ink::Text, TextStyle::Heading);
  setInk(m_emptyText, Ink::MutedText, TextStyle::Body);
  setInk(m_progressText, Ink::MutedText, TextStyle::Small);
  setInk(m_verdict, Ink::Text, TextStyle::Title);
  setInk(m_axisHint, Ink::MutedText, TextStyle::Small);
}

}  // namespace convoy::ui
