// Compiled programs in files: what is whole and meant is found, nothing else ever is.
#include "engine/device/opencl_program_cache.h"

#include <sys/wait.h>
#include <unistd.h>

#include <QTemporaryDir>
#include <QTest>
#include <fstream>

#include "engine/base/atomic_file.h"

using namespace convoy;
namespace fs = std::filesystem;

namespace {

const ProgramKey kKey{"kernel void k() {}", "-DLANES=4", "A platform\n1.2\nA device\n7\n"};
const std::string kBinary(
    "\x7f"
    "ELF\0\x01 code",
    11);

void write(const fs::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

}  // namespace

class OpenClProgramCacheTest : public QObject {
  Q_OBJECT

 private:
  std::unique_ptr<QTemporaryDir> folder_;
  fs::path folder() const { return fs::path(folder_->path().toStdString()) / "deep" / "opencl"; }
  std::string content() const {
    return read_whole_file(ProgramCache(folder()).file(kKey), ErrorKind::kRun);
  }

 private slots:
  void init() { folder_ = std::make_unique<QTemporaryDir>(); }

  void what_is_kept_is_found_by_everybody() {
    const ProgramCache cache(folder());
    QVERIFY(!cache.find(kKey));
    cache.keep(kKey, kBinary);
    QVERIFY(cache.find(kKey) == kBinary);
    QVERIFY(ProgramCache(folder()).find(kKey) == kBinary);
    cache.keep(kKey, "newer");
    QVERIFY(ProgramCache(folder()).find(kKey) == "newer");
  }

  void any_difference_is_another_program() {
    const ProgramCache cache(folder());
    cache.keep(kKey, kBinary);
    std::vector<ProgramKey> others(5, kKey);
    others[0].source += " ";
    others[1].options = "-DLANES=8";
    others[2].device = "A platform\n1.2\nA device\n8\n";
    others[3] = {"", kKey.options + kKey.source, kKey.device};
    others[4] = {kKey.source, "", kKey.device + kKey.options};
    for (const ProgramKey& other : others) {
      QVERIFY(!cache.find(other));
      // Not even from its own place: a hash may be the same by chance.
      fs::copy_file(cache.file(kKey), cache.file(other));
      QVERIFY(!cache.find(other));
    }
  }

  void a_damaged_file_is_ignored_and_replaced_data() {
    QTest::addColumn<QByteArray>("damaged");
    ProgramCache(folder()).keep(kKey, kBinary);
    const auto good = QByteArray::fromStdString(content());
    QTest::newRow("empty") << QByteArray();
    QTest::newRow("too long") << good + "x";
    QTest::newRow("all zero") << QByteArray(good.size(), '\0');
    QTest::newRow("text") << QByteArray("{\"format\": \"else\"}");
    QTest::newRow("older") << QByteArray(good).replace("program 2", "program 1");
    QTest::newRow("no binary, but the rest is right") << [&] {
      ProgramCache(folder()).keep(kKey, "y");
      QByteArray file = QByteArray::fromStdString(content());
      file.chop(1);
      return file;
    }();
    for (qsizetype size = 1; size < good.size(); size += 5)
      QTest::addRow("cut off after %d", static_cast<int>(size)) << good.left(size);
    for (qsizetype byte = 0; byte < good.size(); ++byte) {
      QByteArray flipped = good;
      flipped[byte] = static_cast<char>(flipped[byte] ^ (1 << (byte % 8)));
      QTest::addRow("byte %d", static_cast<int>(byte)) << flipped;
    }
  }
  void a_damaged_file_is_ignored_and_replaced() {
    QFETCH(QByteArray, damaged);
    const ProgramCache cache(folder());
    fs::create_directories(folder());
    write(cache.file(kKey), damaged.toStdString());
    QVERIFY(!cache.find(kKey));
    cache.keep(kKey, kBinary);
    QVERIFY(cache.find(kKey) == kBinary);
  }

  void a_place_that_cannot_be_used_costs_nothing() {
    const ProgramCache nowhere("");
    nowhere.keep(kKey, kBinary);
    QVERIFY(!nowhere.find(kKey));

    const ProgramCache cache(folder());
    write(folder().parent_path(), "a file where the folder would be");
    cache.keep(kKey, kBinary);
    QVERIFY(!cache.find(kKey));

    fs::remove(folder().parent_path());
    fs::create_directories(cache.file(kKey));  // a folder where the file would be
    cache.keep(kKey, kBinary);
    QVERIFY(!cache.find(kKey));

    fs::remove_all(folder());
    fs::create_directories(folder() / "programs.lock");  // nor a lock
    cache.keep(kKey, kBinary);
    QVERIFY(!cache.find(kKey));
  }

  void the_oldest_are_deleted() {
    const auto key = [](int i) { return ProgramKey{std::to_string(i), "", ""}; };
    const std::string binary(1000, 'b');
    const ProgramCache cache(folder(), 5000);
    const auto start = fs::file_time_type::clock::now() - std::chrono::hours(1);
    for (int i = 0; i < 6; ++i) {
      cache.keep(key(i), binary);
      fs::last_write_time(cache.file(key(i)), start + std::chrono::seconds(i));
    }
    write(folder() / "somebody's", std::string(9000, 'x'));
    cache.keep(key(6), binary);
    for (int i = 0; i < 7; ++i) QCOMPARE(cache.find(key(i)).has_value(), i >= 3);
    QVERIFY(fs::exists(folder() / "somebody's"));
    cache.keep(key(7), std::string(6000, 'b'));  // larger than all that may be
    QVERIFY(!cache.find(key(7)));
  }

  // Several processes replace the same file; whoever reads finds one of theirs, or nothing yet.
  void many_processes_may_write_at_once() {
    constexpr int kProcesses = 4, kRounds = 25;
    const auto binary_of = [](int process) {
      return std::string(200000 + 1000 * process, static_cast<char>('a' + process));
    };
    std::vector<pid_t> children;
    for (int process = 0; process < kProcesses; ++process) {
      const pid_t child = ::fork();
      QVERIFY(child >= 0);
      if (child == 0) {
        const ProgramCache cache(folder());
        bool right = true;
        for (int round = 0; round < kRounds; ++round) {
          cache.keep(kKey, binary_of(process));
          const auto found = cache.find(kKey);
          right = right && found && *found == binary_of((*found)[0] - 'a');
        }
        ::_exit(right ? 0 : 1);
      }
      children.push_back(child);
    }
    for (const pid_t child : children) {
      int status = -1;
      QCOMPARE(::waitpid(child, &status, 0), child);
      QVERIFY(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    QVERIFY(ProgramCache(folder()).find(kKey));
    for (const auto& entry : fs::directory_iterator(folder()))
      QVERIFY2(entry.path().extension() != ".part", entry.path().c_str());
  }

  void the_folder_is_in_the_users_cache() {
    const QByteArray own = qgetenv("CONVOY_CACHE_DIR");
    qputenv("CONVOY_CACHE_DIR", "/c");
    QCOMPARE(program_cache_folder().string(), "/c/opencl");
    qputenv("CONVOY_CACHE_DIR", own);
  }
};

QTEST_GUILESS_MAIN(OpenClProgramCacheTest)
#include "opencl_program_cache_test.moc"
