// Every way to distribute a step gives the step of one device, and moves the bytes that the
// formulas say.
#include <QTest>
#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "engine/cluster/distributed_conv.h"
#include "engine/cluster/single_device.h"
#include "engine/device/discovery.h"
#include "engine/device/opencl_runtime.h"
#include "engine/device/slowed_device.h"
#include "engine/network/model.h"
#include "executors.h"

using namespace convoy;

namespace {

constexpr int kSteps = 3;
constexpr std::size_t kOpenClPlace = 3;  // among the devices

struct Way {
  DistributionOptions options;
  SplitMode first = SplitMode::kKernels, second = SplitMode::kKernels;  // of the two layers
};

std::vector<Way> all_ways() {
  std::vector<Way> ways;
  for (const SplitMode first : {SplitMode::kKernels, SplitMode::kBatch})
    for (const SplitMode second : {SplitMode::kKernels, SplitMode::kBatch})
      for (const bool resident : {false, true})
        for (const bool fuse : {false, true})
          for (const bool overlap : {false, true})
            for (const WireFormat wire :
                 {WireFormat::kFp32, WireFormat::kFp16, WireFormat::kBf16}) {
              Way way{{}, first, second};
              way.options.resident_kernels = resident;
              way.options.fuse_pooling = fuse;
              way.options.overlap = overlap;
              way.options.wire = wire;
              ways.push_back(way);
            }
  return ways;
}

QString text_of(const Way& way) {
  return QString("split %1 and %2, resident %3, fused %4, overlap %5, %6")
      .arg(split_mode_name(way.first), split_mode_name(way.second))
      .arg(way.options.resident_kernels)
      .arg(way.options.fuse_pooling)
      .arg(way.options.overlap)
      .arg(wire_format_name(way.options.wire));
}

// Counts that sum to `whole`; zeros happen, at the master too.
std::vector<int> random_counts(int whole, std::size_t devices, Random& random) {
  std::vector<int> counts(devices);
  for (int i = 0; i < whole; ++i) ++counts[random.below(devices)];
  return counts;
}

ClusterPlan plan_of(const std::vector<ConvProblem>& problems, const Way& way, std::size_t devices,
                    Random& random) {
  ClusterPlan plan;
  for (std::size_t i = 0; i < problems.size(); ++i) {
    LayerPlan layer;
    layer.problem = problems[i];
    layer.needs_grad_input = i > 0;
    layer.split = i == 0 ? way.first : way.second;
    layer.set_counts(random_counts(layer.whole(), devices, random));
    // Layers as small as these would choose what does not work in parts.
    layer.measured.resize(devices);
    for (std::size_t device = 0; device < devices; ++device)
      if (way.options.overlap && device != kOpenClPlace)
        layer.measured[device].algorithm = {"fft", "fft", "fft"};
    plan.layers.push_back(layer);
  }
  return plan;
}

// Some slowed, the last an OpenCL device, some beyond links that take time.
std::vector<ClusterMember> members_of(std::size_t devices, Random& random) {
  std::vector<ClusterMember> members;
  for (std::size_t i = 0; i < devices; ++i) {
    const std::string id = "cpu:" + std::to_string(test_cores(5)[i]);
    ClusterMember member;
    if (i == kOpenClPlace) {
      for (const DeviceInfo& info : list_devices())
        if (info.id.rfind("opencl", 0) == 0) member.device = open_device(info.id);
    }
    if (!member.device) member.device = open_device(id);
    if (i == 2) member.device = slowed_device(std::move(member.device), 0.7);
    if (random.below(2)) member.link.bandwidth_mbps = 2000;
    members.push_back(std::move(member));
  }
  return members;
}

struct Trained {
  std::vector<double> losses;
  Parameters gradients, weights;  // of the last step, after it
};

// The part of the largest value of a tensor by which two tensors differ, in the mean (rms).
double apart(const FloatBuffer& a, const FloatBuffer& b) {
  double difference = 0.0, size = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += std::pow(static_cast<double>(a[i]) - b[i], 2);
    size += std::pow(static_cast<double>(b[i]), 2);
  }
  return size > 0.0 ? std::sqrt(difference / size) : std::sqrt(difference);
}

double apart(const Parameters& a, const Parameters& b) {
  double most = std::max(apart(a.fc_weight, b.fc_weight), apart(a.fc_bias, b.fc_bias));
  for (std::size_t i = 0; i < a.conv.size(); ++i)
    most = std::max(
        {most, apart(a.conv[i].weight, b.conv[i].weight), apart(a.conv[i].bias, b.conv[i].bias)});
  return most;
}

}  // namespace

