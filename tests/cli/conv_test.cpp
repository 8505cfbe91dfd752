// `convoy conv` and `convoy bench` against a convolution written down from its definition.
#include <cmath>
#include <random>

#include "engine/tensor/npy.h"
#include "tests/cli/program.h"

using convoy::NpyArray;
using convoy::read_npy;
using convoy::write_npy;

namespace {

using Shape = std::vector<std::size_t>;

// [a][b][c][d] with bounds: reading outside gives zero.
struct Array {
  Shape shape;
  std::vector<float> values;

  explicit Array(Shape s)
      : shape(std::move(s)), values(shape[0] * shape[1] * shape[2] * shape[3]) {}
  float& at(std::size_t a, std::size_t b, std::size_t c, std::size_t d) {
    return values[((a * shape[1] + b) * shape[2] + c) * shape[3] + d];
  }
};

// Small integers: every sum of products is exact in float32, whatever its order.
Array random_array(const Shape& shape, unsigned seed) {
  Array array(shape);
  std::mt19937 generator(seed);
  for (float& value : array.values)
    value = static_cast<float>(static_cast<int>(generator() % 9) - 4);
  return array;
}

struct Case {
  std::size_t batch, channels, height, width, kernels, kernel_height, kernel_width;
  int padding_height, padding_width, stride_height, stride_width;
  std::size_t out_height() const {
    return (height + 2 * static_cast<std::size_t>(padding_height) - kernel_height) /
               static_cast<std::size_t>(stride_height) +
           1;
  }
  std::size_t out_width() const {
    return (width + 2 * static_cast<std::size_t>(padding_width) - kernel_width) /
               static_cast<std::size_t>(stride_width) +
           1;
  }
};

// Calls visit for every product of the sum: picture, channel, input row and column, kernel, kernel
// row and column, output row and column.
template <class Visit>
void for_each_product(const Case& c, const Visit& visit) {
  for (std::size_t n = 0; n < c.batch; ++n)
    for (std::size_t k = 0; k < c.kernels; ++k)
      for (std::size_t y = 0; y < c.out_height(); ++y)
        for (std::size_t x = 0; x < c.out_width(); ++x)
          for (std::size_t ch = 0; ch < c.channels; ++ch)
            for (std::size_t i = 0; i < c.kernel_height; ++i)
              for (std::size_t j = 0; j < c.kernel_width; ++j) {
                const auto row =
                    static_cast<std::ptrdiff_t>(y * static_cast<std::size_t>(c.stride_height) + i) -
                    c.padding_height;
                const auto column =
                    static_cast<std::ptrdiff_t>(x * static_cast<std::size_t>(c.stride_width) + j) -
                    c.padding_width;
                if (row < 0 || column < 0 || row >= static_cast<std::ptrdiff_t>(c.height) ||
                    column >= static_cast<std::ptrdiff_t>(c.width))
                  continue;
                visit(n, ch, static_cast<std::size_t>(row), static_cast<std::size_t>(column), k, i,
                      j, y, x);
              }
}

}  // namespace

class ConvTest : public QObject, private TestFolder {
  Q_OBJECT

 private:
  void save(const char* name, const Array& array) const {
    write_npy(file(name).toStdString(), array.shape, array.values.data());
  }
  // Runs the pass and holds the result against what is expected.
  void compare(const QStringList& arguments, const Array& expected) const;

 private slots:
  // What other tests measured must not decide here.
  void initTestCase() { qputenv("CONVOY_CACHE_DIR", file("cache").toUtf8()); }
  void passes_data();
  void passes();
  void infers_sizes();
  void kernel_ranges_add_up();
  void same_padding();
  void refuses_data();
  void refuses();
  void bench_conv_reports();
  void bench_conv_measures_once();
  void bench_step_reports();
};

void ConvTest::compare(const QStringList& arguments, const Array& expected) const {
  const Outcome outcome =
      run_convoy(QStringList{"conv"} + arguments + QStringList{"--output", file("result.npy")});
  QVERIFY2(outcome.code == 0, qPrintable(outcome.err));
  const NpyArray result = read_npy(file("result.npy").toStdString());
  QCOMPARE(result.shape, expected.shape);
  for (std::size_t i = 0; i < expected.values.size(); ++i)
    if (result.values[i] != expected.values[i])
      QFAIL(qPrintable(QString("element %1 is %2, not %3")
                           .arg(i)
                           .arg(result.values[i])
                           .arg(expected.values[i])));
}

void ConvTest::passes_data() {
  QTest::addColumn<QList<int>>("sizes");
  // batch, channels, height, width, kernels, kernel height and width, paddings, strides
  QTest::newRow("plain") << QList<int>{2, 3, 7, 6, 4, 3, 3, 0, 0, 1, 1};
  QTest::newRow("padded") << QList<int>{3, 2, 5, 8, 3, 5, 3, 2, 1, 1, 1};
  QTest::newRow("stride") << QList<int>{2, 2, 9, 8, 3, 3, 2, 1, 0, 2, 3};
  QTest::newRow("one") << QList<int>{1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1};
}

