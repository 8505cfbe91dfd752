#include "engine/training/run_id.h"

#include <cstdio>
#include <ctime>
#include <random>

namespace convoy {

std::string new_run_id() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char date[32], text[48];
  std::strftime(date, sizeof date, "%Y%m%d-%H%M%S", &utc);
  std::snprintf(text, sizeof text, "%s-%04x", date, std::random_device{}() & 0xffffU);
  return text;
}

}  // namespace convoy
