#include "engine/device/opencl_fft_conv.h"

#include <algorithm>

#include "engine/conv/fft_geometry.h"

namespace convoy {
namespace {

// What a result is the gradient of, or is.
Operand role_of_result(Pass pass) {
  switch (pass) {
    case Pass::kForward:
      return Operand::kGradOutput;
    case Pass::kBackwardData:
      return Operand::kInput;
    case Pass::kBackwardWeights:
      break;
  }
  return Operand::kWeight;
}

FftGeometry geometry_for(const ConvProblem& problem, const std::string& where) {
  if (problem.stride_height != 1 || problem.stride_width != 1 ||
      problem.kernel_height > kLargestFftKernel || problem.kernel_width > kLargestFftKernel)
    throw Error(ErrorKind::kDevice, where,
                "the algorithm fft does stride 1 and kernels of at most " +
                    std::to_string(kLargestFftKernel) + "x" + std::to_string(kLargestFftKernel) +
                    ", not " + problem.describe() + " with stride " +
                    std::to_string(problem.stride_height) + "x" +
                    std::to_string(problem.stride_width));
  return choose_fft_geometry(problem, false);  // work items are as many as there are pictures
}

}  // namespace

OpenClFftConv::OpenClFftConv(std::shared_ptr<OpenClContext> context, const ConvProblem& problem,
                             const std::string& product, const OpenClLimits& limits,
                             ChosenBy chosen_by, std::shared_ptr<OpenClPooling> pooling)
    : OpenClFftConv(context, problem, geometry_for(problem, context->id()), product, limits,
                    chosen_by, std::move(pooling)) {}

OpenClFftConv::OpenClFftConv(std::shared_ptr<OpenClContext> context, const ConvProblem& problem,
                             const FftGeometry& geometry, const std::string& product,
                             const OpenClLimits& limits, ChosenBy chosen_by,
                             std::shared_ptr<OpenClPooling> pooling)
    : OpenClConv("fft", std::move(context), problem, product, limits, chosen_by,
                 std::move(pooling)),
      geometry_(geometry),
      transform_(*context_, queue_.get(), problem_, geometry_) {
  plan();
}

OpenClFftConv::~OpenClFftConv() = default;

void OpenClFftConv::plan() {
  blocks_ = plan_fft_blocks(problem_, geometry_, limits_, product_scratch(), context_->id());
}

OpenClMemory OpenClFftConv::memory() const {
  return fft_memory_of(problem_, geometry_, blocks_, limits_, product_scratch());
}

void OpenClFftConv::release() {
  result_planes_.release();
  arriving_.release();
  leaving_.release();
  maps_.release();
  for (Spectrum& held : spectra_) held.planes.release();
}

ProductSize OpenClFftConv::product_size(Pass pass, int pictures, int kernels) const {
  return fft_product_size(problem_, geometry_, pass, {pictures, kernels}, limits_,
                          product_scratch());
}

double OpenClFftConv::executed_flops(Pass pass) const {
  double flops = 0.0;
  for_blocks(problem_.batch, blocks_.batch, [&](const OpenClBlock& pictures) {
    for_blocks(problem_.out_channels, blocks_.kernels, [&](const OpenClBlock& kernels) {
      ProductSize size = product_size(pass, pictures.count, kernels.count);
      size.count = fft_plane_count(geometry_);
      flops += product_->executed_flops(size);
    });
  });
  return flops;
}

void OpenClFftConv::run_pieces(Pass pass, const OpenClBlock& some, float* result,
                               OpenClRunningPass& running) {
  const auto for_pictures = [&](const auto& work) { for_blocks(some, blocks_.batch, work); };
  const auto for_kernels = [&](const auto& work) {
    for_blocks(problem_.out_channels, blocks_.kernels, work);
  };
  const OpenClBlock all_pictures{0, problem_.batch}, all_kernels{0, problem_.out_channels};
  switch (pass) {
    case Pass::kForward:
      for_pictures([&](const OpenClBlock& pictures) {
        transform(Operand::kInput, pictures, all_kernels, running);
        for_kernels([&](const OpenClBlock& kernels) {
          transform(Operand::kWeight, all_pictures, kernels, running);
          multiply(pass, pictures, kernels, false, running);
          restore(pass, pictures, kernels, result, running);
        });
      });
      return;
    case Pass::kBackwardData:
      for_pictures([&](const OpenClBlock& pictures) {
        for_kernels([&](const OpenClBlock& kernels) {
          transform(Operand::kWeight, all_pictures, kernels, running);
          transform(Operand::kGradOutput, pictures, kernels, running);
          multiply(pass, pictures, kernels, kernels.first > 0, running);
        });
        restore(pass, pictures, all_kernels, result, running);
      });
      return;
    case Pass::kBackwardWeights:
      for_kernels([&](const OpenClBlock& kernels) {
        for_pictures([&](const OpenClBlock& pictures) {
          transform(Operand::kInput, pictures, all_kernels, running);
          transform(Operand::kGradOutput, pictures, kernels, running);
          multiply(pass, pictures, kernels, pictures.first > 0, running);
        });
        restore(pass, all_pictures, kernels, result, running);
      });
      return;
  }
}

OpenClBlock OpenClFftConv::rows_of(Operand operand, const OpenClBlock& kernels) const {
  return operand == Operand::kInput ? OpenClBlock{0, problem_.in_channels}
                                    : OpenClBlock{0, kernels.count};
}

HostPart OpenClFftConv::part_of(Operand operand, const OpenClBlock& pictures,
                                const OpenClBlock& kernels) const {
  switch (operand) {
    case Operand::kInput:
      return input_part(problem_, pictures);
    case Operand::kWeight:
      return weight_part(problem_, kernels);
    case Operand::kGradOutput:
      break;
  }
  return part_of_maps(pictures, kernels);
}

cl_mem OpenClFftConv::maps_of(const OpenClBlock& pictures, const OpenClBlock& kernels) {
  return maps_.reserve(*context_, output_part(problem_, pictures, kernels).bytes());
}

cl_mem OpenClFftConv::buffer_for(float* host, const HostPart& part, GrowingBuffer& moving) {
  if (limits_.in_place && part.whole) return wrap_for_this_pass(host, part.bytes());
  return moving.reserve(*context_, part.bytes());
}

// Calls work(some rows) for all rows of a part, as many at a time as move at one time, so that
// those that are there are transformed while others move. Ends a piece at the limits' work.
template <class Work>
void OpenClFftConv::for_row_pieces(Operand operand, int rows, int pictures, const HostPart& part,
                                   OpenClRunningPass& running, const Work& work) const {
  const auto at_most = [](double most, int of) {
    return static_cast<int>(std::clamp(most, 1.0, static_cast<double>(of)));
  };
  const double flops = transform_.row_flops(operand, pictures);
  const double floats = static_cast<double>(part.rows * part.columns) / rows;
  const double at_once = static_cast<double>(running.floats_at_once());
  for_blocks(rows, at_most(limits_.piece_flops / flops, rows), [&](const OpenClBlock& piece) {
    for_blocks(piece.count, at_most(at_once / floats, piece.count), [&](OpenClBlock some) {
      some.first += piece.first;
      work(some);
    });
    running.end_piece();
  });
}

void OpenClFftConv::transform(Operand operand, const OpenClBlock& pictures,
                              const OpenClBlock& kernels, OpenClRunningPass& running) {
  Spectrum& held = spectrum(operand);
  if (held.made && held.pictures == pictures && held.kernels == kernels) return;
  held.made = false;
  float* const values = const_cast<float*>(host(operand));
  const HostPart part = part_of(operand, pictures, kernels);
  const bool unpools = pools() && operand == Operand::kGradOutput;
  const cl_mem arrived = buffer_for(values, part, arriving_);
  const cl_mem source = unpools ? maps_of(pictures, kernels) : arrived;
  const ConvProblem block = problem_.with_batch(pictures.count).with_kernels(kernels.count);
  const cl_mem planes = held.planes.reserve(
      *context_, fft_spectrum_floats(block, geometry_, operand) * sizeof(float));
  const int rows = rows_of(operand, kernels).count;
  const bool travels = arrived == arriving_.get();
  for_row_pieces(operand, rows, pictures.count, part, running, [&](const OpenClBlock& some) {
    if (travels) running.upload(arrived, values, rows_of_part(part, some, rows));
    if (unpools) unpool(arrived, source, pictures, kernels, some);
    transform_.transform(operand, source, planes, some, rows, pictures.count);
  });
  if (travels) running.set_unused(arrived);
  held.pictures = pictures;
  held.kernels = kernels;
  held.made = true;
}

// The planes of an operand as matrices.
MatrixView OpenClFftConv::matrices(Operand operand, cl_mem planes, const OpenClBlock& pictures,
                                   const OpenClBlock& kernels) const {
  const std::size_t columns = operand == Operand::kWeight
                                  ? problem_.in_channels
                                  : static_cast<std::size_t>(geometry_.tiles()) * pictures.count;
  return {planes, 0, columns, false, rows_of(operand, kernels).count * columns};
}

void OpenClFftConv::multiply(Pass pass, const OpenClBlock& pictures, const OpenClBlock& kernels,
                             bool accumulate, OpenClRunningPass& running) {
  const ConvProblem block = problem_.with_batch(pictures.count).with_kernels(kernels.count);
  const Operand role = role_of_result(pass);
  const cl_mem result = result_planes_.reserve(
      *context_, fft_spectrum_floats(block, geometry_, role) * sizeof(float));
  const auto planes = [&](Operand operand, bool transposed) {
    MatrixView view = matrices(operand, spectrum(operand).planes.get(), pictures, kernels);
    view.transposed = transposed;
    return view;
  };
  MatrixView left, right, product = matrices(role, result, pictures, kernels);
  switch (pass) {
    case Pass::kForward:
      left = planes(Operand::kWeight, false);
      right = planes(Operand::kInput, false);
      break;
    case Pass::kBackwardData:
      left = planes(Operand::kWeight, true);
      right = planes(Operand::kGradOutput, false);
      break;
    case Pass::kBackwardWeights:
      left = planes(Operand::kGradOutput, false);
      right = planes(Operand::kInput, true);
      break;
  }
  ProductSize size = product_size(pass, pictures.count, kernels.count);
  // Smaller blocks take no more memory: no more products at a time.
  size.count = product_size(pass, blocks_.batch, blocks_.kernels).count;
  for_blocks(fft_plane_count(geometry_), size.count, [&](const OpenClBlock& piece) {
    size.count = piece.count;
    product_->multiply(size, left, right, product, accumulate, false);
    for (MatrixView* view : {&left, &right, &product}) view->offset += piece.count * view->step;
    running.end_piece();
  });
}

void OpenClFftConv::restore(Pass pass, const OpenClBlock& pictures, const OpenClBlock& kernels,
                            float* result, OpenClRunningPass& running) {
  const Operand role = role_of_result(pass);
  const HostPart part = part_of(role, pictures, kernels);
  const bool pools_maps = pools() && pass == Pass::kForward;
  const cl_mem target = buffer_for(result, part, leaving());
  const cl_mem maps = pools_maps ? maps_of(pictures, kernels) : target;
  const bool travels = target == leaving().get();
  if (travels) running.finish_downloads(target);
  const int rows = rows_of(role, kernels).count;
  for_row_pieces(role, rows, pictures.count, part, running, [&](const OpenClBlock& some) {
    transform_.restore(role, result_planes_.get(), maps, some, rows, pictures.count,
                       pass != Pass::kBackwardData);
    if (pools_maps) pool(maps, target, pictures, kernels, some);
    if (travels) running.download(target, result, rows_of_part(part, some, rows));
  });
  if (!travels) read_in_place(*context_, queue_.get(), target, part.bytes());
}

}  // namespace convoy
