// Layers that pool on an OpenCL device, by every algorithm, against the same layer without pooling
// and the host's arithmetic.
#include "engine/device/opencl_pooling.h"

#include <QTemporaryDir>
#include <QTest>

#include "engine/device/discovery.h"
#include "engine/device/opencl_device.h"
#include "engine/device/opencl_mixed_conv.h"
#include "engine/device/opencl_program_cache.h"
#include "engine/device/opencl_sources.h"
#include "engine/tensor/elementwise.h"
#include "tests/device/first_opencl_device.h"
#include "tests/device/opencl_conv_case.h"
#include "tests/device/opencl_layer.h"
#include "tests/device/opencl_pooled_case.h"

using namespace convoy;
using convoy::test::logged_seed;

class OpenClPoolingTest : public QObject {
  Q_OBJECT

 private slots:
  void initTestCase() {
    context_ = shared_opencl_context(first_opencl_device());
    as_gpu_ = first_opencl_device_as_gpu();
  }
  void cleanupTestCase() { as_gpu_.reset(); }

  void kernels_pass_their_check() {
    QCOMPARE(checked_pooling(context_), std::string());
    QCOMPARE(checked_pooling(as_gpu_), std::string());
  }

  // A sound file with a program that computes something else: the last among equals wins.
  void a_wrong_program_of_the_cache_is_replaced() {
    const QTemporaryDir folder;
    const QByteArray own = qgetenv("CONVOY_CACHE_DIR");
    qputenv("CONVOY_CACHE_DIR", folder.path().toUtf8());
    const ProgramCache cache(program_cache_folder());
    const OpenClDeviceEntry& entry = context_->entry();
    const auto sound = std::make_shared<OpenClContext>(entry);
    QCOMPARE(checked_pooling(sound), std::string());
    std::string source(opencl_source("pooling.cl"));
    ProgramKey right{source, {}, entry.fingerprint};
    for (const int lanes : {4, 8, 16}) {
      const std::string options = "-DLANES=" + std::to_string(lanes) + " -DITEMS=1";
      if (cache.find({source, options, entry.fingerprint})) right.options = options;
    }
    QVERIFY2(!right.options.empty(), "the options of pooling have changed");
    source.replace(source.find("value > most"), 12, "value >=most");
    build_program({sound->get(), entry.device, entry.info.id, entry.fingerprint, "pooling.cl",
                   source, right.options},
                  cache);
    const auto wrong = cache.find({source, right.options, entry.fingerprint});
    QVERIFY(wrong);
    cache.keep(right, *wrong);

    const auto deceived = std::make_shared<OpenClContext>(entry);
    opencl_layer::inject({CL_SUCCESS, 0, false, "clCreateProgramWithSource"});
    const std::string fault = checked_pooling(deceived);
    QCOMPARE(opencl_layer::end_injection().calls, 1);
    QCOMPARE(fault, std::string());
    QVERIFY(cache.find(right) && cache.find(right) != wrong);
    qputenv("CONVOY_CACHE_DIR", own);
  }

  void every_algorithm_pools_as_the_host_does_data() {
    QTest::addColumn<QString>("domain");
    QTest::addColumn<QString>("product");
    QTest::addColumn<bool>("gpu");
    QTest::addColumn<bool>("in_place");
    QTest::addColumn<int>("staging");
    for (const char* domain : {"im2col", "fft"}) {
      const auto add = [&](const char* product, bool gpu, bool in_place, int staging) {
        QTest::addRow("%s+%s%s%s", domain, product, gpu ? " as a GPU" : "",
                      in_place  ? " in place"
                      : staging ? " staged"
                                : " copied")
            << QString(domain) << QString(product) << gpu << in_place << staging;
      };
      add("vector", false, true, 0);
      add("vector", false, false, 0);
      add("vector", false, false, 1000);
      add("tiled", true, true, 0);
      add("tiled", true, false, 1000);
      add("clblast", false, true, 0);
    }
  }
  void every_algorithm_pools_as_the_host_does() {
    QFETCH(QString, domain);
    QFETCH(QString, product);
    QFETCH(bool, gpu);
    QFETCH(bool, in_place);
    QFETCH(int, staging);
    Random random(logged_seed(61));
    for (int round = 0; round < 6; ++round) {
      const ConvProblem p = random_pooled(random, domain == "fft");
      const PooledCase given(p, random);
      const OpenClLimits limits =
          opencl_limits(kPlenty, in_place, static_cast<std::size_t>(staging));
      const auto& context = gpu ? as_gpu_ : context_;
      const auto plain = make_by(domain, context, p, product, limits, nullptr);
      const auto pooling = make_by(domain, context, p, product, limits, pooling_of(p, context));
      QVERIFY(pooling->pools() && !plain->pools());
      const PooledStep expected = step_on_host(*plain, given);
      for (const bool weights_first : {false, true})  // again, with all that is still there
        compare(step_on_device(*pooling, *pooling, given, weights_first), expected, 0.0, p);
    }
  }

