// Tests on every instruction set of this processor that the engine was compiled for.
#pragma once

#include <hwy/highway.h>

#include <QTest>

namespace convoy {

// For a _data() slot: a row for each, in the column "target".
inline void add_instruction_sets() {
  QTest::addColumn<qint64>("target");
  for (int64_t left = hwy::SupportedTargets(); left != 0; left &= left - 1)
    QTest::newRow(hwy::TargetName(left & -left)) << static_cast<qint64>(left & -left);
}

// Until choose_all_instruction_sets().
inline void choose_instruction_set(qint64 target) {
  hwy::SetSupportedTargetsForTest(target);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}
inline void choose_all_instruction_sets() {
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace convoy
