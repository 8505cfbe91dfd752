#include "engine/base/user_cache.h"

#include <cstdlib>

namespace convoy {

std::filesystem::path user_cache_folder() {
  const auto folder = [](const char* variable) {
    const char* value = std::getenv(variable);
    return std::filesystem::path(value ? value : "");
  };
  if (const auto own = folder("CONVOY_CACHE_DIR"); !own.empty()) return own;
  // A relative path is to be ignored, by the XDG base directory specification.
  if (const auto xdg = folder("XDG_CACHE_HOME"); xdg.is_absolute()) return xdg / "convoy";
  if (const auto home = folder("HOME"); !home.empty()) return home / ".cache" / "convoy";
  return {};
}

}  // namespace convoy
