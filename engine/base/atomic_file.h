// Files that are either whole or not there, and their folders.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "engine/base/error.h"

namespace convoy {

// Writes beside `path` and renames over it; follows links, writes straight to devices and pipes.
// Throws Error(kRun) with the path and the system's reason; an existing file is then left as it
// was. Not synchronised between threads that write one path.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

// Makes the folder, and those that it is in, where they are not there; `purpose` ends the message:
// "the run's files". Throws Error(kRun) with the path and the reason.
void make_folder(const std::filesystem::path& folder, const char* purpose);

// The whole file. Throws Error(kind) with the path and the system's reason.
std::string read_whole_file(const std::filesystem::path& path, ErrorKind kind);

}  // namespace convoy
