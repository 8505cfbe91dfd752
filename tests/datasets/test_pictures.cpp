#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#include <stb/stb_image_write.h>

#include "tests/datasets/test_files.h"

namespace convoy::test {
namespace {

void append(void* text, void* bytes, int count) {
  static_cast<std::string*>(text)->append(static_cast<const char*>(bytes),
                                          static_cast<std::size_t>(count));
}

std::vector<std::uint8_t> half_bright(int width, int height, int channels, std::uint8_t value,
                                      std::uint8_t alpha) {
  std::vector<std::uint8_t> pixels;
  for (int row = 0; row < height; ++row)
    for (int column = 0; column < width; ++column)
      for (int c = 0; c < channels; ++c) {
        const bool is_alpha = (channels == 2 || channels == 4) && c == channels - 1;
        pixels.push_back(is_alpha ? alpha : 2 * column < width ? 240 : value);
      }
  return pixels;
}

}  // namespace

std::string png(int width, int height, int channels, std::uint8_t value, std::uint8_t alpha) {
  const auto pixels = half_bright(width, height, channels, value, alpha);
  std::string file;
  stbi_write_png_to_func(append, &file, width, height, channels, pixels.data(), 0);
  return file;
}

std::string jpeg(int width, int height, std::uint8_t value) {
  const auto pixels = half_bright(width, height, 3, value, 255);
  std::string file;
  stbi_write_jpg_to_func(append, &file, width, height, 3, pixels.data(), 95);
  return file;
}

}  // namespace convoy::test
