// Where this user's programs may keep what they can make again.
#pragma once

#include <filesystem>

namespace convoy {

// $CONVOY_CACHE_DIR, else $XDG_CACHE_HOME/convoy, else ~/.cache/convoy; empty when there is none of
// them. The folder need not exist.
std::filesystem::path user_cache_folder();

}  // namespace convoy
