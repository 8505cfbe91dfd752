// Downloads a data set on a thread of its own.
//
// GUI thread only; every function returns at once, except the destructor, which cancels and joins.
#pragma once

#include <QObject>
#include <QString>
#include <QTimer>
#include <memory>
#include <thread>

#include "datasets/fetch.h"

namespace convoy::ui {

class DatasetDownload : public QObject {
  Q_OBJECT

 public:
  explicit DatasetDownload(QObject* parent = nullptr);
  ~DatasetDownload() override;

  bool isActive() const { return m_job != nullptr; }
  DatasetKind kind() const { return m_kind; }
  // Does nothing while a download is going on. progress and stop of `options` are replaced.
  void start(DatasetKind kind, const FetchOptions& options = {});
  void cancel();

 signals:
  // In bytes; total 0 when unknown.
  void progressed(qint64 done, qint64 total, const QString& phase);
  // One of these three ends every download.
  void finished(const QString& folder, bool wasThere);
  void cancelled();
  void failed(const QString& message);

 private:
  struct Job;

  void tick();

  DatasetKind m_kind = DatasetKind::kCifar10;
  std::unique_ptr<Job> m_job;
  std::thread m_thread;
  QTimer m_timer;
};

}  // namespace convoy::ui