void ConvTest::passes() {
  QFETCH(QList<int>, sizes);
  const auto size = [&](int i) { return static_cast<std::size_t>(sizes[i]); };
  const Case c{size(0), size(1),  size(2),  size(3),  size(4),  size(5),
               size(6), sizes[7], sizes[8], sizes[9], sizes[10]};
  Array input = random_array({c.batch, c.channels, c.height, c.width}, 1);
  Array weight = random_array({c.kernels, c.channels, c.kernel_height, c.kernel_width}, 2);
  Array grad_output = random_array({c.batch, c.kernels, c.out_height(), c.out_width()}, 3);
  Array output(grad_output.shape), grad_input(input.shape), grad_weight(weight.shape);
  for_each_product(
      c, [&](auto n, auto ch, auto row, auto column, auto k, auto i, auto j, auto y, auto x) {
        output.at(n, k, y, x) += weight.at(k, ch, i, j) * input.at(n, ch, row, column);
        grad_input.at(n, ch, row, column) += weight.at(k, ch, i, j) * grad_output.at(n, k, y, x);
        grad_weight.at(k, ch, i, j) += grad_output.at(n, k, y, x) * input.at(n, ch, row, column);
      });
  save("x.npy", input);
  save("w.npy", weight);
  save("g.npy", grad_output);
  const QStringList geometry = {"--padding", QString("%1x%2").arg(sizes[7]).arg(sizes[8]),
                                "--stride", QString("%1x%2").arg(sizes[9]).arg(sizes[10])};
  compare(QStringList{"forward", "--input", file("x.npy"), "--weight", file("w.npy")} + geometry,
          output);
  compare(QStringList{"backward-data", "--grad-output", file("g.npy"), "--weight", file("w.npy"),
                      "--input-size", QString("%1x%2").arg(c.height).arg(c.width)} +
              geometry,
          grad_input);
  compare(QStringList{"backward-weights", "--input", file("x.npy"), "--grad-output", file("g.npy"),
                      "--kernel-size", QString("%1x%2").arg(c.kernel_height).arg(c.kernel_width)} +
              geometry,
          grad_weight);
  // The plain reference, by its name.
  compare(QStringList{"forward", "--input", file("x.npy"), "--weight", file("w.npy"), "--algorithm",
                      "reference"} +
              geometry,
          output);
}

void ConvTest::infers_sizes() {
  const Case c{2, 2, 6, 7, 3, 3, 2, 1, 1, 1, 1};
  Array input = random_array({2, 2, 6, 7}, 4), weight = random_array({3, 2, 3, 2}, 5);
  Array grad_output = random_array({2, 3, c.out_height(), c.out_width()}, 6);
  Array grad_input(input.shape), grad_weight(weight.shape);
  for_each_product(
      c, [&](auto n, auto ch, auto row, auto column, auto k, auto i, auto j, auto y, auto x) {
        grad_input.at(n, ch, row, column) += weight.at(k, ch, i, j) * grad_output.at(n, k, y, x);
        grad_weight.at(k, ch, i, j) += grad_output.at(n, k, y, x) * input.at(n, ch, row, column);
      });
  save("x.npy", input);
  save("w.npy", weight);
  save("g.npy", grad_output);
  compare({"backward-data", "--grad-output", file("g.npy"), "--weight", file("w.npy"), "--padding",
           "1"},
          grad_input);
  compare({"backward-weights", "--grad-output", file("g.npy"), "--input", file("x.npy"),
           "--padding", "1"},
          grad_weight);
}

void ConvTest::kernel_ranges_add_up() {
  const Case c{2, 2, 6, 6, 5, 3, 3, 0, 0, 1, 1};
  Array input = random_array({2, 2, 6, 6}, 7), weight = random_array({5, 2, 3, 3}, 8);
  Array grad_output = random_array({2, 5, 4, 4}, 9);
  save("x.npy", input);
  save("w.npy", weight);
  save("g.npy", grad_output);
  Array maps({2, 2, 4, 4}), grad_kernels({2, 2, 3, 3}), partial(input.shape);
  for_each_product(c, [&](auto n, auto ch, auto row, auto column, auto k, auto i, auto j, auto y,
                          auto x) {
    if (k < 1 || k >= 3) return;  // of kernels 1:3
    maps.at(n, k - 1, y, x) += weight.at(k, ch, i, j) * input.at(n, ch, row, column);
    grad_kernels.at(k - 1, ch, i, j) += grad_output.at(n, k, y, x) * input.at(n, ch, row, column);
    partial.at(n, ch, row, column) += weight.at(k, ch, i, j) * grad_output.at(n, k, y, x);
  });
  const QStringList range = {"--kernels", "1:3"};
  compare(QStringList{"forward", "--input", file("x.npy"), "--weight", file("w.npy")} + range,
          maps);
  compare(
      QStringList{"backward-weights", "--input", file("x.npy"), "--grad-output", file("g.npy")} +
          range,
      grad_kernels);
  compare(QStringList{"backward-data", "--weight", file("w.npy"), "--grad-output", file("g.npy")} +
              range,
          partial);
}

