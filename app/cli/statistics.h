// Medians of repeated measurements.
#pragma once

#include <vector>

#include <nlohmann/json.hpp>

namespace convoy::cli {

// One thing, mostly in milliseconds, measured several times.
class Measurements {
 public:
  void add(double ms) { ms_.push_back(ms); }
  bool empty() const { return ms_.empty(); }
  double median() const;  // 0 when nothing was measured
  double least() const;
  double most() const;
  // KEY_ms, KEY_ms_min, KEY_ms_max
  void put(nlohmann::ordered_json& object, const std::string& key) const;

 private:
  std::vector<double> ms_;
};

}  // namespace convoy::cli
