// What was measured is remembered, by key, in a file that nothing can make dangerous.
#include "engine/device/conv_choices.h"

#include <QTemporaryDir>
#include <QTest>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "engine/base/atomic_file.h"
#include "tests/conv/random_convolution.h"

using namespace convoy;

namespace {

ConvChoiceKey some_key(int kernels = 100) {
  ConvProblem p = make_problem(64, 3, 32, kernels, 5);
  p.padding = Padding::all(2);
  return {p, Pass::kBackwardData, 2, 0, "A processor", "Convoy 1, BLAS 2"};
}

void write(const std::filesystem::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

}  // namespace

class ConvChoicesTest : public QObject {
  Q_OBJECT

 private:
  std::unique_ptr<QTemporaryDir> folder_;
  std::filesystem::path file() const {
    return std::filesystem::path(folder_->path().toStdString()) / "deep" / "choices.json";
  }

 private slots:
  void init() { folder_ = std::make_unique<QTemporaryDir>(); }

  void what_is_remembered_is_found() {
    ConvChoices choices("");
    QVERIFY(!choices.find(some_key(), 1.0));
    QCOMPARE(choices.remember(some_key(), "fft"), "fft");
    QCOMPARE(choices.find(some_key(), 1.0).value(), "fft");
  }

  void any_difference_is_another_key() {
    ConvChoices choices("");
    choices.remember(some_key(), "fft");
    std::vector<ConvChoiceKey> others(12, some_key());
    others[0].pass = Pass::kForward;
    others[1].threads = 1;
    others[2].scratch_limit = 1000;
    others[3].processor = "Another processor";
    others[4].engine = "Convoy 1.1, BLAS 2";
    others[5].problem.batch = 65;
    others[6].problem.in_channels = 4;
    others[7].problem.in_width = 31;
    others[8].problem.kernel_height = 3;
    others[9].problem.padding.left = 1;
    others[10].problem.stride_width = 2;
    others[11].problem.in_height = 31;
    for (const ConvChoiceKey& other : others) QVERIFY(!choices.find(other, 100.0));
  }

  void a_share_finds_the_nearest_number_of_kernels() {
    ConvChoices choices("");
    choices.remember(some_key(100), "fft");
    choices.remember(some_key(10), "gemm");
    QVERIFY(!choices.find(some_key(97), 1.0));
    QCOMPARE(choices.find(some_key(97), 1.1).value(), "fft");
    QCOMPARE(choices.find(some_key(110), 1.1).value(), "fft");
    QVERIFY(!choices.find(some_key(111), 1.1));
    QVERIFY(!choices.find(some_key(40), 2.0));
    QCOMPARE(choices.find(some_key(40), 5.0).value(), "fft");   // 2.5 times, not 4
    QCOMPARE(choices.find(some_key(30), 5.0).value(), "gemm");  // 3 times, not 3.3
  }

  void the_first_stands() {
    ConvChoices one(file()), other(file());
    QVERIFY(!other.find(some_key(), 1.0));  // has looked before there was anything
    QCOMPARE(one.remember(some_key(), "fft"), "fft");
    QCOMPARE(other.remember(some_key(), "gemm"), "fft");
    QCOMPARE(other.find(some_key(), 1.0).value(), "fft");
  }

  void what_was_measured_together_is_remembered_together() {
    ConvChoiceKey second = some_key(), third = some_key();
    second.pass = Pass::kForward;
    third.pass = Pass::kBackwardData;
    ConvChoices one(file()), other(file());
    using Names = std::vector<std::string>;
    QCOMPARE(one.remember({some_key(), second}, {"fft", "gemm"}), (Names{"fft", "gemm"}));
    QCOMPARE(other.remember({some_key(), second, third}, {"gemm", "fft", "fft"}),
             (Names{"fft", "gemm", "fft"}));
    QCOMPARE(ConvChoices(file()).find(third, 1.0).value(), "fft");
  }

  void another_process_reads_the_file() {
    ConvChoiceKey limited = some_key();
    limited.scratch_limit = 123456789012;
    limited.problem.padding = {1, 2, 3, 4};
    {
      ConvChoices choices(file());
      choices.remember(some_key(), "fft");
      choices.remember(limited, "gemm");
    }
    const ConvChoices choices(file());
    QCOMPARE(choices.find(some_key(), 1.0).value(), "fft");
    QCOMPARE(choices.find(limited, 1.0).value(), "gemm");
  }

  void a_bad_file_is_written_anew_data() {
    QTest::addColumn<QByteArray>("content");
    ConvChoices(file()).remember(some_key(50), "fft");
    const auto good = QByteArray::fromStdString(read_whole_file(file(), ErrorKind::kRun));
    QTest::newRow("empty") << QByteArray();
    QTest::newRow("cut off") << good.left(good.size() - 10);
    QTest::newRow("binary") << QByteArray(
        "\x00\xff\xfe\x7f"
        "ELF",
        7);
    QTest::newRow("a list") << QByteArray("[1, 2]");
    QTest::newRow("a text") << QByteArray("\"choices\"");
    QTest::newRow("someone else's") << QByteArray("{\"format\": \"else\", \"choices\": 3}");
    QTest::newRow("another revision")
        << QByteArray(good).replace("\"revision\":", "\"revision\":9");
    QTest::newRow("choices of a wrong type")
        << QByteArray(good).replace("[\n", "[[[\n").replace("\n]", "\n]]]");
    QTest::newRow("another pass") << QByteArray(good).replace("backward-data", "sideways");
    QTest::newRow("an impossible problem")
        << QByteArray(good).replace("\"batch\":64", "\"batch\":-1");
    QTest::newRow("an unknown algorithm") << QByteArray(good).replace("\"fft\"", "\"ttf\"");
    QTest::newRow("a text for a number")
        << QByteArray(good).replace("\"threads\":2", "\"threads\":\"2\"");
    QTest::newRow("deeply nested") << QByteArray(200000, '[');
    QTest::newRow("too large") << good + QByteArray(8 << 20, ' ');
  }
  void a_bad_file_is_written_anew() {
    QFETCH(QByteArray, content);
    std::filesystem::create_directories(file().parent_path());
    write(file(), content.toStdString());
    ConvChoices choices(file());
    QVERIFY(!choices.find(some_key(50), 1.0));
    QCOMPARE(choices.remember(some_key(), "gemm"), "gemm");
    const ConvChoices again(file());
    QCOMPARE(again.find(some_key(), 1.0).value(), "gemm");
    QVERIFY(!again.find(some_key(50), 1.0));
  }

