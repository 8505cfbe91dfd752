// What becomes of the file, the link or the pipe that was there before.
#include "engine/base/atomic_file.h"

#include <sys/stat.h>

#include <QTemporaryDir>
#include <QtTest>
#include <thread>

#include "tests/base/error_of.h"

namespace fs = std::filesystem;

namespace convoy {

class AtomicFileTest : public QObject {
  Q_OBJECT

 private slots:
  void replaces_a_file_and_keeps_who_may_read_it();
  void follows_a_link();
  void writes_to_a_pipe_instead_of_replacing_it();
  void a_failure_leaves_what_was_there();

 private:
  fs::path path(const char* name) const { return folder_.filePath(name).toStdString(); }
  QTemporaryDir folder_;
};

void AtomicFileTest::replaces_a_file_and_keeps_who_may_read_it() {
  write_file_atomically(path("secret"), "one");
  fs::permissions(path("secret"), fs::perms::owner_read | fs::perms::owner_write);
  write_file_atomically(path("secret"), "two");
  QCOMPARE(read_whole_file(path("secret"), ErrorKind::kRun), std::string("two"));
  QCOMPARE(int(fs::status(path("secret")).permissions()), 0600);
  QVERIFY(!fs::exists(path("secret.part")));
}

void AtomicFileTest::follows_a_link() {
  fs::create_directory(path("elsewhere"));
  write_file_atomically(path("elsewhere") / "file", "one");
  fs::create_symlink(fs::path("elsewhere") / "file", path("link"));
  write_file_atomically(path("link"), "two");
  QVERIFY(fs::is_symlink(path("link")));
  QCOMPARE(read_whole_file(path("elsewhere") / "file", ErrorKind::kRun), std::string("two"));
  // A link to nothing: there is nothing to keep.
  fs::create_symlink("nowhere/file", path("dangling"));
  write_file_atomically(path("dangling"), "three");
  QCOMPARE(read_whole_file(path("dangling"), ErrorKind::kRun), std::string("three"));
}

void AtomicFileTest::writes_to_a_pipe_instead_of_replacing_it() {
  QCOMPARE(::mkfifo(path("pipe").c_str(), 0600), 0);
  std::string read;
  std::thread reader([&] { read = read_whole_file(path("pipe"), ErrorKind::kRun); });
  write_file_atomically(path("pipe"), "through");
  reader.join();
  QCOMPARE(read, std::string("through"));
  QVERIFY(fs::is_fifo(path("pipe")));
}

void AtomicFileTest::a_failure_leaves_what_was_there() {
  VERIFY_CONTAINS(test::error_of(ErrorKind::kRun,
                                 [&] { write_file_atomically(folder_.path().toStdString(), "x"); }),
                  "cannot put the file in place");
  VERIFY_CONTAINS(
      test::error_of(ErrorKind::kRun, [&] { write_file_atomically(path("none") / "file", "x"); }),
      "cannot create the file");
}

}  // namespace convoy

QTEST_GUILESS_MAIN(convoy::AtomicFileTest)
#include "atomic_file_test.moc"