void ConvTest::same_padding() {
  const Case c{1, 2, 5, 4, 2, 3, 3, 1, 1, 1, 1};
  Array input = random_array({1, 2, 5, 4}, 10), weight = random_array({2, 2, 3, 3}, 11);
  Array output({1, 2, 5, 4});
  for_each_product(
      c, [&](auto n, auto ch, auto row, auto column, auto k, auto i, auto j, auto y, auto x) {
        output.at(n, k, y, x) += weight.at(k, ch, i, j) * input.at(n, ch, row, column);
      });
  save("x.npy", input);
  save("w.npy", weight);
  compare({"forward", "--input", file("x.npy"), "--weight", file("w.npy"), "--padding", "same"},
          output);
}

void ConvTest::refuses_data() {
  QTest::addColumn<QStringList>("arguments");
  QTest::addColumn<int>("code");
  QTest::addColumn<QStringList>("fragments");
  const QStringList forward = {"forward", "--input", "x.npy", "--weight", "w.npy"};
  const QStringList data = {"backward-data", "--grad-output", "g.npy", "--weight", "w.npy"};
  const QStringList weights = {"backward-weights", "--grad-output", "g.npy", "--input", "x.npy"};
  const auto row = [](const char* name, const QStringList& arguments, int code,
                      const QStringList& fragments) {
    QTest::newRow(name) << arguments << code << fragments;
  };
  row("pass", {"sideways"}, 2, {"PASS", "sideways", "backward-data"});
  row("operand too many", forward + QStringList{"--grad-output", "g.npy"}, 2,
      {"--grad-output", "forward"});
  row("operand missing", {"forward", "--input", "x.npy"}, 2, {"--weight", "missing"});
  row("channels", {"forward", "--input", "x.npy", "--weight", "v.npy"}, 2,
      {"(2, 3, 8, 8)", "(4, 2, 3, 3)", "channels"});
  row("kernels of the gradient", {"backward-data", "--grad-output", "g.npy", "--weight", "u.npy"},
      2, {"(2, 4, 3, 3)", "(5, 3, 3, 3)", "kernels"});
  row("dimensions", {"forward", "--input", "flat.npy", "--weight", "w.npy"}, 2,
      {"--input", "(6,)"});
  row("input size needed", data + QStringList{"--stride", "2"}, 2,
      {"--input-size is needed", "7", "8"});
  row("kernel size needed", weights + QStringList{"--stride", "2"}, 2,
      {"--kernel-size is needed", "3", "4"});
  row("wrong input size", data + QStringList{"--input-size", "9x9"}, 2, {"(2, 4, 3, 3)", "7x7"});
  row("size of another pass", forward + QStringList{"--kernel-size", "3"}, 2, {"--kernel-size"});
  row("padding", forward + QStringList{"--padding", "-1"}, 2, {"--padding", "-1", "same"});
  row("stride", forward + QStringList{"--stride", "0"}, 2, {"--stride", "\"0\""});
  row("range", forward + QStringList{"--kernels", "2:9"}, 2, {"--kernels", "2:9", "<= 4"});
  row("range backwards", forward + QStringList{"--kernels", "3:3"}, 2, {"--kernels"});
  row("no file", {"forward", "--input", "none.npy", "--weight", "w.npy"}, 4, {"none.npy"});
  row("no array", {"forward", "--input", "text.npy", "--weight", "w.npy"}, 4, {"text.npy"});
  row("device", forward + QStringList{"--device", "opencl:99:0"}, 3, {"opencl:99:0"});
}

void ConvTest::refuses() {
  save("x.npy", random_array({2, 3, 8, 8}, 1));
  save("w.npy", random_array({4, 3, 3, 3}, 2));
  save("v.npy", random_array({4, 2, 3, 3}, 2));
  save("u.npy", random_array({5, 3, 3, 3}, 2));
  save("g.npy", random_array({2, 4, 3, 3}, 3));
  const float six[6] = {};
  write_npy(file("flat.npy").toStdString(), {6}, six);
  QFile text(file("text.npy"));
  QVERIFY(text.open(QIODevice::WriteOnly) && text.write("not an array") > 0);
  text.close();
  QFETCH(QStringList, arguments);
  QFETCH(int, code);
  QFETCH(QStringList, fragments);
  QFile::remove(file("y.npy"));
  const Outcome outcome =
      run_convoy(QStringList{"conv"} + arguments + QStringList{"--output", "y.npy"}, path());
  QVERIFY2(outcome.code == code, qPrintable(QString::number(outcome.code) + ": " + outcome.err));
  for (const QString& fragment : fragments)
    QVERIFY2(outcome.err.contains(fragment), qPrintable(outcome.err + " lacks " + fragment));
  QVERIFY(!QFile::exists(file("y.npy")));
}

