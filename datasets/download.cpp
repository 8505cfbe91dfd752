#include "datasets/download.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <thread>

#include "datasets/data_file.h"

namespace convoy {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kPoll{50};

void init_curl_once() {
  static const CURLcode result = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (result != CURLE_OK)
    throw Error(ErrorKind::kRun, "libcurl",
                std::string("cannot start: ") + curl_easy_strerror(result));
}

// The file under construction, locked against a second program that downloads it too.
class PartFile {
 public:
  explicit PartFile(const std::filesystem::path& path) : path_(path) {
    file_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (file_ < 0) fail("cannot write the file", errno);
    if (::flock(file_, LOCK_EX | LOCK_NB) != 0) {
      const int reason = errno;
      ::close(file_);
      if (reason == EWOULDBLOCK)
        throw Error(ErrorKind::kRun, path.string(), "another program is downloading this file");
      fail("cannot lock the file", reason);
    }
    struct stat info {};
    if (::fstat(file_, &info) == 0) size_ = static_cast<std::uint64_t>(info.st_size);
  }
  ~PartFile() { ::close(file_); }
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  std::uint64_t size() const { return size_; }
  int error() const { return error_; }

  bool truncate() {
    if (::ftruncate(file_, 0) != 0) error_ = errno;
    size_ = 0;
    return error_ == 0;
  }
  bool append(const char* bytes, std::size_t count) {
    while (count > 0) {
      const ssize_t written = ::write(file_, bytes, count);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) {
        error_ = errno;
        return false;
      }
      bytes += written;
      count -= static_cast<std::size_t>(written);
      size_ += static_cast<std::uint64_t>(written);
    }
    return true;
  }
  [[noreturn]] void fail(const char* what, int reason) const {
    throw Error(ErrorKind::kRun, path_.string(), std::string(what) + ": " + std::strerror(reason));
  }

 private:
  std::filesystem::path path_;
  int file_ = -1;
  std::uint64_t size_ = 0;
  int error_ = 0;
};

// One attempt: a transfer that is polled, so that a stop is seen at once even while a server or a
// name lookup keeps silent.
class Transfer {
 public:
  enum class Outcome { kDone, kBroken, kCannotResume, kRefused };