class DistributionTest : public QObject {
  Q_OBJECT

  static Trained train(Model& model, ConvExecutor& convolutions, const std::vector<float>& images,
                       const std::vector<std::uint16_t>& labels) {
    Trained trained;
    model.place_state(convolutions);
    for (int step = 0; step < kSteps; ++step)
      trained.losses.push_back(
          model.train_step(images.data(), labels.data(), {0.05, 0.9, 0.01}, convolutions).loss);
    model.fetch_gradients(convolutions);
    model.fetch_weights(convolutions);
    trained.gradients = model.gradients().copy();
    trained.weights = model.parameters().copy();
    return trained;
  }

 private slots:
  void every_way_is_the_step_of_one_device() {
    constexpr std::uint64_t kSeed = 20261122;
    Random random(kSeed);
    ThreadPool pool(test_cores(2));
    int round = 0, chunked = 0;
    for (const Way& way : all_ways()) {
      ++round;
      const std::size_t devices = 1 + random.below(5);
      // Odd batches, some large enough for several chunks.
      const int batch = random.below(3) == 0 ? 65 + static_cast<int>(random.below(8))
                                             : 1 + static_cast<int>(random.below(20));
      NetworkSpec spec;
      spec.design.kernels = {2 + static_cast<int>(random.below(6)),
                             1 + static_cast<int>(random.below(7))};
      spec.design.kernel_size = 3;
      spec.design.padding = random.below(2) ? PaddingMode::kSame : PaddingMode::kValid;
      spec.in_channels = 2;
      spec.in_height = 13;
      spec.in_width = 12;
      const QString reproduce = QString("seed %1, round %2: %3 on %4 devices, batch %5")
                                    .arg(kSeed)
                                    .arg(round)
                                    .arg(text_of(way))
                                    .arg(devices)
                                    .arg(batch);
      const auto problems = spec.conv_problems(batch);
      const auto images = random_values(problems[0].input_size(), random);
      const auto labels = random_labels(static_cast<std::size_t>(batch), spec.classes, random);
      const Parameters initial = Parameters::he(spec, random.below(1000));

      Model single(spec, batch, pool);
      single.parameters() = initial.copy();
      const auto device = open_device("cpu:" + std::to_string(test_cores(1)[0]));
      SingleDevice one(*device, problems, false, nullptr);
      const Trained expected = train(single, one, images, labels);

      Model model(spec, batch, pool);
      model.parameters() = initial.copy();
      StopToken stop;
      Cluster cluster(members_of(devices, random), &stop);
      DistributedConv convolutions(cluster, plan_of(problems, way, devices, random), way.options,
                                   pool);
      const Trained trained = train(model, convolutions, images, labels);

      for (const Slice& slice : convolutions.take_slices()) chunked += slice.chunk > 0;
      const double bound = way.options.wire == WireFormat::kFp32   ? 1e-5
                           : way.options.wire == WireFormat::kFp16 ? 1e-2
                                                                   : 1e-1;
      for (int step = 0; step < kSteps; ++step)
        QVERIFY2(std::abs(trained.losses[step] - expected.losses[step]) < bound * 2,
                 qPrintable(reproduce));
      const double gradients = apart(trained.gradients, expected.gradients);
      const double weights = apart(trained.weights, expected.weights);
      // Rounding on the wire makes another value of a window win now and then, whose gradient then
      // flows elsewhere: in networks as small as these that moves whole gradients.
      const bool rounded = way.options.wire != WireFormat::kFp32;
      QVERIFY2((rounded || gradients < 3 * bound) && weights < bound,
               qPrintable(
                   reproduce +
                   QString(": gradients differ by %1, weights by %2").arg(gradients).arg(weights)));
    }
    QVERIFY(chunked > 100);
  }