  void one_damaged_choice_does_not_spoil_the_others() {
    {
      ConvChoices choices(file());
      for (int kernels : {10, 20, 30}) choices.remember(some_key(kernels), "fft");
    }
    auto text = QByteArray::fromStdString(read_whole_file(file(), ErrorKind::kRun));
    text.replace("\"out_channels\":20", "\"out_channels\":null");
    write(file(), text.toStdString());
    const ConvChoices choices(file());
    QVERIFY(choices.find(some_key(10), 1.0) && choices.find(some_key(30), 1.0));
    QVERIFY(!choices.find(some_key(20), 1.0));
  }

  void a_place_that_cannot_be_written_costs_nothing() {
    write(file().parent_path(), "a file where the folder would be");
    ConvChoices choices(file());
    QCOMPARE(choices.remember(some_key(), "fft"), "fft");
    QCOMPARE(choices.find(some_key(), 1.0).value(), "fft");
    std::filesystem::remove(file().parent_path());
    std::filesystem::create_directories(file());  // a folder where the file would be
    QCOMPARE(choices.remember(some_key(7), "gemm"), "gemm");
    QCOMPARE(choices.find(some_key(), 1.0).value(), "fft");
  }

  // Each thread with an object of its own, as each process would have.
  void many_may_write_at_once() {
    constexpr int kThreads = 4, kEach = 12;
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t)
      threads.emplace_back([&, t] {
        ConvChoices choices(file());
        for (int i = 0; i < kEach; ++i) choices.remember(some_key(1 + t * kEach + i), "fft");
      });
    for (std::thread& thread : threads) thread.join();
    const ConvChoices choices(file());
    for (int i = 0; i < kThreads * kEach; ++i)
      QVERIFY2(choices.find(some_key(1 + i), 1.0), qPrintable(QString::number(1 + i)));
  }

  void one_object_serves_many_threads() {
    ConvChoices choices(file());
    std::vector<std::thread> threads;
    std::array<std::string, 4> agreed;
    for (std::size_t t = 0; t < agreed.size(); ++t)
      threads.emplace_back([&, t] {
        agreed[t] = choices.remember(some_key(), t % 2 ? "fft" : "gemm");
        for (int i = 0; i < 5; ++i) choices.find(some_key(), 2.0);
      });
    for (std::thread& thread : threads) thread.join();
    for (const std::string& algorithm : agreed) QCOMPARE(algorithm, agreed[0]);
  }

  void the_oldest_are_forgotten() {
    ConvChoices(file()).remember(some_key(1), "fft");
    auto root = nlohmann::json::parse(read_whole_file(file(), ErrorKind::kRun));
    const nlohmann::json choice = root["choices"][0];
    for (std::size_t i = 2; i <= ConvChoices::kMost; ++i) {
      root["choices"].push_back(choice);
      root["choices"].back()["out_channels"] = i;
    }
    write(file(), root.dump());
    ConvChoices choices(file());
    QVERIFY(choices.find(some_key(1), 1.0));
    choices.remember(some_key(5000), "gemm");
    const ConvChoices again(file());
    QVERIFY(!again.find(some_key(1), 1.0));
    QVERIFY(again.find(some_key(2), 1.0));
    QCOMPARE(again.find(some_key(5000), 1.0).value(), "gemm");
  }

  void the_file_is_in_the_users_cache() {
    const QByteArray own = qgetenv("CONVOY_CACHE_DIR"), xdg = qgetenv("XDG_CACHE_HOME"),
                     home = qgetenv("HOME");
    qputenv("HOME", "/h");
    qputenv("XDG_CACHE_HOME", "/x");
    qputenv("CONVOY_CACHE_DIR", "/c");
    QCOMPARE(conv_choices_file().string(), "/c/conv_choices.json");
    qunsetenv("CONVOY_CACHE_DIR");
    QCOMPARE(conv_choices_file().string(), "/x/convoy/conv_choices.json");
    qputenv("XDG_CACHE_HOME", "relative");
    QCOMPARE(conv_choices_file().string(), "/h/.cache/convoy/conv_choices.json");
    qunsetenv("HOME");
    QVERIFY(conv_choices_file().empty());
    qputenv("CONVOY_CACHE_DIR", own);
    qputenv("XDG_CACHE_HOME", xdg);
    qputenv("HOME", home);
  }
};

QTEST_GUILESS_MAIN(ConvChoicesTest)
#include "conv_choices_test.moc"
