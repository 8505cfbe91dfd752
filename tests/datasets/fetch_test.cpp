// Downloading, against a server on this machine.
#include "datasets/fetch.h"

#include <QTemporaryDir>
#include <QtTest>

#include "datasets/md5.h"
#include "tests/datasets/http_server.h"
#include "tests/datasets/test_files.h"

using namespace convoy;
using namespace convoy::test;

namespace {

std::string md5_of(const std::string& bytes) {
  Md5 md5;
  md5.update(bytes);
  return md5.finish();
}

std::string range_from(std::size_t first) {
  return std::string("bytes=").append(std::to_string(first)).append("-");
}

constexpr const char* kArchive = "/cifar-10-binary.tar.gz";

}  // namespace

class FetchTest : public QObject {
  Q_OBJECT

  std::unique_ptr<QTemporaryDir> temporary_;
  std::unique_ptr<HttpServer> server_;
  std::string archive_;
  fs::path folder_, target_, part_;
  std::vector<std::string> phases_;

  FetchOptions options() {
    FetchOptions options;
    options.url = server_->url(kArchive);
    options.checksums = {md5_of(archive_)};
    options.folder = folder_;
    options.download.retry_wait = std::chrono::milliseconds(1);
    options.progress = [this](std::uint64_t, std::uint64_t, std::string_view phase) {
      if (phases_.empty() || phases_.back() != phase) phases_.emplace_back(phase);
    };
    return options;
  }
  std::string error(const FetchOptions& options, ErrorKind kind = ErrorKind::kData) const {
    return error_of(kind, [&] { fetch_dataset(DatasetKind::kCifar10, options); });
  }
  // The names in the folder, hidden ones too.
  std::vector<std::string> left_over() const {
    std::vector<std::string> names;
    if (fs::exists(folder_))
      for (const auto& entry : fs::directory_iterator(folder_))
        names.push_back(entry.path().filename());
    return names;
  }
  bool is_in_place() const {
    return left_over() == std::vector<std::string>{"cifar-10-batches-bin"} &&
           read_file(target_ / "data_batch_5.bin") == cifar_records(16, 4) &&
           read_file(target_ / "test_batch.bin") == cifar_records(1000, 4);
  }
  bool said(const std::string& text) const {
    return std::any_of(phases_.begin(), phases_.end(), [&](const std::string& phase) {
      return phase.find(text) != std::string::npos;
    });
  }

 private slots:
  void init() {
    temporary_ = std::make_unique<QTemporaryDir>();
    QVERIFY(temporary_->isValid());
    server_ = std::make_unique<HttpServer>();
    archive_ = cifar10_archive();
    server_->set(kArchive, {archive_});
    folder_ = fs::path(temporary_->path().toStdString()) / "new" / "datasets";
    target_ = folder_ / "cifar-10-batches-bin";
    part_ = folder_ / "cifar-10-binary.tar.gz.part";
    phases_.clear();
  }

  void fetchesUnpacksAndLeavesNothingElse() {
    std::uint64_t last = 0, total = 0;
    FetchOptions with_progress = options();
    const auto record = with_progress.progress;
    with_progress.progress = [&](std::uint64_t bytes, std::uint64_t all, std::string_view phase) {
      if (phase.starts_with("downloading")) {
        last = bytes;
        total = all;
      }
      record(bytes, all, phase);
    };
    const FetchedDataset fetched = fetch_dataset(DatasetKind::kCifar10, with_progress);
    QVERIFY(!fetched.was_there);
    QVERIFY(fetched.folder == target_);
    QVERIFY(is_in_place());
    QVERIFY(!fs::exists(target_ / "readme.html"));
    QCOMPARE(last, std::uint64_t{archive_.size()});
    QCOMPARE(total, std::uint64_t{archive_.size()});
    QVERIFY(said("downloading cifar-10-binary.tar.gz"));
    QVERIFY(said("unpacking"));
    // Both the data set's folder and the one above can be trained from.
    for (const fs::path& path : {fetched.folder, folder_}) {
      DatasetSpec spec{DatasetKind::kCifar10, path.string(), {}, {}, true, {}};
      QCOMPARE(load_dataset(spec, 0).train.count(), 20);
    }
  }

  void leavesAReadableSetAlone() {
    fetch_dataset(DatasetKind::kCifar10, options());
    QVERIFY(fetch_dataset(DatasetKind::kCifar10, options()).was_there);
    QCOMPARE(server_->answers().size(), std::size_t{1});
  }

  void replacesADamagedSet() {
    fetch_dataset(DatasetKind::kCifar10, options());
    write_file(target_ / "data_batch_3.bin", "damaged");
    QVERIFY(!fetch_dataset(DatasetKind::kCifar10, options()).was_there);
    QVERIFY(is_in_place());
    QVERIFY(said("data_batch_3.bin: byte 0: the file of 7 bytes"));
  }

