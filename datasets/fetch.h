// Downloading the public data sets.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/download.h"
#include "datasets/image_set.h"

namespace convoy {

struct FetchOptions {
  // Instead of the official place: the address of the archive; for MNIST that of the folder with
  // its four files. http and https. The content must be the official one all the same ...
  std::string url;
  // ... unless these MD5 sums are given, one a file in the order of fetched_files(kind).
  std::vector<std::string> checksums;
  // Where the data set's own folder is made; empty: default_dataset_folder().
  std::filesystem::path folder;
  // Bytes done, bytes in all (0: unknown) and the phase, a text for a person such as "downloading
  // cifar-10-binary.tar.gz". Called from the thread of fetch_dataset(), some ten times a second
  // while downloading; a message such as that of a retry comes as a phase of its own.
  std::function<void(std::uint64_t bytes, std::uint64_t total, std::string_view phase)> progress;
  // Limits of time and size and the number of tries; its progress, message and stop are not used.
  DownloadOptions download;
  const StopToken* stop = nullptr;
};

struct FetchedDataset {
  std::filesystem::path folder;  // a valid DatasetSpec::path
  bool was_there = false;        // nothing was downloaded
};

// $XDG_DATA_HOME/convoy/datasets, or ~/.local/share/convoy/datasets.
std::filesystem::path default_dataset_folder();

// The names of the files that are downloaded.
std::vector<std::string> fetched_files(DatasetKind kind);

// Downloads, checks and unpacks CIFAR-10, CIFAR-100 or MNIST. The data set appears whole and
// readable or not at all: everything is unpacked and read once in a temporary folder, which is then
// renamed. A data set that is there and readable is left alone, a damaged one replaced. Downloads
// are kept as FILE.part until the data set is in place, and resumed by the next call.
//
// Throws Error(kUsage) for the other kinds and malformed checksums; Error(kData) for the network,
// the server, a wrong checksum or a damaged archive (the .part is removed for these two);
// Error(kRun) where the disk does not take it or another call is downloading to the same place;
// and Interrupted.
FetchedDataset fetch_dataset(DatasetKind kind, const FetchOptions& options);

}  // namespace convoy
