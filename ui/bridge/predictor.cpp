#include "ui/bridge/predictor.h"

#include <utility>

#include "engine/base/error.h"
#include "engine/base/stop_token.h"
#include "engine/results/run_events.h"

namespace convoy::ui {
namespace {

// Passes the phases on to the GUI's thread.
class ProgressListener : public RunListener {
 public:
  explicit ProgressListener(Predictor* predictor) : m_predictor(predictor) {}

  void on_phase(RunPhase, const std::string& what, int done, int total) override {
    QMetaObject::invokeMethod(
        m_predictor,
        [predictor = m_predictor, text = QString::fromStdString(what), done, total] {
          emit predictor->calibrationProgress(text, done, total);
        },
        Qt::QueuedConnection);
  }

 private:
  Predictor* m_predictor;
};

}  // namespace

Predictor::Predictor(QObject* parent, Calibrate calibrate)
    : QObject(parent),
      m_calibrate(std::move(calibrate)),
      m_study(std::make_shared<const PredictionStudy>()),
      m_thread([this] { work(); }) {}

Predictor::~Predictor() {
  stopCalibration();
  if (m_calibration.joinable()) m_calibration.join();
  {
    const std::lock_guard lock(m_mutex);
    m_quit = true;
  }
  m_wake.notify_one();
  m_thread.join();
}

void Predictor::add(const std::vector<CalibrationRecord>& records) {
  auto study = std::make_shared<PredictionStudy>(*m_study);
  for (const CalibrationRecord& record : records) study->add(record);
  m_study = std::move(study);
}

void Predictor::request(const PredictionRequest& request) {
  {
    const std::lock_guard lock(m_mutex);
    m_next = Work{m_study, request};
  }
  m_wake.notify_one();
}

void Predictor::work() {
  while (true) {
    Work work;
    {
      std::unique_lock lock(m_mutex);
      m_wake.wait(lock, [this] { return m_quit || m_next; });
      if (m_quit) return;
      work = *std::exchange(m_next, std::nullopt);
    }
    PredictionData data =
        work.study->records().empty() ? PredictionData() : ui::calculate(*work.study, work.request);
    QMetaObject::invokeMethod(
        this, [this, data = std::move(data)] { emit predicted(data); }, Qt::QueuedConnection);
  }
}

void Predictor::calibrate(const Experiment& experiment) {
  if (isCalibrating()) return;
  if (m_calibration.joinable()) m_calibration.join();
  m_control = std::make_unique<RunControl>();
  m_calibration = std::thread([this, experiment, control = m_control.get()] {
    std::optional<CalibrationRecord> record;
    QString failure;
    ProgressListener listener(this);
    try {
      record = m_calibrate(experiment, *control, {&listener});
    } catch (const Interrupted&) {
      // Somebody pressed Stop.
    } catch (const std::exception& error) {
      failure = QString::fromUtf8(error.what());
    }
    QMetaObject::invokeMethod(
        this, [this, record, failure] { endCalibration(record, failure); }, Qt::QueuedConnection);
  });
}

void Predictor::stopCalibration() {
  if (m_control) m_control->request_stop();
}

void Predictor::endCalibration(const std::optional<CalibrationRecord>& record,
                               const QString& failure) {
  m_calibration.join();
  m_control.reset();
  if (record) add({*record});
  emit calibrationEnded(failure);
}

}  // namespace convoy::ui
