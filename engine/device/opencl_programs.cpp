#include "engine/device/opencl_programs.h"

#include <vector>

namespace convoy {
namespace {

std::string build_log(cl_program program, const ProgramRequest& request) {
  try {
    std::size_t size = 0;
    cl_check(
        clGetProgramBuildInfo(program, request.device, CL_PROGRAM_BUILD_LOG, 0, nullptr, &size),
        "clGetProgramBuildInfo", request.where);
    std::string log(size, '\0');
    cl_check(clGetProgramBuildInfo(program, request.device, CL_PROGRAM_BUILD_LOG, size, log.data(),
                                   nullptr),
             "clGetProgramBuildInfo", request.where);
    while (!log.empty() && (log.back() == '\0' || log.back() == '\n')) log.pop_back();
    return log.empty() ? "the compiler left no log" : log;
  } catch (const Error& error) {  // must not hide that the build failed
    return std::string("the compiler's log cannot be had: ") + error.what();
  }
}

ClProgram from_source(const ProgramRequest& request) {
  const char* text = request.source.data();
  const std::size_t length = request.source.size();
  cl_int code = CL_SUCCESS;
  ClProgram program(clCreateProgramWithSource(request.context, 1, &text, &length, &code));
  cl_check(code, "clCreateProgramWithSource", request.where);
  code =
      clBuildProgram(program.get(), 1, &request.device, request.options.c_str(), nullptr, nullptr);
  if (code == CL_BUILD_PROGRAM_FAILURE)
    throw Error(ErrorKind::kDevice, request.where,
                "the OpenCL compiler refuses " + request.file + " (options " + request.options +
                    "):\n" + build_log(program.get(), request));
  cl_check(code, "clBuildProgram", request.where);
  return program;
}

// Empty when the driver refuses it.
ClProgram from_binary(const ProgramRequest& request, const std::string& binary) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(binary.data());
  const std::size_t size = binary.size();
  cl_int refused = CL_SUCCESS, code = CL_SUCCESS;
  ClProgram program(clCreateProgramWithBinary(request.context, 1, &request.device, &size, &bytes,
                                              &refused, &code));
  if (code != CL_SUCCESS || refused != CL_SUCCESS) return {};
  code =
      clBuildProgram(program.get(), 1, &request.device, request.options.c_str(), nullptr, nullptr);
  return code == CL_SUCCESS ? std::move(program) : ClProgram();
}

// Empty when the driver gives none away.
std::string binary_of(cl_program program) {
  std::size_t size = 0;  // of the context's only device
  if (clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof size, &size, nullptr) != CL_SUCCESS)
    return {};
  std::string binary(size, '\0');
  auto* bytes = reinterpret_cast<unsigned char*>(binary.data());
  if (size == 0 ||
      clGetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof bytes, &bytes, nullptr) != CL_SUCCESS)
    return {};
  return binary;
}

}  // namespace

ProgramKey program_key(const ProgramRequest& request) {
  return {std::string(request.source), request.options, request.fingerprint};
}

BuiltProgram build_program(const ProgramRequest& request, const ProgramCache& cache) {
  const ProgramKey key = program_key(request);
  if (const auto binary = cache.find(key))
    if (ClProgram program = from_binary(request, *binary)) return {std::move(program), true};
  ClProgram program = from_source(request);
  cache.keep(key, binary_of(program.get()));
  return {std::move(program), false};
}

}  // namespace convoy