  Transfer(const std::string& url, PartFile& file, const DownloadOptions& options)
      : file_(file),
        options_(options),
        start_(file.size()),
        easy_(curl_easy_init()),
        multi_(curl_multi_init()) {
    if (!easy_ || !multi_) throw Error(ErrorKind::kRun, "libcurl", "not enough memory");
    CURL* easy = easy_.get();
    curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "convoy/" CONVOY_VERSION);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, 5L);
    curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);  // do not wait for a name lookup on a stop
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT,
                     static_cast<long>(options.connect_timeout.count()));
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME,
                     static_cast<long>(options.stall_timeout.count()));
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_text_);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Transfer::write);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
    // Not CURLOPT_RESUME_FROM, which fails on a server without Range; here that means "from the
    // start".
    if (start_ > 0) curl_easy_setopt(easy, CURLOPT_RANGE, (std::to_string(start_) + "-").c_str());
    curl_multi_add_handle(multi_.get(), easy);
  }
  ~Transfer() { curl_multi_remove_handle(multi_.get(), easy_.get()); }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  Outcome run() {
    int running = 1;
    Clock::time_point reported{};
    while (running > 0) {
      if (options_.stop) options_.stop->throw_if_stopped();
      curl_multi_perform(multi_.get(), &running);
      if (options_.progress && Clock::now() - reported >= std::chrono::milliseconds(100)) {
        reported = Clock::now();
        options_.progress(file_.size(), total());
      }
      if (running > 0) curl_multi_poll(multi_.get(), nullptr, 0, kPoll.count(), nullptr);
    }
    if (options_.progress) options_.progress(file_.size(), total());
    int left = 0;
    const CURLMsg* message = curl_multi_info_read(multi_.get(), &left);
    result_ = message ? message->data.result : CURLE_OK;
    return outcome();
  }

  // Why the transfer did not succeed, for a person.
  std::string reason() const {
    if (too_large_)
      return "the server sends more than the " + bytes_text(options_.max_bytes) +
             " that the file may have";
    if (result_ == CURLE_HTTP_RETURNED_ERROR)
      return "the server answered " + std::to_string(response_code()) +
             (response_code() == 404 ? " (not found)" : "");
    return error_text_[0] ? error_text_ : curl_easy_strerror(result_);
  }

 private:
  static std::size_t write(char* bytes, std::size_t size, std::size_t count, void* self_pointer) {
    auto& self = *static_cast<Transfer*>(self_pointer);
    constexpr long kPartialContent = 206;
    if (!self.started_ && self.start_ > 0 && self.response_code() != kPartialContent) {
      if (!self.file_.truncate()) return 0;
      self.start_ = 0;
    }
    self.started_ = true;
    if (size * count >
        self.options_.max_bytes - std::min(self.file_.size(), self.options_.max_bytes)) {
      self.too_large_ = true;
      return 0;  // makes libcurl end the transfer
    }
    return self.file_.append(bytes, size * count) ? size * count : 0;
  }

  Outcome outcome() const {
    if (file_.error() != 0) file_.fail("cannot write the file", file_.error());
    if (too_large_) return Outcome::kRefused;
    switch (result_) {
      case CURLE_OK:
        return Outcome::kDone;
      case CURLE_HTTP_RETURNED_ERROR:
        if (response_code() == 416 && start_ > 0) return Outcome::kCannotResume;
        return response_code() >= 500 ? Outcome::kBroken : Outcome::kRefused;
      case CURLE_PARTIAL_FILE:
      case CURLE_OPERATION_TIMEDOUT:
      case CURLE_GOT_NOTHING:
      case CURLE_SEND_ERROR:
      case CURLE_RECV_ERROR:
      case CURLE_HTTP2:
      case CURLE_HTTP2_STREAM:
        return Outcome::kBroken;
      default:
        return Outcome::kRefused;
    }
  }

  long response_code() const {
    long code = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &code);
    return code;
  }

  std::uint64_t total() const {
    curl_off_t length = -1;
    curl_easy_getinfo(easy_.get(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    return started_ && length > 0 ? start_ + static_cast<std::uint64_t>(length) : 0;
  }

  struct Cleanup {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  };
  struct MultiCleanup {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
  };

  PartFile& file_;
  const DownloadOptions& options_;
  std::uint64_t start_;  // size of the file when the server began to send
  bool started_ = false;
  bool too_large_ = false;
  CURLcode result_ = CURLE_OK;
  char error_text_[CURL_ERROR_SIZE] = "";
  std::unique_ptr<CURL, Cleanup> easy_;
  std::unique_ptr<CURLM, MultiCleanup> multi_;
};

void wait(std::chrono::milliseconds duration, const StopToken* stop) {
  for (const auto end = Clock::now() + duration; Clock::now() < end;) {
    if (stop) stop->throw_if_stopped();
    std::this_thread::sleep_for(std::min<Clock::duration>(kPoll, end - Clock::now()));
  }
}

}  // namespace

void download(const std::string& url, const std::filesystem::path& path,
              const DownloadOptions& options) {
  init_curl_once();
  PartFile file(path);
  for (int attempt = 1;; ++attempt) {
    Transfer transfer(url, file, options);
    const Transfer::Outcome outcome = transfer.run();
    if (outcome == Transfer::Outcome::kDone) return;
    const std::string there = file.size() == 0
                                  ? std::string()
                                  : "; the " + bytes_text(file.size()) + " that arrived stay in " +
                                        path.string() + ", the next fetch resumes there";
    if (outcome == Transfer::Outcome::kRefused || attempt >= options.tries) {
      if (file.size() == 0) ::unlink(path.c_str());
      throw Error(ErrorKind::kData, url, "cannot download: " + transfer.reason() + there);
    }
    if (outcome == Transfer::Outcome::kCannotResume) {
      if (!file.truncate()) file.fail("cannot write the file", file.error());
      if (options.message) options.message("the server will not resume; starting over");
      continue;
    }
    if (options.message)
      options.message(transfer.reason() + " at " + bytes_text(file.size()) + "; trying again (" +
                      std::to_string(attempt + 1) + " of " + std::to_string(options.tries) + ")");
    wait(options.retry_wait, options.stop);
  }
}

}  // namespace convoy
