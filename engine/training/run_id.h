// What tells one run from all others.
#pragma once

#include <string>

namespace convoy {

// "20261121-131702-4f2a": sorts by time (UTC), and two runs of one second differ.
std::string new_run_id();

}  // namespace convoy
