// A folder of class folders with PNG or JPEG pictures.
#pragma once

#include <filesystem>
#include <optional>

#include "datasets/image_set.h"

namespace convoy {

// `path` holds train/<class>/ and test/<class>/ with the pictures, or only <class>/; then, within
// each class, every fifth picture by name is of the test part. Classes and pictures are taken in
// the order of their names' bytes; hidden files and what is no .png, .jpg or .jpeg are passed
// over. A part's order takes one picture of each class in turn, so that a limit keeps the classes
// even. Every picture taken is resized to image_size x image_size, see picture_file.h.
Dataset read_image_folder(const std::filesystem::path& path, int image_size,
                          std::optional<int> train_limit, std::optional<int> test_limit,
                          const StopToken* stop);

}  // namespace convoy
