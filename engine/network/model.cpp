#include "engine/network/model.h"

#include <algorithm>
#include <mutex>
#include <set>
#include <string>

#include "engine/network/fully_connected.h"
#include "engine/network/sgd.h"
#include "engine/network/softmax_loss.h"
#include "engine/tensor/elementwise.h"

namespace convoy {

namespace {

// Trace listeners keep the pointer beyond the model's life.
const char* name_for_ever(const std::string& name) {
  static std::mutex mutex;
  static std::set<std::string> names;
  const std::lock_guard lock(mutex);
  return names.insert(name).first->c_str();
}

// What a block keeps from forward to backward: its pooled maps, which are the next layer's input,
// and the choices. The convolution's output itself is not needed again.
struct Block {
  ConvProblem problem;
  MapShape shape;  // of one channel of the convolution's output
  FloatBuffer pooled;
  std::vector<std::uint8_t> choices;
  const char* forward_name;
  const char* backward_name;

  std::size_t channels() const { return static_cast<std::size_t>(problem.out_channels); }
};

// What an executor that keeps a layer's weights has of it.
LayerWeights weights_of(ConvParameters& layer, const ConvExecutor& convolutions) {
  return {layer.weight.data(), convolutions.pools() ? layer.bias.data() : nullptr};
}

void fetch_kept(ConvExecutor& convolutions, WeightState state, Parameters& to) {
  for (std::size_t layer = 0; layer < to.conv.size(); ++layer)
    if (const int number = static_cast<int>(layer); convolutions.keeps_weights(number))
      convolutions.fetch_weights(number, state, weights_of(to.conv[layer], convolutions));
}

void place_kept(ConvExecutor& convolutions, WeightState state, Parameters& from) {
  for (std::size_t layer = 0; layer < from.conv.size(); ++layer)
    if (const int number = static_cast<int>(layer); convolutions.keeps_weights(number))
      convolutions.place_weights(number, state, weights_of(from.conv[layer], convolutions));
}

// Times one piece of the master's work.
class SliceTimer {
 public:
  SliceTimer(const char* name, std::vector<MasterSlice>& slices)
      : name_(name), slices_(slices), begin_(SteadyClock::now()) {}
  ~SliceTimer() { slices_.push_back({name_, begin_, SteadyClock::now()}); }
  SliceTimer(const SliceTimer&) = delete;
  SliceTimer& operator=(const SliceTimer&) = delete;

 private:
  const char* name_;
  std::vector<MasterSlice>& slices_;
  TimePoint begin_;
};

}  // namespace

struct Model::State {
  State(const NetworkSpec& network, int batch_size, ThreadPool& threads);

  void forward(const float* images, bool training, ConvExecutor& convolutions,
               std::vector<MasterSlice>& slices);
  void backward(ConvExecutor& convolutions, std::vector<MasterSlice>& slices);
  // From `maps` to the block's pooled maps, and from their gradient to that of `maps`.
  void pool_block(Block& block, const FloatBuffer& bias, bool training,
                  std::vector<MasterSlice>& slices);
  void unpool_block(const Block& block, const float* gradient, FloatBuffer& grad_bias,
                    std::vector<MasterSlice>& slices);

