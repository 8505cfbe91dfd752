#include "engine/results/device_work.h"

#include <iterator>

namespace convoy {

std::vector<WorkRow> work_rows(const std::vector<Slice>& slices, std::size_t devices,
                               std::size_t layers) {
  constexpr std::size_t kPasses = std::size(kAllPasses);
  std::vector<DeviceWork> table(devices * layers * kPasses);
  std::vector<bool> present(table.size());
  for (const Slice& slice : slices) {
    const std::size_t row =
        (static_cast<std::size_t>(slice.device) * layers + static_cast<std::size_t>(slice.layer)) *
            kPasses +
        static_cast<std::size_t>(slice.pass);
    table.at(row).add(slice);
    present.at(row) = true;
  }
  std::vector<WorkRow> rows;
  for (std::size_t i = 0; i < table.size(); ++i)
    if (present[i])
      rows.push_back(
          {i / kPasses / layers, i / kPasses % layers, kAllPasses[i % kPasses], table[i]});
  return rows;
}

}  // namespace convoy
