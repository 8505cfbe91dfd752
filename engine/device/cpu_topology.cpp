#include "engine/device/cpu_topology.h"

#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>

namespace convoy {
namespace {

std::vector<int> affinity_of_this_thread() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  std::vector<int> cores;
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return cores;
  for (int core = 0; core < CPU_SETSIZE; ++core)
    if (CPU_ISSET(core, &allowed)) cores.push_back(core);
  return cores;
}

// Asked before main(), when no library has pinned the first thread yet.
[[maybe_unused]] const std::vector<int>& asked_at_start = cores_at_start();

}  // namespace

const std::vector<int>& cores_at_start() {
  static const std::vector<int> cores = affinity_of_this_thread();
  return cores;
}

std::string processor_name() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);)
    if (line.starts_with("model name")) {
      const auto name = line.find_first_not_of(" \t", line.find(':') + 1);
      if (name != std::string::npos) return line.substr(name);
    }
  utsname system;
  return uname(&system) == 0 ? system.machine : "CPU";
}

std::uint64_t physical_memory_bytes() {
  return static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
         static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace convoy