  void blocks_of_any_size_data() {
    QTest::addColumn<QString>("domain");
    QTest::addColumn<int>("staging");
    for (const char* domain : {"im2col", "fft"})
      for (const int staging : {0, 1000})
        QTest::addRow("%s%s", domain, staging ? " staged" : "") << QString(domain) << staging;
  }
  void blocks_of_any_size() {
    QFETCH(QString, domain);
    QFETCH(int, staging);
    Random random(logged_seed(62));
    int cut_pictures = 0, cut_kernels = 0;
    for (int round = 0; round < 5; ++round) {
      const ConvProblem p = random_pooled(random, domain == "fft");
      const PooledCase given(p, random);
      const auto plain =
          make_by(domain, context_, p, "vector", opencl_limits(kPlenty, true), nullptr);
      const PooledStep expected = step_on_host(*plain, given);
      std::size_t total = make_by(domain, context_, p, "vector", opencl_limits(kPlenty, false),
                                  pooling_of(p, context_))
                              ->scratch_bytes() +
                          4 * (p.input_size() * 2 + p.weight_size() * 2 + p.pooled_size());
      for (int step = 0; step < 6; ++step, total -= total / 3) {
        try {
          const bool in_place = !staging && step % 2;
          const auto conv =
              make_by(domain, context_, p, "vector",
                      opencl_limits(total, in_place, static_cast<std::size_t>(staging)),
                      pooling_of(p, context_));
          QVERIFY(domain != "fft" || conv->scratch_bytes() <= total);
          if (!few_blocks(*conv, cut_pictures, cut_kernels)) break;  // nothing new, but slow
          compare(step_on_device(*conv, *conv, given, step % 2), expected, 2e-6, p);
        } catch (const Error& error) {
          QVERIFY2(QString(error.what()).contains("may be used"), error.what());
          break;
        }
      }
    }
    QVERIFY(cut_pictures > 0);
    QVERIFY(cut_kernels > 0);
  }

  // As where each pass has the algorithm that suits it.
  void what_one_algorithm_has_chosen_another_finds() {
    Random random(logged_seed(63));
    for (const bool im2col_forward : {true, false}) {
      const ConvProblem p = random_pooled(random, true);
      const PooledCase given(p, random);
      const OpenClLimits limits = opencl_limits(kPlenty, true);
      const QString one = im2col_forward ? "im2col" : "fft",
                    other = im2col_forward ? "fft" : "im2col";
      const auto pooling = pooling_of(p, context_);
      const auto forward = make_by(one, context_, p, "vector", limits, pooling);
      const auto backward = make_by(other, context_, p, "vector", limits, pooling);
      const auto plain = make_by(other, context_, p, "vector", limits, nullptr);
      const PooledStep expected = step_on_host(*plain, given);
      compare(step_on_device(*forward, *backward, given), expected, 2e-6, p);

      OpenClMixedConv mixed({one.toStdString(), other.toStdString(), one.toStdString()}, limits,
                            [&](const std::string& name, const OpenClLimits& own) {
                              return make_by(QString::fromStdString(name), context_, p, "vector",
                                             own, pooling);
                            });
      QVERIFY(mixed.pools());
      for (const bool weights_first : {false, true})
        compare(step_on_device(mixed, mixed, given, weights_first), expected, 2e-6, p);
      QVERIFY(mixed.scratch_bytes() < mixed.of(Pass::kForward).scratch_bytes() +
                                          mixed.of(Pass::kBackwardData).scratch_bytes());
    }
  }

