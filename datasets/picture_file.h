// One PNG or JPEG file, decoded by stb_image and made a square by stb_image_resize.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace convoy {

// ".png", ".jpg" and ".jpeg" in any case.
bool is_picture_name(const std::filesystem::path& path);

// The picture as three planes (red, green, blue) of side x side pixels. It is stretched to the
// square with a Mitchell filter where it shrinks and Catmull-Rom where it grows. Grey pictures
// become colour ones; transparent ones are laid over white; 16 bits a channel become 8.
//
// The file's structure is checked first, PNG by its checksums, JPEG by its markers up to the end
// of the image, because stb_image decodes a truncated JPEG to a half-grey picture without a word.
// Refuses pictures of more than 64 million pixels. Throws Error(kData). Thread-safe.
std::vector<std::uint8_t> read_picture(const std::filesystem::path& path, int side);

}  // namespace convoy
