// How an experiment file spells its choices. Private to its parser and its writer.
#pragma once

#include <string_view>

namespace convoy {

inline constexpr std::string_view kPaddings[] = {"valid", "same"};
inline constexpr std::string_view kDuplexes[] = {"full", "half"};
inline constexpr std::string_view kBaselines[] = {"fastest", "master", "none"};
inline constexpr std::string_view kShareModes[] = {"calibrated", "equal"};
inline constexpr std::string_view kSplits[] = {"kernels", "batch", "auto"};
inline constexpr std::string_view kWires[] = {"fp32", "fp16", "bf16"};
inline constexpr std::string_view kClocks[] = {"wall", "virtual"};

}  // namespace convoy