  void new_operands_count_data() { domains(); }
  void new_operands_count() {
    QFETCH(QString, domain);
    Random random(logged_seed(64));
    const ConvProblem p = random_pooled(random, true);
    const OpenClLimits limits = opencl_limits(kPlenty, true);
    const auto plain = make_by(domain, context_, p, "vector", limits, nullptr);
    const auto conv = make_by(domain, context_, p, "vector", limits, pooling_of(p, context_));
    PooledCase given(p, random);
    for (int round = 0; round < 3; ++round) {
      compare(step_on_device(*conv, *conv, given), step_on_host(*plain, given), 0.0, p);
      given.fill(random);
      fill_integers(given.arrays.weight, random);
    }
  }

  // Stopped between its pieces, at any of them, a pass leaves nothing half made behind: above all
  // no half of a sum.
  void a_stopped_step_can_be_taken_again_data() { domains(); }
  void a_stopped_step_can_be_taken_again() {
    QFETCH(QString, domain);
    Random random(logged_seed(65));
    const ConvProblem p = make_problem(6, 3, 6, 5, 3);
    const auto plain =
        make_by(domain, context_, p, "vector", opencl_limits(kPlenty, true), nullptr);
    const auto conv = make_cut(domain, p, 1.0);
    int pieces = 0;
    for (bool interrupted = true; interrupted; pieces += 1 + pieces / 4) {
      const PooledCase given(p, random);
      StopToken stop;
      try {
        const opencl_layer::OnCall end_of_piece("clEnqueueMarkerWithWaitList", pieces,
                                                [&] { stop.request_stop(); });
        step_on_device(*conv, *conv, given, false, &stop);
        interrupted = false;
      } catch (const Interrupted&) {
      }
      QCOMPARE(stop.stop_requested(), interrupted);
      compare(step_on_device(*conv, *conv, given), step_on_host(*plain, given), 2e-6, p);
    }
    QVERIFY(pieces > 20);
  }

  // The same step from the backward passes on: what the forward pass chose is still there, and the
  // gradient is not set again.
  void stopped_backward_passes_can_be_run_again_data() { domains(); }
  void stopped_backward_passes_can_be_run_again() {
    QFETCH(QString, domain);
    Random random(logged_seed(66));
    const ConvProblem p = make_problem(6, 3, 6, 5, 3);
    const auto plain =
        make_by(domain, context_, p, "vector", opencl_limits(kPlenty, true), nullptr);
    const auto conv = make_cut(domain, p, 1e15);
    const PooledCase given(p, random);
    const PooledStep expected = step_on_host(*plain, given);
    PooledStep step = step_on_device(*conv, *conv, given);
    int pieces = 0;
    for (bool interrupted = true; interrupted; ++pieces) {
      const Pass stopped = pieces % 2 ? Pass::kBackwardData : Pass::kBackwardWeights;
      float* const result =
          stopped == Pass::kBackwardData ? step.grad_input.data() : step.grad_weight.data();
      StopToken stop;
      try {
        const opencl_layer::OnCall end_of_piece("clEnqueueMarkerWithWaitList", pieces / 2,
                                                [&] { stop.request_stop(); });
        conv->run(stopped, result, &stop);
        interrupted = stopped == Pass::kBackwardWeights;  // both are to have been run whole
      } catch (const Interrupted&) {
      }
      std::ranges::fill(step.grad_bias, -1.0f);
      conv->run(Pass::kBackwardWeights, step.grad_weight.data(), nullptr);
      conv->run(Pass::kBackwardData, step.grad_input.data(), nullptr);
      compare(step, expected, 2e-6, p);
    }
    QVERIFY(pieces > 4);
  }