  NetworkSpec spec;
  int batch;
  ThreadPool& pool;
  Parameters parameters, gradients;
  Sgd optimizer;
  bool begun = false;  // velocities may be other than zero
  std::vector<Block> blocks;
  // One layer's convolution output or its gradient: only one of all these is alive at any moment,
  // so they share the memory of the largest. Where the executor pools, it has them instead.
  FloatBuffer maps;
  std::size_t maps_size = 0;
  // The gradient of a block's pooled maps, but for the last block's, which takes those maps' place.
  FloatBuffer grad_pooled;
  FloatBuffer logits;  // then their gradient
  FullyConnected fully_connected;
  SoftmaxLoss loss;
};

Model::State::State(const NetworkSpec& network, int batch_size, ThreadPool& threads)
    : spec(network),
      batch(batch_size),
      pool(threads),
      parameters(Parameters::zeros(network)),
      gradients(Parameters::zeros(network)),
      optimizer(network),
      logits(static_cast<std::size_t>(network.classes) * static_cast<std::size_t>(batch_size)),
      fully_connected(network.features(), static_cast<std::size_t>(network.classes),
                      static_cast<std::size_t>(batch_size), threads),
      loss(static_cast<std::size_t>(network.classes), static_cast<std::size_t>(batch_size),
           threads) {
  std::size_t grad_size = 0;
  for (const ConvProblem& problem : network.conv_problems(batch_size)) {
    if (!blocks.empty()) grad_size = std::max(grad_size, blocks.back().pooled.size());
    Block block;
    block.problem = problem;
    block.shape = {static_cast<std::size_t>(problem.out_height()),
                   static_cast<std::size_t>(problem.out_width()),
                   static_cast<std::size_t>(batch_size)};
    block.pooled.resize(block.channels() * block.shape.pooled_size());
    const std::string number = std::to_string(blocks.size() + 1);
    block.forward_name = name_for_ever("bias, ReLU, pooling " + number);
    block.backward_name = name_for_ever("bias, ReLU, pooling " + number + " backward");
    maps_size = std::max(maps_size, problem.output_size());
    blocks.push_back(std::move(block));
  }
  grad_pooled.resize(grad_size);
}

// Leaves the logits.
void Model::State::forward(const float* images, bool training, ConvExecutor& convolutions,
                           std::vector<MasterSlice>& slices) {
  const float* input = images;
  for (std::size_t layer = 0; layer < blocks.size(); ++layer) {
    Block& block = blocks[layer];
    const ConvParameters& own = parameters.conv[layer];
    LayerForward operands{input, own.weight.data(), block.pooled.data(), own.bias.data(), training};
    if (convolutions.pools()) {
      convolutions.forward(static_cast<int>(layer), operands);
    } else {
      maps.resize(maps_size);
      operands.output = maps.data();
      convolutions.forward(static_cast<int>(layer), operands);
      pool_block(block, own.bias, training, slices);
    }
    input = block.pooled.data();
  }
  const SliceTimer timer("fully connected", slices);
  fully_connected.forward(input, parameters.fc_weight, parameters.fc_bias, logits.data());
}

// From the logits' gradient to all others.
void Model::State::backward(ConvExecutor& convolutions, std::vector<MasterSlice>& slices) {
  float* gradient = blocks.back().pooled.data();
  {
    const SliceTimer timer("fully connected backward", slices);
    fully_connected.backward(logits.data(), parameters.fc_weight, gradient, gradients.fc_weight,
                             gradients.fc_bias);
  }
  for (std::size_t layer = blocks.size(); layer-- > 0;) {
    const Block& block = blocks[layer];
    ConvParameters& own = gradients.conv[layer];
    LayerBackward operands{gradient, own.weight.data(), layer > 0 ? grad_pooled.data() : nullptr,
                           own.bias.data()};
    if (!convolutions.pools()) {
      unpool_block(block, gradient, own.bias, slices);
      operands.grad_output = maps.data();
    }
    convolutions.backward(static_cast<int>(layer), operands);
    gradient = grad_pooled.data();
  }
}

void Model::State::pool_block(Block& block, const FloatBuffer& bias, bool training,
                              std::vector<MasterSlice>& slices) {
  const SliceTimer timer(block.forward_name, slices);
  if (training) block.choices.resize(block.pooled.size());
  pool.parallel_for(block.channels(), [&](std::size_t channel, int) {
    const std::size_t begin = channel * block.shape.pooled_size();
    bias_relu_pool(maps.data() + channel * block.shape.size(), bias[channel], block.shape,
                   cache_use_for(block.pooled.size()), block.pooled.data() + begin,
                   training ? block.choices.data() + begin : nullptr);
  });
}

void Model::State::unpool_block(const Block& block, const float* gradient, FloatBuffer& grad_bias,
                                std::vector<MasterSlice>& slices) {
  const SliceTimer timer(block.backward_name, slices);
  const CacheUse cache_use = cache_use_for(block.problem.output_size());
  pool.parallel_for(block.channels(), [&](std::size_t channel, int) {
    const std::size_t begin = channel * block.shape.pooled_size();
    grad_bias[channel] = static_cast<float>(
        bias_relu_pool_backward(gradient + begin, block.choices.data() + begin, block.shape,
                                cache_use, maps.data() + channel * block.shape.size()));
  });
}

Model::Model(const NetworkSpec& spec, int batch, ThreadPool& pool) {
  static_cast<void>(spec.conv_problems(batch));  // refuses bad sizes before any is allocated
  state_ = std::make_unique<State>(spec, batch, pool);
}
Model::~Model() = default;

const NetworkSpec& Model::spec() const {
  return state_->spec;
}
int Model::batch() const {
  return state_->batch;
}
Parameters& Model::parameters() {
  return state_->parameters;
}
const Parameters& Model::parameters() const {
  return state_->parameters;
}
const Parameters& Model::gradients() const {
  return state_->gradients;
}

void Model::place_state(ConvExecutor& convolutions) {
  place_kept(convolutions, WeightState::kValue, state_->parameters);
  if (state_->begun)  // else they are what new values begin with
    place_kept(convolutions, WeightState::kVelocity, state_->optimizer.velocity());
}

void Model::fetch_state(ConvExecutor& convolutions) {
  fetch_kept(convolutions, WeightState::kValue, state_->parameters);
  fetch_kept(convolutions, WeightState::kVelocity, state_->optimizer.velocity());
}

void Model::fetch_weights(ConvExecutor& convolutions) {
  fetch_kept(convolutions, WeightState::kValue, state_->parameters);
}

void Model::fetch_gradients(ConvExecutor& convolutions) {
  fetch_kept(convolutions, WeightState::kGradient, state_->gradients);
}

TrainingState Model::training_state() const {
  return {state_->parameters.copy(), state_->optimizer.velocity().copy()};
}

void Model::go_on_from(const TrainingState& state) {
  state_->parameters = state.weights.copy();
  state_->optimizer.velocity() = state.velocities.copy();
  state_->begun = true;
}

StepResult Model::train_step(const float* images, const std::uint16_t* labels,
                             const SgdSettings& sgd, ConvExecutor& convolutions) {
  State& s = *state_;
  s.begun = true;
  StepResult result;
  s.forward(images, true, convolutions, result.slices);
  {
    const SliceTimer timer("softmax", result.slices);
    const SoftmaxLoss::Result loss =
        s.loss.evaluate(s.logits.data(), labels, static_cast<std::size_t>(s.batch), true);
    result.loss = loss.loss;
    result.correct = loss.correct;
  }
  s.backward(convolutions, result.slices);
  // Only now, when all else has succeeded: a step that fails or is stopped changes no weight.
  {
    const SliceTimer timer("update", result.slices);
    const SgdFactors factors = factors_of(sgd);
    convolutions.update(factors);
    s.optimizer.update(factors, s.gradients, convolutions, s.parameters, s.pool);
  }
  return result;
}

StepResult Model::evaluate(const float* images, const std::uint16_t* labels, int count,
                           ConvExecutor& convolutions) {
  State& s = *state_;
  if (count < 0 || count > s.batch)
    throw Error(ErrorKind::kRun, "model",
                "asked to evaluate " + std::to_string(count) + " pictures; the batch holds 0 to " +
                    std::to_string(s.batch));
  StepResult result;
  s.forward(images, false, convolutions, result.slices);
  result.slices.clear();
  const SoftmaxLoss::Result loss =
      s.loss.evaluate(s.logits.data(), labels, static_cast<std::size_t>(count), false);
  result.loss = loss.loss;
  result.correct = loss.correct;
  return result;
}

}  // namespace convoy
