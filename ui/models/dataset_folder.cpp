#include "ui/models/dataset_folder.h"

#include <QDir>
#include <QStringList>
#include <algorithm>

namespace convoy::ui {
namespace {

QStringList telltaleFiles(DatasetKind kind) {
  switch (kind) {
    case DatasetKind::kCifar10:
      return {"data_batch_1.bin", "cifar-10-batches-bin/data_batch_1.bin"};
    case DatasetKind::kCifar100:
      return {"train.bin", "cifar-100-binary/train.bin"};
    case DatasetKind::kMnist: {
      QStringList files;
      for (const char* folder : {"", "mnist/"})
        for (const char* name : {"train-images-idx3-ubyte", "train-images.idx3-ubyte"})
          for (const char* ending : {"", ".gz"})
            files.append(QLatin1String(folder) + QLatin1String(name) + QLatin1String(ending));
      return files;
    }
    case DatasetKind::kSynthetic:
    case DatasetKind::kFolder:
      break;
  }
  return {};
}

}  // namespace

bool holdsDataset(const QString& folder, DatasetKind kind) {
  const QDir dir(folder);
  const QStringList files = telltaleFiles(kind);
  return files.isEmpty() || std::any_of(files.begin(), files.end(),
                                        [&](const QString& file) { return dir.exists(file); });
}

DatasetKind datasetKindOf(const QString& folder) {
  for (const DatasetKind kind :
       {DatasetKind::kCifar10, DatasetKind::kCifar100, DatasetKind::kMnist})
    if (holdsDataset(folder, kind)) return kind;
  return DatasetKind::kFolder;
}

QString telltaleFile(DatasetKind kind) {
  const QStringList files = telltaleFiles(kind);
  return files.isEmpty() ? QString() : files.front();
}

}  // namespace convoy::ui
