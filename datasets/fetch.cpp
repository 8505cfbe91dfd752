#include "datasets/fetch.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>

#include "datasets/data_file.h"
#include "datasets/md5.h"
#include "datasets/tar_archive.h"

namespace fs = std::filesystem;

namespace convoy {
namespace {

struct RemoteFile {
  std::string name;
  std::string md5;
};

struct Source {
  std::string base_url;  // the files' names follow
  std::vector<RemoteFile> files;
  std::string folder;                 // the data set's own
  std::vector<std::string> unpacked;  // members of the one archive; empty: files are kept as is
};

Source source_of(DatasetKind kind) {
  switch (kind) {
    case DatasetKind::kCifar10: {
      Source source{"https://www.cs.toronto.edu/~kriz/",
                    {{"cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530"}},
                    "cifar-10-batches-bin",
                    {}};
      for (const char* name :
           {"batches.meta.txt", "data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
            "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"})
        source.unpacked.push_back(source.folder + "/" + name);
      return source;
    }
    case DatasetKind::kCifar100: {
      Source source{"https://www.cs.toronto.edu/~kriz/",
                    {{"cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8"}},
                    "cifar-100-binary",
                    {}};
      for (const char* name : {"fine_label_names.txt", "train.bin", "test.bin"})
        source.unpacked.push_back(source.folder + "/" + name);
      return source;
    }
    case DatasetKind::kMnist:
      return {"https://ossci-datasets.s3.amazonaws.com/mnist/",
              {{"train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"},
               {"train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"},
               {"t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"},
               {"t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"}},
              "mnist",
              {}};
    case DatasetKind::kSynthetic:
    case DatasetKind::kFolder:
      break;
  }
  throw Error(ErrorKind::kUsage, std::string(dataset_kind_name(kind)),
              "nothing to fetch; valid are cifar10, cifar100 and mnist");
}

Source source_of(DatasetKind kind, const FetchOptions& options) {
  Source source = source_of(kind);
  if (options.checksums.empty()) return source;
  if (options.checksums.size() != source.files.size())
    throw Error(ErrorKind::kUsage, "checksum",
                std::to_string(options.checksums.size()) + " given; " +
                    std::string(dataset_kind_name(kind)) + " has " +
                    std::to_string(source.files.size()) + " file(s)");
  for (std::size_t i = 0; i < source.files.size(); ++i) {
    std::string md5 = options.checksums[i];
    for (char& digit : md5)
      digit = digit >= 'A' && digit <= 'F' ? static_cast<char>(digit + 32) : digit;
    if (md5.size() != 32 || md5.find_first_not_of("0123456789abcdef") != std::string::npos)
      throw Error(ErrorKind::kUsage, "checksum",
                  "'" + md5 + "' is no MD5 sum; valid are 32 hexadecimal digits");
    source.files[i].md5 = md5;
  }
  return source;
}

std::string file_url(const Source& source, const RemoteFile& file, const FetchOptions& options) {
  if (options.url.empty()) return source.base_url + file.name;
  if (!source.unpacked.empty()) return options.url;
  return options.url + (options.url.ends_with('/') ? "" : "/") + file.name;
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    throw Error(ErrorKind::kRun, folder.string(), "cannot make the folder: " + error.message());
}

// A folder beside its final place, removed with everything in it unless put in place.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const fs::path& target) : target_(target) {
    std::string name = target.parent_path() / ".";
    name += target.filename().string() + ".XXXXXX";
    if (!::mkdtemp(name.data()))
      throw Error(ErrorKind::kRun, target.parent_path().string(),
                  std::string("cannot make a folder there: ") + std::strerror(errno));
    path_ = name;
    fs::permissions(path_,
                    fs::perms::group_read | fs::perms::group_exec | fs::perms::others_read |
                        fs::perms::others_exec,
                    fs::perm_options::add);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const fs::path& path() const { return path_; }

  // Puts the content in the place of whatever is there, which goes away with this object.
  void put_in_place() {
    const fs::path old = path_.string() + ".old";
    std::error_code error;
    const bool replaces = fs::exists(target_, error);
    if (replaces) fs::rename(target_, old, error);
    if (!error) fs::rename(path_, target_, error);
    if (error && fs::exists(old)) {
      std::error_code ignored;
      fs::rename(old, target_, ignored);
    }
    if (error)
      throw Error(ErrorKind::kRun, target_.string(),
                  "cannot put the data set in place: " + error.message());
    if (replaces) path_ = old;
  }

 private:
  fs::path target_, path_;
};

class Fetch {
 public:
  Fetch(DatasetKind kind, const FetchOptions& options)
      : kind_(kind),
        options_(options),
        source_(source_of(kind, options)),
        folder_(options.folder.empty() ? default_dataset_folder() : options.folder),
        target_(folder_ / source_.folder) {}

  FetchedDataset run() {
    if (readable(target_)) return {target_, true};
    make_folder(folder_);
    for (const RemoteFile& file : source_.files) obtain(file);

    try {
      unpack_and_put_in_place();
    } catch (const Error& error) {
      // Right by its checksum and yet no data set: resuming it would fail for ever.
      if (error.kind() == ErrorKind::kData) remove_parts();
      throw;
    }
    remove_parts();
    return {target_, false};
  }

 private:
  fs::path part(const RemoteFile& file) const { return folder_ / (file.name + ".part"); }