void ConvTest::bench_conv_reports() {
  const QStringList arguments = {"bench",          "conv", "--batch", "4",  "--in-channels", "3",
                                 "--out-channels", "6",    "--size",  "12", "--kernel-size", "5",
                                 "--padding",      "0"};
  const Outcome outcome = run_convoy(arguments + QStringList{"--json"});
  QVERIFY2(outcome.code == 0, qPrintable(outcome.err));
  const auto report = nlohmann::json::parse(outcome.out.toStdString());
  for (const char* key : {"step", "forward", "backward_data", "backward_weights"}) {
    const double median = report[std::string(key) + "_ms"];
    QVERIFY(median > 0);
    QVERIFY(report[std::string(key) + "_ms_min"] <= median &&
            median <= report[std::string(key) + "_ms_max"]);
  }
  QVERIFY(report["repetitions"] >= 5);
  QVERIFY(report["peak_memory_bytes"] > 1e6);
  for (const char* pass : {"forward", "backward_data", "backward_weights"})
    QVERIFY(!report["algorithm"][pass].get<std::string>().empty());
  // 2 * 4 pictures * 6 kernels * 8x8 * 3*5*5 operations in each of three passes.
  const double flops = 3 * 2.0 * 4 * 6 * 64 * 75, step = report["step_ms"];
  QVERIFY(std::abs(report["gflops"].get<double>() / (flops / step / 1e6) - 1) < 1e-9);
  const Outcome text = run_convoy(arguments);
  for (const char* fragment :
       {"step", "forward", "backward-data", "backward-weights", "GFLOP/s", "peak"})
    QVERIFY2(text.out.contains(fragment), qPrintable(text.out));
}

void ConvTest::bench_conv_measures_once() {
  const QString device = QString("cpu:%1").arg(cores().first());
  const QStringList cache = {"CONVOY_CACHE_DIR=" + file("choices")};
  // So little scratch that every algorithm has to be tried.
  const auto report_of = [&](const QStringList& more = {"--scratch-limit", "0.3"}) {
    const QStringList layer = {"bench",         "conv", "--device",       device, "--batch", "8",
                               "--in-channels", "20",   "--out-channels", "40",   "--size",  "12",
                               "--kernel-size", "3",    "--repetitions",  "1",    "--json"};
    const Outcome outcome = run_convoy(layer + more, {}, cache);
    return outcome.code == 0 ? nlohmann::json::parse(outcome.out.toStdString())
                             : nlohmann::json{{"error", outcome.err.toStdString()}};
  };
  const auto first = report_of(), again = report_of();
  QVERIFY(QFile::exists(file("choices/conv_choices.json")));
  QFile damaged(file("choices/conv_choices.json"));
  QVERIFY(damaged.open(QIODevice::WriteOnly | QIODevice::Truncate) && damaged.write("{]") == 2);
  damaged.close();
  const auto anew = report_of(), named = report_of({"--algorithm", "gemm"});
  for (const char* pass : {"forward", "backward_data", "backward_weights"}) {
    QCOMPARE(first["chosen_by"][pass].dump(), "\"measurement\"");
    QCOMPARE(again["chosen_by"][pass].dump(), "\"memory\"");
    QCOMPARE(again["algorithm"][pass], first["algorithm"][pass]);
    QCOMPARE(anew["chosen_by"][pass].dump(), "\"measurement\"");
    QCOMPARE(named["chosen_by"][pass].dump(), "\"name\"");
    QCOMPARE(named["algorithm"][pass].dump(), "\"gemm\"");
  }
  QVERIFY(first["scratch_bytes"] > 0 && first["scratch_bytes"] <= 300'000);
}

void ConvTest::bench_step_reports() {
  const Outcome outcome =
      run_convoy({"bench", "step", "--kernels", "4,6", "--batch", "8", "--json"});
  QVERIFY2(outcome.code == 0, qPrintable(outcome.err));
  const auto report = nlohmann::json::parse(outcome.out.toStdString());
  QCOMPARE(report["kernels"].dump(), std::string("[4,6]"));
  QVERIFY(report["conv_ms"] > 0.0 && report["comp_ms"] > 0.0);
  QVERIFY(report["step_ms"] > report["conv_ms"]);
}

QTEST_GUILESS_MAIN(ConvTest)
#include "conv_test.moc"
