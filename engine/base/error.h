// Errors that a person can act on.
//
// Every error says what went wrong, where (file and JSON path, byte offset, device id), what was
// found and what would be valid, in one sentence that can be shown as it is. The kind decides the
// exit code of the command line and the place of the message in the workbench.
#pragma once

#include <stdexcept>
#include <string>

namespace convoy {

enum class ErrorKind {
  kUsage,       // wrong command-line usage
  kExperiment,  // invalid experiment file or value
  kDevice,      // a device is missing or failed for good
  kData,        // a data set, array or weight file cannot be read
  kRun,         // the run itself failed (out of memory, disk full, ...)
};

class Error : public std::runtime_error {
 public:
  // `where` is the place, shown before the message: "runs/a.json: /training/batch_size",
  // "train-images.gz: byte 16", "opencl:0:0". It may be empty.
  Error(ErrorKind kind, std::string where, const std::string& what)
      : std::runtime_error(where.empty() ? what : where + ": " + what),
        kind_(kind),
        where_(std::move(where)) {}

  ErrorKind kind() const { return kind_; }
  const std::string& where() const { return where_; }

 private:
  ErrorKind kind_;
  std::string where_;
};

// The exit codes of the `convoy` program.
inline int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUsage:
    case ErrorKind::kExperiment:
      return 2;
    case ErrorKind::kDevice:
      return 3;
    case ErrorKind::kData:
      return 4;
    case ErrorKind::kRun:
      break;
  }
  return 5;
}
inline constexpr int kExitInterrupted = 130;

// Thrown where work notices that it was asked to stop. It is an outcome of its own, neither success
// nor failure, and therefore no Error.
class Interrupted : public std::exception {
 public:
  const char* what() const noexcept override { return "interrupted"; }
};

}  // namespace convoy
