#include "ui/bridge/dataset_download.h"

#include <atomic>
#include <mutex>

#include "engine/base/error.h"

namespace convoy::ui {

struct DatasetDownload::Job {
  StopToken stop;
  std::atomic<bool> ended{false};

  std::mutex mutex;  // guards the three below
  qint64 done = 0, total = 0;
  QString phase;

  // Written by the thread before `ended`, read after it.
  QString folder, failure;
  bool wasThere = false, wasCancelled = false;

  void run(DatasetKind kind, FetchOptions options) noexcept {
    options.stop = &stop;
    options.progress = [this](std::uint64_t bytes, std::uint64_t all, std::string_view what) {
      const std::lock_guard lock(mutex);
      done = static_cast<qint64>(bytes);
      total = static_cast<qint64>(all);
      phase = QString::fromUtf8(what.data(), static_cast<qsizetype>(what.size()));
    };
    try {
      const FetchedDataset fetched = fetch_dataset(kind, options);
      folder = QString::fromStdString(fetched.folder.string());
      wasThere = fetched.was_there;
    } catch (const Interrupted&) {
      wasCancelled = true;
    } catch (const std::exception& error) {
      failure = QString::fromUtf8(error.what());
    }
    ended.store(true);
  }
};

DatasetDownload::DatasetDownload(QObject* parent) : QObject(parent) {
  m_timer.setInterval(100);
  connect(&m_timer, &QTimer::timeout, this, &DatasetDownload::tick);
}

DatasetDownload::~DatasetDownload() {
  cancel();
  if (m_thread.joinable()) m_thread.join();
}

void DatasetDownload::start(DatasetKind kind, const FetchOptions& options) {
  if (m_job) return;
  m_kind = kind;
  m_job = std::make_unique<Job>();
  m_thread = std::thread([job = m_job.get(), kind, options] { job->run(kind, options); });
  m_timer.start();
}

void DatasetDownload::cancel() {
  if (m_job) m_job->stop.request_stop();
}

void DatasetDownload::tick() {
  if (!m_job->ended.load()) {
    qint64 done = 0, total = 0;
    QString phase;
    {
      const std::lock_guard lock(m_job->mutex);
      done = m_job->done;
      total = m_job->total;
      phase = m_job->phase;
    }
    emit progressed(done, total, phase);
    return;
  }
  m_timer.stop();
  m_thread.join();
  const auto job = std::move(m_job);
  if (job->wasCancelled)
    emit cancelled();
  else if (!job->failure.isEmpty())
    emit failed(job->failure);
  else
    emit finished(job->folder, job->wasThere);
}

}  // namespace convoy::ui
