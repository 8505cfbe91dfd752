// One file over HTTP(S), with libcurl: resumed, retried, stoppable.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "engine/base/stop_token.h"

namespace convoy {

struct DownloadOptions {
  std::uint64_t max_bytes = std::uint64_t{1} << 30;
  std::chrono::seconds connect_timeout{15};
  std::chrono::seconds stall_timeout{30};  // without a byte arriving
  int tries = 3;                           // after a connection that broke or a server's 5xx
  std::chrono::milliseconds retry_wait{1000};
  // Bytes there and bytes in all (0 while unknown); at most ten times a second and at the end.
  std::function<void(std::uint64_t, std::uint64_t)> progress;
  // What is worth a line of its own: "connection lost at ...; trying again (2 of 3)".
  std::function<void(const std::string&)> message;
  const StopToken* stop = nullptr;
};

// Downloads `url` to `file`. If `file` exists, it is taken for the start of the download and only
// the rest is asked for; a server that sends everything (no Range support) overwrites it.
// Afterwards `file` is as long as the server said; whether it is right is for the caller to check.
//
// Throws Error(kData) for what the network or the server did, Error(kRun) where the disk does not
// take the file, Interrupted within some 100 ms of a stop. `file` keeps what arrived, for resuming
// unless the server
// will not continue it (416): then the download starts over.
void download(const std::string& url, const std::filesystem::path& file,
              const DownloadOptions& options);

}  // namespace convoy