  // An OpenCL device pools itself, as a worker and as the master's own device, and where its
  // kernels for that have failed their check its computer does; in one piece, and as a worker in
  // chunks.
  void pooling_on_an_opencl_device_is_the_step_of_one_device_data() {
    QTest::addColumn<bool>("sound");
    QTest::newRow("by the device") << true;
    QTest::newRow("by its computer") << false;
  }
  void pooling_on_an_opencl_device_is_the_step_of_one_device() {
    QFETCH(bool, sound);
    const OpenClDeviceEntry entry = enumerate_opencl_devices(nullptr).at(0);
    // Lasts as long as the context, which is the program's.
    std::string& checked = shared_opencl_context(entry)->checked_products()["pooling"];
    const std::string before = std::exchange(checked, sound ? "" : "wrong");
    const auto device = open_device(entry.info.id);
    const std::vector<std::string> warnings = device->info().warnings;
    QCOMPARE(std::ranges::count_if(
                 warnings, [](const auto& text) { return text.find("pooling") != text.npos; }),
             sound ? 0 : 1);
    DeviceConvOptions options;
    options.pooling = true;
    ConvProblem small;
    small.in_height = small.in_width = 4;
    QCOMPARE(device->make_conv(small, options)->pools(), sound);

    Random random(11);
    ThreadPool pool(test_cores(1));
    for (const SplitMode split : {SplitMode::kKernels, SplitMode::kBatch})
      for (const auto& [resident, overlap] :
           {std::pair{false, false}, {true, false}, {false, true}, {true, true}})
        for (const std::size_t place : {std::size_t{0}, std::size_t{1}}) {
          Way way{{}, split, split};
          way.options.overlap = overlap;
          way.options.resident_kernels = resident;
          way.options.fuse_pooling = true;
          NetworkSpec spec;
          spec.design.kernels = {6, 5};
          spec.design.kernel_size = 3;
          spec.in_channels = 2;
          spec.in_height = 13;  // odd maps
          spec.in_width = 12;
          const int batch = overlap ? 75 : 11;
          const auto problems = spec.conv_problems(batch);
          const auto images = random_values(problems[0].input_size(), random);
          const auto labels = random_labels(batch, spec.classes, random);
          const Parameters initial = Parameters::he(spec, 5);
          const std::string cpu = "cpu:" + std::to_string(test_cores(1)[0]);
          const auto alone = open_device(cpu);
          SingleDevice one(*alone, problems, false, nullptr);
          Model single(spec, batch, pool), model(spec, batch, pool);
          single.parameters() = initial.copy();
          model.parameters() = initial.copy();
          const Trained expected = train(single, one, images, labels);

          StopToken stop;
          std::vector<ClusterMember> members;
          for (const std::size_t i : {std::size_t{0}, std::size_t{1}})
            members.push_back({open_device(i == place ? entry.info.id : cpu), {}});
          members[1].link.bandwidth_mbps = 2000;
          Cluster cluster(std::move(members), &stop);
          ClusterPlan plan = plan_of(problems, way, 2, random);
          for (LayerPlan& layer : plan.layers) {
            const int most = layer.whole() - 2;  // to the OpenCL device
            layer.set_counts(place == 0 ? std::vector{most, 2} : std::vector{2, most});
          }
          DistributedConv convolutions(cluster, plan, way.options, pool);
          const Trained trained = train(model, convolutions, images, labels);
          const auto slices = convolutions.take_slices();
          const bool chunked = std::ranges::any_of(slices, [&](const Slice& slice) {
            return slice.device == static_cast<int>(place) && slice.chunk > 0;
          });
          QCOMPARE(chunked, overlap && place == 1);
          const double gradients = apart(trained.gradients, expected.gradients);
          const double weights = apart(trained.weights, expected.weights);
          QVERIFY2(gradients < 3e-5 && weights < 1e-5,
                   qPrintable(QString("%1, OpenCL at %2: gradients differ by %3, weights by %4")
                                  .arg(text_of(way))
                                  .arg(place)
                                  .arg(gradients)
                                  .arg(weights)));
        }
    checked = before;
  }

