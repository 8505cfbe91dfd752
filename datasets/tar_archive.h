// Unpacking of the .tar.gz archives that data sets come in: ustar (POSIX.1-1988) and GNU headers.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "engine/base/stop_token.h"

namespace convoy {

// Unpacks those regular files of `archive` that are named in `wanted` ("folder/file") into the
// existing folder `to`, by the last part of their names. Other files and folders are passed over;
// links, devices, absolute names and names with ".." are refused, as are files of more than
// `max_file_bytes`, a damaged archive, and one that lacks a wanted file: Error(kData) with the
// path of the archive. Error(kRun) where the disk does not take the files; what was written then
// stays, for the caller to remove with the folder. Polls `stop` (may be null).
void unpack_tar_gz(const std::filesystem::path& archive, std::span<const std::string> wanted,
                   const std::filesystem::path& to, std::uint64_t max_file_bytes,
                   const StopToken* stop);

}  // namespace convoy
