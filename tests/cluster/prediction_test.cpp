// Predictions that were worked out by hand.
#include <QTest>

#include "engine/cluster/prediction.h"

using namespace convoy;

namespace {

// 4 channels of 6x6, 3x3 kernels: 4x4 maps. Ten pictures: 1440 numbers of input, 160 of output a
// kernel, 36 of weight a kernel.
ConvProblem problem_of(int kernels, int batch = 10) {
  ConvProblem problem;
  problem.batch = batch;
  problem.in_channels = 4;
  problem.out_channels = kernels;
  problem.in_height = problem.in_width = 6;
  problem.kernel_height = problem.kernel_width = 3;
  return problem;
}

// Moving takes a million times what it takes elsewhere: milliseconds a number.
MovingCost moving(int cores) {
  return {{1e6 * 0.001, 1e6 * 0.002, 1e6 * 0.003}, 1e6 * 0.0005, 1e6 * 0.01, cores};
}

PartWork part_of(const ConvProblem& problem, std::array<double, 3> ms, int cores) {
  PartWork part;
  part.problem = problem;
  part.ms = ms;
  part.moving = moving(cores);
  return part;
}

// 1 Mb/s lets 125 bytes through in a millisecond.
const LinkSettings kFast{1000.0, 0.0, Duplex::kFull};

void compare(double actual, double expected) {
  QVERIFY2(std::abs(actual - expected) < 1e-9 * std::abs(expected) + 1e-9,
           qPrintable(QString("%1 in place of %2").arg(actual).arg(expected)));
}

}  // namespace

class PredictionTest : public QObject {
  Q_OBJECT
 private slots:
  // Whole rows of fp32 lie ready: they take the link's time. The master adds the worker's share of
  // the input's gradient to its own.
  void fp32ByKernelsTakesTheLinkAlone() {
    const LayerWork layer{
        SplitMode::kKernels,
        true,
        {part_of(problem_of(2), {1, 1, 1}, 1), part_of(problem_of(2), {1, 1, 1}, 1)}};
    const StepPrediction step = predict_step({layer}, {{}, {}}, {}, 0.0);
    compare(step.layers[0].forward_ms, 1.0);
    compare(step.layers[0].backward_ms, 2.0 + 1440 * 0.0005);
    const StepPrediction over = predict_step({layer}, {{}, kFast}, {}, 0.0);
    compare(over.layers[0].forward_ms, 1.0 + 4 * (1440 + 72 + 320) / 125e3);
  }

  // 16 bits are packed and unpacked, at either end by the worker: 0.002 ms a number, on an
  // unlimited link all of the transfer's time, on a slow one none.
  void a16BitWireIsPacked() {
    DistributionOptions options;
    options.wire = WireFormat::kFp16;
    const LayerWork layer{
        SplitMode::kKernels,
        false,
        {part_of(problem_of(2), {1, 1, 1}, 1), part_of(problem_of(2), {1, 1, 1}, 1)}};
    const StepPrediction step = predict_step({layer}, {{}, {}}, options, 0.0);
    compare(step.layers[0].forward_ms, 1.0 + 0.002 * (1440 + 72 + 320));
    compare(step.layers[0].backward_ms, 2.0 + 0.002 * (320 + 72));
    const LinkSettings slow{1.0, 0.0, Duplex::kFull};
    const StepPrediction over = predict_step({layer}, {{}, slow}, options, 0.0);
    compare(over.layers[0].forward_ms, 1.0 + 2 * (1440 + 72 + 320) / 125.0);
  }

  // A part of the batch is picked out of the rows: on the master too, which does it as computing.
  void aPartOfABatchIsPicked() {
    const LayerWork layer{
        SplitMode::kBatch,
        true,
        {part_of(problem_of(2, 5), {1, 1, 1}, 1), part_of(problem_of(2, 5), {0.1, 0.1, 0.1}, 1)}};
    const StepPrediction step = predict_step({layer}, {{}, {}}, {}, 0.0);
    compare(step.layers[0].forward_ms, 1.0 + 0.001 * (720 + 160));
    compare(step.layers[0].backward_ms, 2.0 + 0.001 * (160 + 720) + 0.0005 * 72);
    // Alone it has all pictures, where they lie.
    const LayerWork alone{SplitMode::kBatch,
                          true,
                          {part_of(problem_of(2), {1, 1, 1}, 1), part_of(problem_of(0), {}, 1)}};
    compare(predict_step({alone}, {{}, {}}, {}, 0.0).layers[0].forward_ms, 1.0);
  }

  // With overlap the gradient of the input travels beside the computing of the kernels' gradient,
  // which loses half of what packing takes on two cores, and nothing on a GPU.
  void packingTakesTimeFromTheCoresThatCompute() {
    DistributionOptions options;
    options.wire = WireFormat::kFp16;
    options.overlap = true;
    options.resident_kernels = true;
    for (const int cores : {0, 1, 2}) {
      const LayerWork layer{
          SplitMode::kKernels,
          true,
          {part_of(problem_of(0), {}, 1), part_of(problem_of(2), {1, 10, 100}, cores)}};
      const double received = 0.002 * 320, packing = 0.002 * 1440;
      const double lost = cores == 0 ? 0.0 : packing / cores;
      const LinkSettings unlimited;
      const ExchangeTimes times = exchange_times(layer, layer.parts[1], &unlimited, options);
      compare(times.backward_ms, received + 110 + lost);
    }
  }

  // Without measured costs nothing is counted: what older calibrations predict stays.
  void whatWasNotMeasuredIsNotCounted() {
    DistributionOptions options;
    options.wire = WireFormat::kFp16;
    LayerWork layer{
        SplitMode::kBatch,
        true,
        {part_of(problem_of(2, 5), {1, 1, 1}, 1), part_of(problem_of(2, 5), {1, 1, 1}, 1)}};
    for (PartWork& part : layer.parts) part.moving = {};
    const StepPrediction step = predict_step({layer}, {{}, {}}, options, 5.0);
    compare(step.step_ms, 1.0 + 2.0 + 5.0);
    compare(resident_update_ms(layer.parts[0], 7.0, 4), 3.5);
    compare(resident_update_ms(part_of(problem_of(2), {}, 1), 7.0, 4), 72 * 0.01);
  }
};

QTEST_GUILESS_MAIN(PredictionTest)
#include "prediction_test.moc"
