// Small data files, written by the tests at run time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tests/base/error_of.h"

namespace convoy::test {

namespace fs = std::filesystem;

void write_file(const fs::path& path, const std::string& content);  // makes the folders too
std::string read_file(const fs::path& path);

std::string big_endian(std::uint32_t value);
std::string gzip(const std::string& bytes);

// The pixel that the CIFAR files hold at `offset` of the image number `image`.
std::uint8_t test_pixel(int image, int offset);

// CIFAR records whose labels are first, first + 1, ... modulo `classes`; pixels by test_pixel(),
// images counted from `first`. `coarse` puts CIFAR-100's first label before it.
std::string cifar_records(int first, int count, int classes = 10, bool coarse = false);

// batch files with 4 records each, a test batch with 3 and the class names.
void write_cifar10(const fs::path& folder, int batches = 5);
void write_cifar100(const fs::path& folder);

std::string idx_images(int count, int height = 4, int width = 5);
std::string idx_labels(int count);
void write_mnist(const fs::path& folder, bool dotted = false, bool packed = false);

// Members of a ustar archive.
struct TarMember {
  std::string name;
  std::string content;
  char type = '0';
};
std::string tar(const std::vector<TarMember>& members, bool gnu = false);
// The official archive's layout around small batches; `records` is the number in each file.
std::string cifar10_archive(int records = 4);

// Pictures of one colour with a bright left half; `channels` 1 to 4 (grey, grey and alpha, colour,
// colour and alpha), alpha being `alpha`.
std::string png(int width, int height, int channels, std::uint8_t value, std::uint8_t alpha = 255);
std::string jpeg(int width, int height, std::uint8_t value);

template <class Work>
std::string data_error_of(const Work& work) {
  return error_of(ErrorKind::kData, work);
}

}  // namespace convoy::test
