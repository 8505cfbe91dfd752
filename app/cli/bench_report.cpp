#include "app/cli/bench_report.h"

#include <sys/resource.h>

#include "app/cli/text_table.h"
#include "engine/base/random.h"

namespace convoy::cli {

double peak_memory_bytes() {
  struct rusage usage {};
  getrusage(RUSAGE_SELF, &usage);
  return 1024.0 * static_cast<double>(usage.ru_maxrss);  // Linux counts in KiB
}

FloatBuffer random_buffer(std::size_t size, std::uint64_t seed) {
  FloatBuffer buffer(size);
  Random random(seed);
  for (float& value : buffer.span()) value = static_cast<float>(random.uniform(-1, 1));
  return buffer;
}

std::string time_line(const std::string& what, const Measurements& times) {
  return what + std::string(what.size() < 18 ? 18 - what.size() : 1, ' ') +
         fixed(times.median(), 3) + " ms  (" + fixed(times.least(), 3) + " to " +
         fixed(times.most(), 3) + ")";
}

}  // namespace convoy::cli
