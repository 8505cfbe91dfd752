#include "tests/house/include_rules.h"

#include <QDir>
#include <QDirIterator>
#include <QFile>
#include <QFileInfo>
#include <QRegularExpression>
#include <optional>

namespace house {
namespace {

struct Floor {
  QString folder;
  QStringList below;  // the floors it may include, its own aside
};

// From the ground up. Floors of one height (device and link; network, results and datasets) do not
// see each other.
const QList<Floor>& floors() {
  static const QList<Floor> list = [] {
    const QStringList ground{"engine/base", "engine/tensor", "engine/conv"};
    const QStringList machines = ground + QStringList{"engine/device", "engine/link"};
    const QStringList shared = machines + QStringList{"engine/cluster"};
    const QStringList materials =
        shared + QStringList{"datasets", "engine/network", "engine/results"};
    const QStringList engine = materials + QStringList{"engine/training"};
    return QList<Floor>{
        {"engine/base", {}},
        {"engine/tensor", {"engine/base"}},
        {"engine/conv", {"engine/base", "engine/tensor"}},
        {"engine/device", ground},
        {"engine/link", ground},
        {"engine/cluster", machines},
        {"datasets", shared},
        {"engine/network", shared},
        {"engine/results", shared},
        {"engine/training", materials},
        {"ui", engine},
        {"app/cli", engine},
        {"app/workbench", engine + QStringList{"ui"}},
    };
  }();
  return list;
}

const Floor* floor_of(const QString& path) {
  for (const Floor& floor : floors()) {
    if (path.startsWith(floor.folder + '/')) return &floor;
  }
  return nullptr;
}

bool is_qt_header(const QString& name) {
  static const QRegularExpression qt("^(Q[A-Z]\\w*|Qt\\w+/.*|q[a-z]+\\.h)$");
  return qt.match(name).hasMatch();
}

bool may_use_qt(const Floor& floor) {
  return floor.folder == "ui" || floor.folder == "app/workbench";
}

// The workbench lists devices, but knows nothing of how they compute.
bool hidden_from_ui(const QString& header) {
  if (header == "engine/device/discovery.h" || header == "engine/device/device.h") return false;
  return header.startsWith("engine/conv/") || header.startsWith("engine/device/");
}

std::optional<QString> fault(const QString& root, const Floor& from, const QString& header,
                             bool quoted) {
  if (is_qt_header(header)) {
    if (may_use_qt(from)) return std::nullopt;
    return QString("Qt (%1) in %2, which runs without it").arg(header, from.folder);
  }
  if (!quoted) return std::nullopt;
  if (header.endsWith(".moc") || header.startsWith("ui_")) return std::nullopt;
  const Floor* to = floor_of(header);
  if (!to) {
    return QString("\"%1\" is not a path from the root into a floor of the house").arg(header);
  }
  if (to->folder != from.folder && !from.below.contains(to->folder)) {
    return QString("%1 may not include %2 (\"%3\")").arg(from.folder, to->folder, header);
  }
  if (from.folder == "ui" && hidden_from_ui(header)) {
    return QString("ui may not see \"%1\", only device.h and discovery.h").arg(header);
  }
  if (!QFileInfo::exists(root + '/' + header)) {
    return QString("\"%1\" does not exist").arg(header);
  }
  return std::nullopt;
}

}  // namespace

QStringList source_files(const QString& root, const QStringList& folders) {
  QStringList files;
  const QDir base(root);
  for (const QString& folder : folders) {
    QDirIterator entries(base.filePath(folder), {"*.h", "*.cpp"}, QDir::Files,
                         QDirIterator::Subdirectories);
    while (entries.hasNext()) files << base.relativeFilePath(entries.next());
  }
  files.sort();
  return files;
}

QString own_header(const QString& root, const QString& source) {
  if (!source.endsWith(".cpp")) return {};
  const QString header = source.chopped(4) + ".h";
  return QFileInfo::exists(root + '/' + header) ? header : QString();
}

QStringList include_violations(const QString& root) {
  static const QRegularExpression include("^\\s*#\\s*include\\s*([<\"])([^>\"]+)[>\"]");
  QStringList violations;
  for (const QString& path : source_files(root, {"app", "ui", "engine", "datasets"})) {
    const Floor* floor = floor_of(path);
    if (!floor) {
      violations << QString("%1:1: lies on no known floor of the house").arg(path);
      continue;
    }
    QFile file(root + '/' + path);
    if (!file.open(QIODevice::ReadOnly)) {
      violations << QString("%1:1: cannot be read").arg(path);
      continue;
    }
    QString awaited = own_header(root, path);
    for (int line = 1; !file.atEnd(); ++line) {
      const auto match = include.match(QString::fromUtf8(file.readLine()));
      if (!match.hasMatch()) continue;
      if (!awaited.isEmpty() && match.captured(2) != awaited) {
        violations << QString("%1:%2: \"%3\" must come first, which shows that it stands alone")
                          .arg(path)
                          .arg(line)
                          .arg(awaited);
      }
      awaited.clear();
      if (const auto what = fault(root, *floor, match.captured(2), match.captured(1) == "\"")) {
        violations << QString("%1:%2: %3").arg(path).arg(line).arg(*what);
      }
    }
    if (!awaited.isEmpty()) {
      violations << QString("%1:1: does not include \"%2\"").arg(path, awaited);
    }
  }
  return violations;
}

}  // namespace house
