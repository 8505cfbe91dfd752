// The matrix products, and how a device comes to use one of them.
#include <QTest>

#include "engine/device/opencl_gemm.h"
#include "tests/device/first_opencl_device.h"

using namespace convoy;

namespace {

// Spoils what a sound product does.
class Spoiled : public MatrixProduct {
 public:
  enum class Fault { kNone, kIgnoresAccumulate, kIgnoresOffset, kIgnoresTransposition };
  Spoiled(std::unique_ptr<MatrixProduct> sound, Fault fault)
      : sound_(std::move(sound)), fault_(fault) {}

  const char* name() const override { return "spoiled"; }
  std::vector<std::size_t> scratch_bytes(const ProductSize& size) const override {
    return sound_->scratch_bytes(size);
  }
  double executed_flops(const ProductSize& size) const override {
    return sound_->executed_flops(size);
  }
  void multiply(const ProductSize& size, const MatrixView& left, const MatrixView& right,
                const MatrixView& result, bool accumulate, bool left_unchanged) override {
    MatrixView l = left, r = result;
    if (fault_ == Fault::kIgnoresOffset) r.offset = 0;
    if (fault_ == Fault::kIgnoresTransposition) l.transposed = false;
    if (fault_ == Fault::kIgnoresAccumulate) accumulate = false;
    sound_->multiply(size, l, right, r, accumulate, left_unchanged);
  }
  void release() override { sound_->release(); }

 private:
  std::unique_ptr<MatrixProduct> sound_;
  Fault fault_;
};

}  // namespace

class OpenClProductsTest : public QObject {
  Q_OBJECT

 private slots:
  void initTestCase() { context_ = shared_opencl_context(first_opencl_device()); }

  void every_product_multiplies_exactly_data() {
    QTest::addColumn<QString>("name");
    for (const std::string& name : product_names(DeviceKind::kCpu))
      QTest::newRow(name.c_str()) << QString::fromStdString(name);
  }
  void every_product_multiplies_exactly() {
    QFETCH(QString, name);
    const ClQueue queue = context_->make_queue();
    const auto product = make_product(name.toStdString(), *context_, queue.get());
    QCOMPARE(QString(product->name()), name);
    QCOMPARE(check_product(*product, *context_, queue.get()), std::string());
    QVERIFY(product->executed_flops({100, 200, 300}) >= 2.0 * 100 * 200 * 300);
  }

  void the_check_finds_a_spoiled_product() {
    using Fault = Spoiled::Fault;
    const ClQueue queue = context_->make_queue();
    const auto found = [&](Fault fault) {
      Spoiled product(make_product("tiled", *context_, queue.get()), fault);
      return check_product(product, *context_, queue.get());
    };
    QVERIFY(found(Fault::kNone).empty());
    for (const Fault fault :
         {Fault::kIgnoresAccumulate, Fault::kIgnoresOffset, Fault::kIgnoresTransposition})
      QVERIFY(QString::fromStdString(found(fault)).startsWith("wrong result"));
  }

  void the_first_sound_product_is_chosen_and_the_others_are_named() {
    std::vector<std::string> asked, left_out;
    const auto check = [&](const std::string& name) {
      asked.push_back(name);
      return name == "b" ? std::string() : "is " + name;
    };
    QCOMPARE(first_sound_product({"a", "b", "c"}, check, &left_out), std::string("b"));
    QCOMPARE(asked, (std::vector<std::string>{"a", "b"}));
    QCOMPARE(left_out, std::vector<std::string>{"a (is a)"});
    left_out.clear();
    QVERIFY(first_sound_product({"a", "c"}, check, &left_out).empty());
    QCOMPARE(left_out, (std::vector<std::string>{"a (is a)", "c (is c)"}));
  }

  void both_kinds_of_device_know_all_products() {
    auto cpu = product_names(DeviceKind::kCpu), gpu = product_names(DeviceKind::kGpu);
    QCOMPARE(cpu.front(), std::string("vector"));
    QCOMPARE(gpu.front(), std::string("clblast"));
    std::sort(cpu.begin(), cpu.end());
    std::sort(gpu.begin(), gpu.end());
    QCOMPARE(cpu, gpu);
  }

  void a_refused_source_shows_the_compilers_log() {
    try {
      context_->make_kernel("gemm_tiled.cl", "-DTILE=64 -DTILE_DEPTH=16", "multiply_tiles");
      QFAIL("no error");
    } catch (const Error& error) {
      const QString what = error.what();
      QCOMPARE(error.kind(), ErrorKind::kDevice);
      QCOMPARE(error.where(), context_->id());
      QVERIFY2(what.contains("gemm_tiled.cl") && what.contains("BLOCK"), error.what());
    }
  }

 private:
  std::shared_ptr<OpenClContext> context_;
};

QTEST_GUILESS_MAIN(OpenClProductsTest)
#include "opencl_products_test.moc"