  void remove_part(const RemoteFile& file) const {
    std::error_code ignored;
    fs::remove(part(file), ignored);
  }

  void remove_parts() const {
    for (const RemoteFile& file : source_.files) remove_part(file);
  }

  void unpack_and_put_in_place() const {
    TemporaryFolder temporary(target_);
    if (source_.unpacked.empty()) {
      for (const RemoteFile& file : source_.files) copy(part(file), temporary.path() / file.name);
    } else {
      constexpr std::uint64_t kMaxFileBytes = std::uint64_t{1} << 30;
      report(0, 0, "unpacking " + source_.files[0].name);
      unpack_tar_gz(part(source_.files[0]), source_.unpacked, temporary.path(), kMaxFileBytes,
                    options_.stop);
    }
    report(0, 0, "checking the images");
    check(temporary.path());
    temporary.put_in_place();
  }

  void check(const fs::path& unpacked) const {
    try {
      load_dataset({kind_, unpacked.string(), 1, 1, true, {}}, 0, options_.stop);
    } catch (const Error& error) {
      // Without the temporary folder, which is gone when the message is read.
      std::string reason = error.what();
      if (reason.starts_with(unpacked.string())) reason.erase(0, unpacked.string().size() + 1);
      throw Error(error.kind(), file_url(source_, source_.files[0], options_),
                  "what arrived is no readable data set: " + reason);
    }
  }

  void report(std::uint64_t bytes, std::uint64_t total, std::string_view phase) const {
    if (options_.stop) options_.stop->throw_if_stopped();
    if (options_.progress) options_.progress(bytes, total, phase);
  }

  bool readable(const fs::path& folder) const {
    std::error_code ignored;
    if (!fs::exists(folder, ignored)) return false;
    try {
      load_dataset({kind_, folder.string(), 1, 1, true, {}}, 0, options_.stop);
      return true;
    } catch (const Error& error) {
      report(0, 0, std::string(error.what()) + "; fetching it anew");
      return false;
    }
  }

  // Afterwards the .part is the whole file with the right checksum.
  void obtain(const RemoteFile& file) const {
    std::error_code ignored;
    const bool resumes = fs::exists(part(file), ignored) && fs::file_size(part(file), ignored) > 0;
    if (resumes && !ignored && checksum(file) == file.md5) return;
    fetch_part(file);
    std::string found = checksum(file);
    if (found != file.md5 && resumes) {
      // The start, from another day or another server, may have been wrong.
      report(0, 0, "the resumed " + file.name + " has a wrong checksum; starting over");
      remove_part(file);
      fetch_part(file);
      found = checksum(file);
    }
    if (found == file.md5) return;
    const std::uint64_t size = fs::file_size(part(file), ignored);
    remove_part(file);
    throw Error(ErrorKind::kData, file_url(source_, file, options_),
                "the checksum of the " + bytes_text(size) + " that arrived is wrong: MD5 " + found +
                    ", expected " + file.md5 + "; nothing was kept");
  }

  void fetch_part(const RemoteFile& file) const {
    const std::string phase = "downloading " + file.name;
    DownloadOptions download_options = options_.download;
    download_options.stop = options_.stop;
    download_options.progress = [&](std::uint64_t bytes, std::uint64_t total) {
      report(bytes, total, phase);
    };
    download_options.message = [&](const std::string& message) { report(0, 0, message); };
    try {
      download(file_url(source_, file, options_), part(file), download_options);
    } catch (const Interrupted&) {
      if (options_.progress)
        options_.progress(0, 0,
                          "stopped; " + part(file).string() + " stays, the next fetch resumes it");
      throw;
    }
  }

  std::string checksum(const RemoteFile& file) const {
    report(0, 0, "checking " + file.name);
    Md5 md5;
    std::ifstream in(part(file), std::ios::binary);
    std::vector<char> piece(1 << 20);
    do {
      if (options_.stop) options_.stop->throw_if_stopped();
      in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
      md5.update({piece.data(), static_cast<std::size_t>(in.gcount())});
    } while (in);
    if (!in.eof())
      throw Error(ErrorKind::kRun, part(file).string(), "cannot read the file to its end");
    return md5.finish();
  }

  static void copy(const fs::path& from, const fs::path& to) {
    std::error_code error;
    fs::copy_file(from, to, error);
    if (error)
      throw Error(ErrorKind::kRun, to.string(), "cannot write the file: " + error.message());
  }

  DatasetKind kind_;
  const FetchOptions& options_;
  Source source_;
  fs::path folder_, target_;
};

}  // namespace

fs::path default_dataset_folder() {
  const char* data_home = std::getenv("XDG_DATA_HOME");
  if (data_home && fs::path(data_home).is_absolute())
    return fs::path(data_home) / "convoy" / "datasets";
  if (const char* home = std::getenv("HOME"); home && *home)
    return fs::path(home) / ".local" / "share" / "convoy" / "datasets";
  return fs::path("datasets");
}

std::vector<std::string> fetched_files(DatasetKind kind) {
  std::vector<std::string> names;
  for (const RemoteFile& file : source_of(kind).files) names.push_back(file.name);
  return names;
}

FetchedDataset fetch_dataset(DatasetKind kind, const FetchOptions& options) {
  return Fetch(kind, options).run();
}

}  // namespace convoy