  void what_is_missing_is_named() {
    Random random(logged_seed(67));
    const ConvProblem p = make_problem(3, 2, 6, 4, 3);
    const PooledCase given(p, random);
    PooledStep step(p);
    const OpenClLimits limits = opencl_limits(kPlenty, true);
    const auto conv = make_by("im2col", context_, p, "vector", limits, pooling_of(p, context_));
    const auto plain = make_by("im2col", context_, p, "vector", limits, nullptr);
    const auto error_of = [](const auto& work) {
      try {
        work();
      } catch (const Error& error) {
        return QString(error.what());
      }
      return QString("no error");
    };
    const auto names = [](const QString& error, const char* what) {
      return QTest::qVerify(error.contains(what), what, qPrintable(error), __FILE__, __LINE__);
    };
    QVERIFY(names(error_of([&] { plain->set_bias(given.bias.data(), true); }), "does not pool"));
    QVERIFY(names(error_of([&] { plain->set_grad_bias(nullptr); }), "does not pool"));
    conv->set_operand(Operand::kInput, given.arrays.input.data());
    conv->set_operand(Operand::kWeight, given.arrays.weight.data());
    conv->set_operand(Operand::kGradOutput, given.grad_pooled.data());
    const auto run = [&](Pass pass, std::vector<float>& result) {
      return error_of([&] { conv->run(pass, result.data(), nullptr); });
    };
    QVERIFY(names(run(Pass::kForward, step.pooled), "needs its bias"));
    conv->set_bias(given.bias.data(), false);
    QCOMPARE(run(Pass::kForward, step.pooled), QString("no error"));
    QVERIFY(names(run(Pass::kBackwardData, step.grad_input), "what a forward pass has chosen"));
    conv->set_bias(given.bias.data(), true);
    QCOMPARE(run(Pass::kForward, step.pooled), QString("no error"));
    QCOMPARE(run(Pass::kBackwardData, step.grad_input), QString("no error"));
    QVERIFY(names(run(Pass::kBackwardWeights, step.grad_weight), "a place for the bias' gradient"));
    QVERIFY(!context_->is_lost());
    QVERIFY(names(error_of([&] {
                    make_by("im2col", context_, p, "vector", opencl_limits(80, true),
                            pooling_of(p, context_));
                  }),
                  "what pooling chooses in the layer"));
  }

  void a_device_pools_where_it_is_asked_to_and_can() {
    const auto device = open_opencl_device(context_->id());
    DeviceConvOptions options;
    const ConvProblem p = make_problem(3, 2, 6, 4, 3);
    QVERIFY(!device->make_conv(p, options)->pools());
    options.pooling = true;
    QVERIFY(device->make_conv(p, options)->pools());
    QVERIFY(!device->make_conv(make_problem(3, 2, 3, 4, 3), options)->pools());  // no windows
    // Nearly all of what there is to hold is choices.
    ConvProblem thin = make_problem(64, 1, 64, 64, 1);
    options.scratch_limit = thin.pooled_size() * 3;
    QVERIFY(!device->make_conv(thin, options)->pools());
  }

 private:
  static void domains() {
    QTest::addColumn<QString>("domain");
    for (const char* domain : {"im2col", "fft"}) QTest::newRow(domain) << QString(domain);
  }

  // In blocks of pictures and of kernels.
  std::unique_ptr<OpenClConv> make_cut(const QString& domain, const ConvProblem& p,
                                       double piece_flops) const {
    OpenClLimits limits = opencl_limits(1 << 20, false);
    limits.piece_flops = piece_flops;
    for (;; limits.total -= limits.total / 20) {
      auto conv = make_by(domain, context_, p, "vector", limits, pooling_of(p, context_));
      int cut_pictures = 0, cut_kernels = 0;
      few_blocks(*conv, cut_pictures, cut_kernels);
      if (cut_pictures && cut_kernels) return conv;
    }
  }

  // Counts what is cut.
  static bool few_blocks(const OpenClConv& conv, int& cut_pictures, int& cut_kernels) {
    const ConvProblem& p = conv.problem();
    const auto count = [&](const auto& blocks) {
      cut_pictures += blocks.batch < p.batch;
      cut_kernels += blocks.kernels < p.out_channels;
      return (p.batch / blocks.batch) * (p.out_channels / blocks.kernels) < 100;
    };
    if (const auto* fft = dynamic_cast<const OpenClFftConv*>(&conv)) return count(fft->blocks());
    return count(dynamic_cast<const OpenClIm2colConv&>(conv).blocks());
  }

  std::shared_ptr<OpenClContext> context_, as_gpu_;
};

QTEST_GUILESS_MAIN(OpenClPoolingTest)
#include "opencl_pooling_test.moc"
