// The workbench's own icons.
#pragma once

#include <QIcon>
#include <optional>

#include "ui/theme/theme.h"

namespace convoy::ui {

// Drawn in the text colour of whatever palette is on, or in one of the theme's inks; sharp at every
// scale. Names are the files of resources/ui.
QIcon themedIcon(const QString& name, std::optional<Ink> ink = std::nullopt);

// The program's.
QIcon applicationIcon();

}  // namespace convoy::ui