  void aDamagedSetStaysWhenNothingBetterArrives() {
    write_file(target_ / "data_batch_1.bin", "damaged");
    server_->set(kArchive, {"gone", 404});
    VERIFY_CONTAINS(error(options()), "404");
    QCOMPARE(read_file(target_ / "data_batch_1.bin"), std::string("damaged"));
  }

  void resumesWhenTheConnectionIsCut() {
    server_->set(kArchive, {.content = archive_, .cuts = 1});
    fetch_dataset(DatasetKind::kCifar10, options());
    QVERIFY(is_in_place());
    const auto answers = server_->answers();
    QCOMPARE(answers.size(), std::size_t{2});
    QCOMPARE(answers[1].range, range_from(answers[0].body_bytes));
    QCOMPARE(answers[0].body_bytes + answers[1].body_bytes, archive_.size());
    QVERIFY(said("trying again (2 of 3)"));
  }

  void aLaterCallResumes() {
    server_->set(kArchive, {.content = archive_, .cuts = 2});
    FetchOptions twice = options();
    twice.download.tries = 2;
    const std::string message = error(twice);
    VERIFY_CONTAINS(message, server_->url(kArchive) + ": cannot download: ");
    VERIFY_CONTAINS(message, part_.string() + ", the next fetch resumes there");
    QCOMPARE(left_over(), std::vector<std::string>{part_.filename()});
    const std::size_t there = fs::file_size(part_);
    QVERIFY(there > archive_.size() / 2 && there < archive_.size());

    fetch_dataset(DatasetKind::kCifar10, options());
    QVERIFY(is_in_place());
    const auto answers = server_->answers();
    QCOMPARE(answers.size(), std::size_t{3});
    QCOMPARE(answers[2].range, range_from(there));
    QCOMPARE(answers[2].body_bytes, archive_.size() - there);
  }

  void startsOverWithoutRangeSupport() {
    server_->set(kArchive, {.content = archive_, .ranges = false, .cuts = 1});
    fetch_dataset(DatasetKind::kCifar10, options());
    QVERIFY(is_in_place());
    QCOMPARE(server_->answers().back().body_bytes, archive_.size());
  }

  void startsOverWhenTheResumedStartWasWrong() {
    write_file(part_, std::string(1000, 'x'));
    fetch_dataset(DatasetKind::kCifar10, options());
    QVERIFY(is_in_place());
    const auto answers = server_->answers();
    QCOMPARE(answers.size(), std::size_t{2});
    QCOMPARE(answers[0].range, std::string("bytes=1000-"));
    QCOMPARE(answers[1].range, std::string());
  }

  void startsOverWhenThePartIsTooLong() {
    write_file(part_, archive_ + "more");
    fetch_dataset(DatasetKind::kCifar10, options());
    QVERIFY(is_in_place());
    QVERIFY(said("the server will not resume; starting over"));
  }

  void aCompletePartNeedsNoServer() {
    write_file(part_, archive_);
    fetch_dataset(DatasetKind::kCifar10, options());
    QVERIFY(is_in_place());
    QVERIFY(server_->answers().empty());
  }

  void refusesAWrongChecksum() {
    FetchOptions official = options();
    official.checksums.clear();
    const std::string message = error(official);
    VERIFY_CONTAINS(message, "MD5 " + md5_of(archive_));
    VERIFY_CONTAINS(message, "expected c32a1d4ab5d03f1284b67883e8d87530; nothing was kept");
    QVERIFY(left_over().empty());
  }

