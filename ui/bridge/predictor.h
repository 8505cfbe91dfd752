// Predicts on a thread of its own, and calibrates on another, for the Predict page.
//
// All functions are called on the GUI's thread and return at once, except the destructor, which
// stops and joins. Signals arrive on the GUI's thread.
#pragma once

#include <QObject>
#include <QString>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "ui/predict/prediction_data.h"

namespace convoy::ui {

class Predictor : public QObject {
  Q_OBJECT

 public:
  // What calibrates: calibrate_only(), unless a test brings its own.
  using Calibrate = std::function<CalibrationRecord(const Experiment&, RunControl&,
                                                    const std::vector<RunListener*>&)>;

  explicit Predictor(QObject* parent = nullptr, Calibrate calibrate = calibrate_only);
  ~Predictor() override;

  // What is predicted from; a newer record of the same problem takes the older one's place.
  void add(const std::vector<CalibrationRecord>& records);
  bool isEmpty() const { return m_study->records().empty(); }

  // Answered by predicted(). Of several requests at once only the last is worked out.
  void request(const PredictionRequest& request);

  // Measures the experiment's devices now. One at a time; another call is ignored meanwhile.
  void calibrate(const Experiment& experiment);
  void stopCalibration();
  bool isCalibrating() const { return m_control != nullptr; }

 signals:
  void predicted(const convoy::ui::PredictionData& data);
  void calibrationProgress(const QString& what, int done, int total);
  // Empty: done, and what was measured has been added. Stopped is no failure either.
  void calibrationEnded(const QString& failure);

 private:
  struct Work {
    std::shared_ptr<const PredictionStudy> study;
    PredictionRequest request;
  };

  void work();
  void endCalibration(const std::optional<CalibrationRecord>& record, const QString& failure);

  Calibrate m_calibrate;
  std::shared_ptr<const PredictionStudy> m_study;  // shared with the thread, never changed
  std::unique_ptr<RunControl> m_control;           // of the calibration that is going on
  std::thread m_calibration;

  std::mutex m_mutex;  // guards the two below
  std::optional<Work> m_next;
  bool m_quit = false;
  std::condition_variable m_wake;
  std::thread m_thread;
};

}  // namespace convoy::ui
