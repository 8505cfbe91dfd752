#include "app/cli/statistics.h"

#include <algorithm>

namespace convoy::cli {

double Measurements::median() const {
  if (ms_.empty()) return 0;
  std::vector<double> sorted = ms_;
  std::sort(sorted.begin(), sorted.end());
  const std::size_t middle = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

double Measurements::least() const {
  return ms_.empty() ? 0 : *std::min_element(ms_.begin(), ms_.end());
}

double Measurements::most() const {
  return ms_.empty() ? 0 : *std::max_element(ms_.begin(), ms_.end());
}

void Measurements::put(nlohmann::ordered_json& object, const std::string& key) const {
  object[key + "_ms"] = median();
  object[key + "_ms_min"] = least();
  object[key + "_ms_max"] = most();
}

}  // namespace convoy::cli
