// Cores for the tests' thread pools, on any machine.
#pragma once

#include <sched.h>

#include <vector>

// `count` cores that this process may use, the last repeated where the machine has fewer: two
// threads on one core still run side by side.
inline std::vector<int> test_cores(int count) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  sched_getaffinity(0, sizeof(allowed), &allowed);
  std::vector<int> cores;
  for (int core = 0; core < CPU_SETSIZE && static_cast<int>(cores.size()) < count; ++core)
    if (CPU_ISSET(core, &allowed)) cores.push_back(core);
  while (static_cast<int>(cores.size()) < count) cores.push_back(cores.back());
  return cores;
}