  void traffic_is_what_the_formulas_say() {
    constexpr std::uint64_t kSeed = 7;
    Random random(kSeed);
    ThreadPool pool(test_cores(1));
    for (const Way& way : all_ways()) {
      constexpr std::size_t kDevices = 3;
      constexpr int kBatch = 70;
      NetworkSpec spec;
      spec.design.kernels = {5, 4};
      spec.design.kernel_size = 3;
      spec.in_channels = 2;
      spec.in_height = spec.in_width = 11;
      const auto problems = spec.conv_problems(kBatch);
      const auto images = random_values(problems[0].input_size(), random);
      const auto labels = random_labels(kBatch, spec.classes, random);
      Model model(spec, kBatch, pool);
      model.parameters() = Parameters::he(spec, 1);
      StopToken stop;
      std::vector<ClusterMember> members;
      for (std::size_t i = 0; i < kDevices; ++i)
        members.push_back({open_device("cpu:" + std::to_string(test_cores(3)[i])), {}});
      members[2].link.bandwidth_mbps = 5000;
      Cluster cluster(std::move(members), &stop);
      const ClusterPlan plan = plan_of(problems, way, kDevices, random);
      DistributedConv convolutions(cluster, plan, way.options, pool);
      model.place_state(convolutions);
      static_cast<void>(convolutions.take_slices());
      model.train_step(images.data(), labels.data(), {}, convolutions);

      std::map<std::pair<int, int>, std::pair<std::uint64_t, std::uint64_t>> moved;
      for (const Slice& slice : convolutions.take_slices()) {
        auto& [to, from] = moved[{slice.layer, slice.device}];
        if (slice.activity == Activity::kReceive) to += slice.bytes;
        if (slice.activity == Activity::kSend) from += slice.bytes;
      }
      for (int layer = 0; layer < 2; ++layer)
        for (int device = 0; device < static_cast<int>(kDevices); ++device) {
          const LayerPlan& at = plan.layers[static_cast<std::size_t>(layer)];
          const auto place = static_cast<std::size_t>(device);
          const std::uint64_t count = static_cast<std::uint64_t>(at.counts()[place]);
          std::uint64_t to = 0, from = 0;
          if (device > 0 && count > 0) {
            const bool by_batch = at.split == SplitMode::kBatch;
            const ConvProblem& p = at.problem;
            const std::uint64_t wire = wire_size(way.options.wire);
            const auto n = by_batch ? count : std::uint64_t{kBatch};
            const auto k = by_batch ? static_cast<std::uint64_t>(p.out_channels) : count;
            const bool fuse = way.options.fuse_pooling;
            const auto height =
                static_cast<std::uint64_t>(fuse ? p.out_height() / 2 : p.out_height());
            const auto width = static_cast<std::uint64_t>(fuse ? p.out_width() / 2 : p.out_width());
            const std::uint64_t input = p.input_size() / kBatch * n * wire;
            const std::uint64_t maps = k * height * width * n * wire;
            const bool resident = way.options.resident_kernels && !by_batch;
            const std::uint64_t weight = resident ? 0 : k * p.kernel_elements() * wire;
            const std::uint64_t bias = fuse && !resident ? 4 * k : 0;
            to = input + weight + bias + maps;
            from = maps + weight + bias + (layer > 0 ? input : 0);
          }
          const auto& [was_to, was_from] = moved[{layer, device}];
          QVERIFY2(was_to == to && was_from == from,
                   qPrintable(QString("%1, layer %2, device %3: %4 and %5 bytes, not %6 and %7")
                                  .arg(text_of(way))
                                  .arg(layer)
                                  .arg(device)
                                  .arg(was_to)
                                  .arg(was_from)
                                  .arg(to)
                                  .arg(from)));
        }
    }
  }

  // A new division in the middle of training changes nothing, wherever weights are kept.
  void new_shares_between_steps() {
    Random random(3);
    ThreadPool pool(test_cores(1));
    for (const bool resident : {false, true})
      for (const bool fuse : {false, true}) {
        Way way;
        way.options.resident_kernels = resident;
        way.options.fuse_pooling = fuse;
        NetworkSpec spec;
        spec.design.kernels = {6, 5};
        spec.design.kernel_size = 3;
        const auto problems = spec.conv_problems(9);
        const auto images = random_values(problems[0].input_size(), random);
        const auto labels = random_labels(9, spec.classes, random);
        const Parameters initial = Parameters::he(spec, 4);
        const auto device = open_device("cpu:" + std::to_string(test_cores(1)[0]));
        SingleDevice one(*device, problems, false, nullptr);
        Model single(spec, 9, pool), model(spec, 9, pool);
        single.parameters() = initial.copy();
        model.parameters() = initial.copy();
        StopToken stop;
        Cluster cluster(members_of(3, random), &stop);
        DistributedConv convolutions(cluster, plan_of(problems, way, 3, random), way.options, pool);
        model.place_state(convolutions);
        for (int step = 0; step < 4; ++step) {
          const SgdSettings sgd{0.05, 0.9, 0.01};
          const double expected = single.train_step(images.data(), labels.data(), sgd, one).loss;
          const double loss =
              model.train_step(images.data(), labels.data(), sgd, convolutions).loss;
          QVERIFY(std::abs(loss - expected) < 1e-5);
          convolutions.reconfigure(plan_of(problems, way, 3, random));
        }
        model.fetch_weights(convolutions);
        QVERIFY(apart(model.parameters(), single.parameters()) < 1e-5);
      }
  }
};

QTEST_GUILESS_MAIN(DistributionTest)
#include "distribution_test.moc"
