#include "ui/run_status.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QLocale>
#include <QProgressBar>
#include <cmath>

#include "ui/theme/theme.h"

namespace convoy::ui {
namespace {

constexpr int kBarHeight = 6;

}  // namespace

QString durationText(double seconds) {
  const auto whole = static_cast<qint64>(std::llround(seconds));
  const auto two = [](qint64 number) {
    return QStringLiteral("%1").arg(number, 2, 10, QLatin1Char('0'));
  };
  if (whole >= 3600)
    return QStringLiteral("%1:%2:%3")
        .arg(QString::number(whole / 3600), two(whole / 60 % 60), two(whole % 60));
  return QStringLiteral("%1:%2").arg(QString::number(whole / 60), two(whole % 60));
}

RunStatus::RunStatus(const RunStore* store, const EngineRunner* runner, QWidget* parent)
    : QWidget(parent),
      m_store(store),
      m_runner(runner),
      m_phase(new QLabel(this)),
      m_progress(new QProgressBar(this)),
      m_time(new QLabel(this)) {
  m_phase->setAccessibleName(tr("Phase of the run"));
  m_progress->setAccessibleName(tr("Progress of the run"));
  m_progress->setTextVisible(false);
  m_progress->setFixedHeight(kBarHeight);
  m_time->setAccessibleName(tr("Elapsed and remaining time"));
  m_time->setMinimumWidth(
      m_time->fontMetrics().horizontalAdvance(tr("%1 elapsed · %2 left").arg("00:00", "00:00")));
  m_time->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
  m_phase->setMinimumWidth(m_phase->fontMetrics().averageCharWidth() * 40);
  auto* layout = new QHBoxLayout(this);
  layout->setContentsMargins(Space::kSmall, 0, Space::kSmall, 0);
  layout->setSpacing(Space::kLarge);
  layout->addWidget(m_phase);
  layout->addWidget(m_progress, 1);
  layout->addWidget(m_time);
  m_second.setInterval(1000);
  connect(&m_second, &QTimer::timeout, this, &RunStatus::update);
  connect(store, &RunStore::changed, this, &RunStatus::update);
  connect(runner, &EngineRunner::stateChanged, this, &RunStatus::follow);
  connect(&Theme::instance(), &Theme::changed, this, &RunStatus::restyle);
  restyle();
  update();
}

void RunStatus::restyle() {
  const auto name = [](Ink which) { return Theme::instance().color(which).name(); };
  m_progress->setStyleSheet(
      QStringLiteral("QProgressBar { border: none; border-radius: %3px; background: %1; }"
                     "QProgressBar::chunk { border-radius: %3px; background: %2; }")
          .arg(name(Ink::Border), name(Ink::Accent))
          .arg(kBarHeight / 2));
}

void RunStatus::follow() {
  if (m_runner->isActive() && m_runner->job() != m_job) {
    m_job = m_runner->job();
    m_elapsed.start();
    m_second.start();
  }
  if (!m_runner->isActive()) m_second.stop();
  update();
}

QString RunStatus::phaseText() const {
  if (m_runner->state() == EngineRunner::State::Stopping) return tr("Stopping…");
  const bool paused = m_runner->state() == EngineRunner::State::Paused;
  const auto& progress = m_store->progress();
  switch (m_store->state()) {
    case RunStore::State::Idle:
      return m_runner->isActive() ? tr("Starting…") : QString();  // the page says it
    case RunStore::State::Training: {
      const QString text = tr("Step %1 of %2")
                               .arg(QLocale().toString(m_store->stepCount()),
                                    QLocale().toString(m_store->started().steps));
      return paused ? tr("Paused · %1").arg(text) : text;
    }
    case RunStore::State::Done:
      return tr("Finished");
    case RunStore::State::Stopped:
      return tr("Stopped");
    case RunStore::State::Failed:
      return tr("Failed");
    case RunStore::State::Preparing:
    case RunStore::State::Calibrating:
    case RunStore::State::Baseline:
    case RunStore::State::Testing:
      break;
  }
  QString text = progress.what;
  if (!text.isEmpty()) text[0] = text[0].toUpper();
  return text;
}

void RunStatus::update() {
  const bool active = m_runner->isActive();
  m_phase->setText(phaseText());
  m_progress->setVisible(active);
  const bool training = m_store->state() == RunStore::State::Training;
  const int done = training ? m_store->stepCount() : m_store->progress().done;
  const int total = training ? m_store->started().steps : m_store->progress().total;
  m_progress->setRange(0, total);
  m_progress->setValue(done);
  if (!active) {
    if (m_job == 0) m_time->clear();
    return;
  }
  const QString elapsed =
      tr("%1 elapsed").arg(durationText(static_cast<double>(m_elapsed.elapsed()) / 1000.0));
  const auto left = m_store->secondsLeft();
  m_time->setText(left ? tr("%1 · %2 left").arg(elapsed, durationText(std::ceil(*left))) : elapsed);
}

}  // namespace convoy::ui
