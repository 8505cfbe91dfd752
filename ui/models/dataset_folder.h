// Recognising a data set by its files, without reading them.
#pragma once

#include <QString>

#include "datasets/image_set.h"

namespace convoy::ui {

// Whether `folder` looks like this set, or like the folder above the one its archive unpacks to.
// Always true for kinds that have no files of known names.
bool holdsDataset(const QString& folder, DatasetKind kind);
// CIFAR-10, CIFAR-100, MNIST, else a folder of pictures.
DatasetKind datasetKindOf(const QString& folder);
// A file without which a folder cannot be that set.
QString telltaleFile(DatasetKind kind);

}  // namespace convoy::ui