  void refusesUnreadableArchives() {
    const std::string folder = "cifar-10-batches-bin/";
    std::vector<TarMember> members = {{folder + "batches.meta.txt", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj"},
                                      {folder + "test_batch.bin", cifar_records(0, 1)}};
    const auto error_with = [&](const std::string& archive) {
      archive_ = archive;
      server_->set(kArchive, {archive});
      return error(options());
    };
    VERIFY_CONTAINS(error_with(gzip(tar(members))), "the archive lacks " + folder);
    for (int i = 1; i <= 5; ++i)
      members.push_back({folder + "data_batch_" + std::to_string(i) + ".bin", "too short"});
    VERIFY_CONTAINS(
        error_with(gzip(tar(members))),
        kArchive + std::string(": what arrived is no readable data set: data_batch_1.bin: byte 0"));
    VERIFY_CONTAINS(error_with("<html>Moved</html>"), "damaged gzip data");
    QVERIFY(!fs::exists(target_));
    QCOMPARE(left_over(), std::vector<std::string>{});
  }

  void followsRedirects() {
    server_->set("/old", {.content = "", .redirect = kArchive});
    FetchOptions moved = options();
    moved.url = server_->url("/old");
    fetch_dataset(DatasetKind::kCifar10, moved);
    QVERIFY(is_in_place());
  }

  void reportsNotFound() {
    FetchOptions wrong = options();
    wrong.url = server_->url("/nothing");
    VERIFY_CONTAINS(error(wrong), "/nothing: cannot download: the server answered 404 (not found)");
    QVERIFY(left_over().empty());
    QCOMPARE(server_->answers().size(), std::size_t{1});
  }

  void triesAgainWhenTheServerFails() {
    server_->set(kArchive, {"busy", 503});
    VERIFY_CONTAINS(error(options()), "the server answered 503");
    QCOMPARE(server_->answers().size(), std::size_t{3});
    QVERIFY(left_over().empty());
  }

  void reportsNoServer() {
    const FetchOptions nowhere = options();
    server_.reset();
    VERIFY_CONTAINS(error(nowhere), "cannot download: Failed to connect to 127.0.0.1");
    QVERIFY(left_over().empty());
  }

  void refusesOtherProtocols() {
    FetchOptions local = options();
    local.url = "file:///etc/passwd";
    VERIFY_CONTAINS(error(local), "file:///etc/passwd: cannot download: Protocol \"file\"");
  }

  void refusesTooMuch() {
    FetchOptions small = options();
    small.download.max_bytes = 1000;
    VERIFY_CONTAINS(error(small), "the server sends more than the 1000 bytes");
    QVERIFY(!fs::exists(target_));
  }

  // The server keeps silent until the test ends: only the stop can bring the call back, since the
  // stall timeout would make it an Error.
  void stopsAtOnceWhileTheServerIsSilent() {
    server_->set(kArchive, {.content = archive_, .stalls = true});
    StopToken stop;
    FetchOptions stopped = options();
    stopped.stop = &stop;
    const auto record = stopped.progress;
    stopped.progress = [&](std::uint64_t bytes, std::uint64_t total, std::string_view phase) {
      record(bytes, total, phase);
      if (bytes > 0) stop.request_stop();
    };
    QVERIFY_EXCEPTION_THROWN(fetch_dataset(DatasetKind::kCifar10, stopped), Interrupted);
    QVERIFY(!fs::exists(target_));
    QCOMPARE(left_over(), std::vector<std::string>{part_.filename()});
    QVERIFY(said("stopped; " + part_.string() + " stays, the next fetch resumes it"));

    const std::size_t there = fs::file_size(part_);
    QVERIFY(there > 0 && there < archive_.size());
    server_->set(kArchive, {archive_});
    fetch_dataset(DatasetKind::kCifar10, options());
    QVERIFY(is_in_place());
    QCOMPARE(server_->answers().back().body_bytes, archive_.size() - there);
  }

  void reportsAStall() {
    server_->set(kArchive, {.content = archive_, .stalls = true});
    FetchOptions impatient = options();
    impatient.download.stall_timeout = std::chrono::seconds(1);
    impatient.download.tries = 1;
    VERIFY_CONTAINS(error(impatient), "Operation too slow");
  }

  void reportsAFullDisk() {
    fs::create_directories(folder_);
    fs::create_symlink("/dev/full", part_);
    VERIFY_CONTAINS(error(options(), ErrorKind::kRun),
                    part_.string() + ": cannot write the file: No space left on device");
    QVERIFY(!fs::exists(target_));
  }

  void reportsADestinationThatCannotBeMade() {
    write_file(folder_.parent_path(), "a file where the folder should be");
    VERIFY_CONTAINS(error(options(), ErrorKind::kRun),
                    folder_.string() + ": cannot make the folder: Not a directory");
  }

  void fetchesTheFourFilesOfMnist() {
    FetchOptions mnist = options();
    mnist.url = server_->url("/mirror");
    mnist.checksums.clear();
    write_mnist(folder_ / "made", false, true);
    for (const std::string& name : fetched_files(DatasetKind::kMnist)) {
      const std::string content = read_file(folder_ / "made" / name);
      mnist.checksums.push_back(md5_of(content));
      server_->set("/mirror/" + name, {content});
    }
    fs::remove_all(folder_ / "made");
    const FetchedDataset fetched = fetch_dataset(DatasetKind::kMnist, mnist);
    QCOMPARE(left_over(), std::vector<std::string>{"mnist"});
    DatasetSpec spec{DatasetKind::kMnist, fetched.folder.string(), {}, {}, true, {}};
    QCOMPARE(load_dataset(spec, 0).train.count(), 6);
    QCOMPARE(server_->answers().size(), std::size_t{4});
  }

  void refusesWhatCannotBeFetched() {
    const auto usage_error = [](DatasetKind kind, const FetchOptions& options) {
      return error_of(ErrorKind::kUsage, [&] { fetch_dataset(kind, options); });
    };
    VERIFY_CONTAINS(usage_error(DatasetKind::kSynthetic, options()),
                    "valid are cifar10, cifar100 and mnist");
    FetchOptions wrong = options();
    wrong.checksums = {"12"};
    VERIFY_CONTAINS(usage_error(DatasetKind::kCifar10, wrong), "'12' is no MD5 sum");
    wrong.checksums = {};
    wrong.checksums.resize(2);
    VERIFY_CONTAINS(usage_error(DatasetKind::kCifar10, wrong), "2 given; cifar10 has 1 file(s)");
  }
};

QTEST_APPLESS_MAIN(FetchTest)
#include "fetch_test.moc"
