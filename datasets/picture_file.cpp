#include "datasets/picture_file.h"

#include <stb/stb_image.h>
#include <stb/stb_image_resize.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>

#include "datasets/data_file.h"

namespace fs = std::filesystem;

namespace convoy {
namespace {

constexpr std::uint64_t kMaxFileBytes = 256 << 20;
constexpr std::uint64_t kMaxPixels = 64'000'000;

constexpr std::string_view kPngSignature = "\x89PNG\r\n\x1a\n";
constexpr std::string_view kJpegSignature = "\xff\xd8\xff";

// Walks the chunks to IEND, comparing the checksums that stb_image does not look at.
void check_png(std::string_view file, const fs::path& path) {
  std::size_t at = kPngSignature.size();
  for (;;) {
    if (file.size() - at < 12)
      refuse(path, at, "the PNG ends before its IEND chunk; the file is truncated");
    const std::uint32_t length = big_endian_32(file, at);
    std::string type(file.substr(at + 4, 4));
    for (char& letter : type)
      if (!std::isalpha(static_cast<unsigned char>(letter))) letter = '?';
    if (length > file.size() - at - 12)
      refuse(path, at,
             "PNG chunk " + type + " tells of " + bytes_text(length) + ", but only " +
                 bytes_text(file.size() - at - 12) + " are left; the file is truncated");
    const auto* checked = reinterpret_cast<const Bytef*>(file.data() + at + 4);
    if (crc32(0, checked, length + 4) != big_endian_32(file, at + 8 + length))
      refuse(path, at, "PNG chunk " + type + " does not match its checksum; the file is damaged");
    at += 12 + length;
    if (type == "IEND") break;
  }
  if (at != file.size())
    refuse(path, at, bytes_text(file.size() - at) + " behind the end of the PNG");
}

// The Huffman tables of a DHT segment: 16 counts of codes, then as many values. stb_image 2.27
// trusts the counts and writes behind its tables where they add up to more than 256.
void check_huffman_tables(std::string_view segment, std::size_t offset, const fs::path& path) {
  while (!segment.empty()) {
    std::size_t codes = 0;
    for (std::size_t i = 1; i <= 16 && i < segment.size(); ++i) codes += byte_at(segment, i);
    if (segment.size() < 17 || codes > 256 || codes > segment.size() - 17)
      refuse(path, offset,
             "JPEG Huffman table of " + std::to_string(codes) + " codes in the " +
                 bytes_text(segment.size()) + " left; valid are up to 256 that fit");
    segment.remove_prefix(17 + codes);
    offset += 17 + codes;
  }
}

// Walks the marker segments to the end of the image. Cameras append more behind it; that is valid.
void check_jpeg(std::string_view file, const fs::path& path) {
  constexpr int kHuffmanTables = 0xc4, kEndOfImage = 0xd9, kStartOfScan = 0xda;
  std::size_t at = 2;
  bool in_scan = false;
  while (at + 1 < file.size()) {
    const int first = byte_at(file, at), marker = byte_at(file, at + 1);
    // Within a scan, FF 00 is a data byte FF, and D0 to D7 are restart markers.
    const bool is_marker = first == 0xff && marker != 0x00 && marker != 0xff;
    if (!is_marker || (in_scan && marker >= 0xd0 && marker <= 0xd7)) {
      if (!in_scan && first != 0xff)
        refuse(path, at, "expected a JPEG marker, found byte " + std::to_string(first));
      ++at;
      continue;
    }
    if (marker == kEndOfImage) return;
    if (at + 4 > file.size()) break;
    const std::size_t length = std::size_t{byte_at(file, at + 2)} << 8 | byte_at(file, at + 3);
    if (length < 2)
      refuse(path, at + 2, "JPEG segment of " + bytes_text(length) + "; valid are 2 or more");
    if (marker == kHuffmanTables && at + 2 + length <= file.size())
      check_huffman_tables(file.substr(at + 4, length - 2), at + 4, path);
    in_scan = marker == kStartOfScan;
    at += 2 + length;
  }
  refuse(path, file.size(), "the JPEG ends before its end-of-image marker; the file is truncated");
}

// The most pixels that a byte of the file can stand for, so that a header cannot claim more.
// Deflate packs at most 1032 to 1; a JPEG has at least one bit for each block of 8x8.
std::uint64_t max_pixels_per_byte(std::string_view file) {
  if (!file.starts_with(kPngSignature)) return 8 * 64;
  constexpr std::size_t kBitDepth = 24, kColourType = 25;
  constexpr std::array<std::uint64_t, 7> kSamples = {1, 1, 3, 1, 2, 1, 4};
  const std::uint64_t samples = kSamples[byte_at(file, kColourType) % kSamples.size()];
  const std::uint64_t bits = samples * std::max<std::uint64_t>(byte_at(file, kBitDepth), 1);
  return 1032 * 8 / bits;
}

// Lays pixels with an alpha channel over white; `rgb` may be `rgba`.
void drop_alpha(const std::uint8_t* rgba, std::uint8_t* rgb, std::size_t pixels) {
  for (std::size_t i = 0; i < pixels; ++i) {
    const unsigned alpha = rgba[4 * i + 3];
    for (std::size_t c = 0; c < 3; ++c)
      rgb[3 * i + c] =
          static_cast<std::uint8_t>((rgba[4 * i + c] * alpha + 255 * (255 - alpha) + 127) / 255);
  }
}

}  // namespace

bool is_picture_name(const fs::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

std::vector<std::uint8_t> read_picture(const fs::path& path, int side) {
  const std::string file = read_data_file(path, kMaxFileBytes);
  if (file.starts_with(kPngSignature)) {
    check_png(file, path);
  } else if (file.starts_with(kJpegSignature)) {
    check_jpeg(file, path);
  } else {
    refuse(path, 0,
           "neither a PNG nor a JPEG picture: the file of " + bytes_text(file.size()) +
               " starts with neither signature");
  }

  const auto* bytes = reinterpret_cast<const stbi_uc*>(file.data());
  const int size = static_cast<int>(file.size());
  int width = 0, height = 0, channels = 0;
  if (!stbi_info_from_memory(bytes, size, &width, &height, &channels))
    refuse(path, "cannot read the picture's header: it is damaged, or tells of too many pixels");
  const std::uint64_t pixels =
      static_cast<std::uint64_t>(width) * static_cast<std::uint64_t>(height);
  const std::string sides = std::to_string(width) + "x" + std::to_string(height) + " pixels";
  if (pixels > kMaxPixels)
    refuse(path,
           "a picture of " + sides + "; valid are up to " + std::to_string(kMaxPixels) + " pixels");
  if (pixels > file.size() * max_pixels_per_byte(file))
    refuse(path, "a picture of " + sides + " does not fit into a file of " +
                     bytes_text(file.size()) + "; it is damaged");

  const int wanted = channels == 2 || channels == 4 ? STBI_rgb_alpha : STBI_rgb;
  const std::unique_ptr<stbi_uc, void (*)(void*)> decoded(
      stbi_load_from_memory(bytes, size, &width, &height, &channels, wanted), stbi_image_free);
  if (!decoded) refuse(path, std::string("cannot decode the picture: ") + stbi_failure_reason());
  if (wanted == STBI_rgb_alpha) drop_alpha(decoded.get(), decoded.get(), pixels);

  const std::size_t plane = static_cast<std::size_t>(side) * static_cast<std::size_t>(side);
  std::vector<std::uint8_t> square(3 * plane), planes(3 * plane);
  if (width == side && height == side) {
    std::copy_n(decoded.get(), square.size(), square.data());
  } else if (!stbir_resize_uint8_generic(decoded.get(), width, height, 0, square.data(), side, side,
                                         0, 3, STBIR_ALPHA_CHANNEL_NONE, 0, STBIR_EDGE_CLAMP,
                                         STBIR_FILTER_DEFAULT, STBIR_COLORSPACE_LINEAR, nullptr)) {
    throw Error(ErrorKind::kRun, path.string(), "not enough memory to resize the picture");
  }
  for (std::size_t i = 0; i < plane; ++i)
    for (std::size_t c = 0; c < 3; ++c) planes[c * plane + i] = square[3 * i + c];
  return planes;
}

}  // namespace convoy
