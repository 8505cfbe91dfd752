// A distribution's options as one choice: the paper's, Convoy's best, or one's own. The choice
// follows from the options; it is stored nowhere.
#pragma once

#include <QString>

#include "engine/cluster/distribution_options.h"

namespace convoy::ui {

enum class Method { Paper, Best, Own };

Method methodOf(const DistributionOptions& options);
// "Paper's", "Convoy's best", "Own"
QString methodName(Method method);
// What it does, in a sentence; empty for one's own.
QString methodSentence(Method method);

}  // namespace convoy::ui
