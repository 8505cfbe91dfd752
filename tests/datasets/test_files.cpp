#include "tests/datasets/test_files.h"

#include <zlib.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace convoy::test {

void write_file(const fs::path& path, const std::string& content) {
  fs::create_directories(path.parent_path());
  fs::remove(path);  // some file systems write a truncated file to the disk at once, which is slow
  std::ofstream file(path, std::ios::binary);
  file << content;
  file.close();
  if (!file) throw std::runtime_error("cannot write " + path.string());
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

std::string gzip(const std::string& bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("deflateInit2");
  std::string packed(deflateBound(&stream, bytes.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int result = deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  if (result != Z_STREAM_END) throw std::runtime_error("deflate");
  return packed;
}

std::uint8_t test_pixel(int image, int offset) {
  return static_cast<std::uint8_t>(image * 37 + offset * 11 + offset / 1024);
}

std::string cifar_records(int first, int count, int classes, bool coarse) {
  std::string records;
  for (int image = first; image < first + count; ++image) {
    if (coarse) records += static_cast<char>(image % 20);
    records += static_cast<char>(image % classes);
    for (int i = 0; i < 3072; ++i) records += static_cast<char>(test_pixel(image, i));
  }
  return records;
}

void write_cifar10(const fs::path& folder, int batches) {
  for (int i = 0; i < batches; ++i)
    write_file(folder / ("data_batch_" + std::to_string(i + 1) + ".bin"), cifar_records(4 * i, 4));
  write_file(folder / "test_batch.bin", cifar_records(100, 3));
  write_file(folder / "batches.meta.txt",
             "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n");
}

void write_cifar100(const fs::path& folder) {
  write_file(folder / "train.bin", cifar_records(40, 5, 100, true));
  write_file(folder / "test.bin", cifar_records(97, 4, 100, true));
}

std::string idx_images(int count, int height, int width) {
  std::string file = big_endian(0x803) + big_endian(static_cast<std::uint32_t>(count)) +
                     big_endian(static_cast<std::uint32_t>(height)) +
                     big_endian(static_cast<std::uint32_t>(width));
  for (int i = 0; i < count * height * width; ++i) file += static_cast<char>(i * 7);
  return file;
}

std::string idx_labels(int count) {
  std::string file = big_endian(0x801) + big_endian(static_cast<std::uint32_t>(count));
  for (int i = 0; i < count; ++i) file += static_cast<char>((i * 3) % 10);
  return file;
}

void write_mnist(const fs::path& folder, bool dotted, bool packed) {
  const std::string separator = dotted ? "." : "-";
  const auto write = [&](const std::string& name, const std::string& content) {
    write_file(folder / (name + (packed ? ".gz" : "")), packed ? gzip(content) : content);
  };
  write("train-images" + separator + "idx3-ubyte", idx_images(6));
  write("train-labels" + separator + "idx1-ubyte", idx_labels(6));
  write("t10k-images" + separator + "idx3-ubyte", idx_images(3));
  write("t10k-labels" + separator + "idx1-ubyte", idx_labels(3));
}

std::string tar(const std::vector<TarMember>& members, bool gnu) {
  std::string archive;
  for (const TarMember& member : members) {
    std::string header(512, '\0');
    const auto put = [&](std::size_t offset, const std::string& text) {
      header.replace(offset, text.size(), text);
    };
    char octal[16];
    put(0, member.name);
    put(100, "0000644");
    put(108, "0000000");
    put(116, "0000000");
    std::snprintf(octal, sizeof octal, "%011zo", member.content.size());
    put(124, octal);
    put(136, "00000000000");
    put(148, "        ");
    header[156] = member.type;
    put(257, gnu ? std::string("ustar  \0", 8)
                 : std::string("ustar\0"
                               "00",
                               8));
    unsigned sum = 0;
    for (const char c : header) sum += static_cast<unsigned char>(c);
    std::snprintf(octal, sizeof octal, "%06o", sum);
    put(148, std::string(octal) + std::string("\0 ", 2));
    archive += header + member.content;
    archive.resize((archive.size() + 511) / 512 * 512);
  }
  archive.resize(archive.size() + 1024);
  return archive;
}

std::string cifar10_archive(int records) {
  const std::string folder = "cifar-10-batches-bin/";
  std::vector<TarMember> members = {{folder, "", '5'}};
  for (int i = 0; i < 5; ++i)
    members.push_back({folder + "data_batch_" + std::to_string(i + 1) + ".bin",
                       cifar_records(records * i, records)});
  members.push_back({folder + "batches.meta.txt", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n"});
  members.push_back({folder + "test_batch.bin", cifar_records(1000, records)});
  members.push_back({folder + "readme.html", "<html></html>"});
  return gzip(tar(members, true));
}

}  // namespace convoy::test
