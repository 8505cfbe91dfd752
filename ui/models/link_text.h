// Links as a person reads and types them: "default", "unlimited", "100 Mb/s",
// "1 Gb/s, 0.5 ms, half duplex". Numbers in the locale's form; what is typed may have a plain dot.
#pragma once

#include <QString>
#include <optional>

#include "engine/link/link.h"

namespace convoy::ui {

// No link is "default".
QString linkText(const std::optional<LinkSettings>& link);
// Nothing when the text means no link.
std::optional<std::optional<LinkSettings>> linkFromText(const QString& text);
// Nothing is "unlimited".
QString bandwidthText(std::optional<double> mbps);

}  // namespace convoy::ui
