#include "ui/models/device_model.h"

#include <QLocale>
#include <algorithm>
#include <utility>

#include "ui/models/link_text.h"

namespace convoy::ui {
namespace {

QString sizeText(std::uint64_t bytes) {
  return QLocale().formattedDataSize(static_cast<qint64>(bytes), 1, QLocale::DataSizeSIFormat);
}

QString unitsText(const DeviceInfo& info) {
  const bool one = info.compute_units == 1;
  const QString text = info.kind == DeviceKind::kCpu
                           ? (one ? DeviceModel::tr("%1 core") : DeviceModel::tr("%1 cores"))
                           : (one ? DeviceModel::tr("%1 unit") : DeviceModel::tr("%1 units"));
  return text.arg(info.compute_units);
}

// An OpenCL runtime on the processor is no second processor.
QString kindText(const DeviceInfo& info) {
  const QString kind = QString::fromUtf8(device_kind_name(info.kind));
  return info.id.starts_with("opencl") ? DeviceModel::tr("OpenCL %1").arg(kind) : kind;
}

}  // namespace

DeviceModel::DeviceModel(ExperimentDocument* document, QObject* parent)
    : QAbstractTableModel(parent), m_document(document) {
  connect(document, &ExperimentDocument::changed, this, &DeviceModel::refresh);
  refresh();
}

void DeviceModel::refresh() {
  const auto& rows = m_document->setup().devices;
  const bool sameDevices =
      std::equal(rows.begin(), rows.end(), m_rows.begin(), m_rows.end(),
                 [](const DeviceRow& a, const DeviceRow& b) { return a.spec.id == b.spec.id; });
  if (sameDevices) {
    m_rows = rows;
    if (!m_rows.empty()) emit dataChanged(index(0, 0), index(rowCount() - 1, ColumnCount - 1));
    return;
  }
  beginResetModel();
  m_rows = rows;
  m_infos.clear();
  for (const DeviceRow& device : m_rows)
    m_infos.push_back(m_document->catalog().describe(device.spec.id));
  endResetModel();
}

int DeviceModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

int DeviceModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : ColumnCount;
}

QString DeviceModel::nameOf(int index) const {
  const DeviceRow& device = row(index);
  if (!device.spec.name.empty()) return QString::fromStdString(device.spec.name);
  const auto& info = m_infos[static_cast<size_t>(index)];
  // "cpu:0" says more than the processor's name, which all CPU devices of a machine share.
  if (!info || info->id.starts_with("cpu")) return QString::fromStdString(device.spec.id);
  return QString::fromStdString(info->name);
}

int DeviceModel::position(int index) const {
  if (!row(index).ticked) return -1;
  return static_cast<int>(std::count_if(m_rows.begin(), m_rows.begin() + index,
                                        [](const DeviceRow& other) { return other.ticked; }));
}

QString DeviceModel::runName(int index) const {
  const DeviceSpec& spec = row(index).spec;
  return QString::fromStdString(spec.name.empty() ? spec.id : spec.name);
}

const DeviceModel::Measured* DeviceModel::measured(int index) const {
  const DeviceSpec& spec = row(index).spec;
  const auto found = m_measured.constFind(runName(index));
  const bool same = found != m_measured.constEnd() && found->spec.id == spec.id &&
                    found->spec.speed == spec.speed && row(index).ticked;
  return same ? &*found : nullptr;
}

QVariant DeviceModel::display(const QModelIndex& index) const {
  const auto& info = m_infos[static_cast<size_t>(index.row())];
  const DeviceRow& device = row(index.row());
  const Measured* known = measured(index.row());
  const QString unknown = QStringLiteral("–");
  switch (index.column()) {
    case Name:
      return nameOf(index.row());
    case Kind:
      return info ? kindText(*info) : tr("missing");
    case Units:
      return info ? unitsText(*info) : unknown;
    case Memory:
      return info && info->memory_bytes > 0 ? sizeText(info->memory_bytes) : unknown;
    case Gflops:
      return known ? QLocale().toString(known->gflops, 'f', known->gflops < 100.0 ? 1 : 0)
                   : unknown;
    case Share:
      if (!device.ticked) return unknown;
      if (m_document->setup().experiment.distribution.shares == ShareMode::kExplicit)
        return tr("%1 %").arg(QLocale().toString(100.0 * device.fraction, 'g', 4));
      return known ? tr("%1 %").arg(QLocale().toString(100.0 * known->share, 'f', 1)) : unknown;
    case Speed:
      return tr("%1 %").arg(QLocale().toString(100.0 * device.spec.speed, 'g', 4));
    case Link:
      return position(index.row()) == 0 ? tr("none") : linkText(device.spec.link);
  }
  return {};
}

QString DeviceModel::toolTip(int index, int column) const {
  const auto& info = m_infos[static_cast<size_t>(index)];
  switch (column) {
    case Gflops:
      return tr(
          "Billions of multiplications and additions a second in this network's convolutions, "
          "measured when a run calibrates.");
    case Share:
      return tr("Part of the convolution work. With explicit shares it can be edited here.");
    case Speed:
      return m_document->setup().experiment.clock == ClockMode::kVirtual
                 ? tr("Of this machine's device. The virtual clock divides the measured times by "
                      "it, so that it stands in for a weaker or a stronger one.")
                 : tr("Below 100 % the device waits after computing, to stand in for a weaker one. "
                      "Above 100 % needs the virtual clock (Method).");
    case Link:
      return position(index) == 0
                 ? tr("The master's own device needs no link.")
                 : tr("%1\n\n“default” is the link below. Or this device's own: “100 Mb/s”, "
                      "“1 Gb/s, 0.5 ms, half duplex”, “unlimited”.")
                       .arg(linkText(row(index).spec.link));
    default:
      break;
  }
  const QString id = QString::fromStdString(row(index).spec.id);
  if (!info) {
    QString reason;
    m_document->catalog().describe(row(index).spec.id, &reason);
    return tr("%1: %2").arg(id, reason);
  }
  if (const auto lost = m_lost.constFind(runName(index)); lost != m_lost.constEnd())
    return tr("The run goes on without it. %1").arg(*lost);
  const QString own = QString::fromStdString(row(index).spec.name);
  return (own.isEmpty() ? QString() : own + QStringLiteral("\n")) +
         tr("%1\n%2 · %3\n%4 · %5 · %6")
             .arg(QString::fromStdString(info->name), id, QString::fromStdString(info->backend),
                  QString::fromUtf8(device_kind_name(info->kind)), unitsText(*info),
                  sizeText(info->memory_bytes));
}

QVariant DeviceModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  const DeviceRow& device = row(index.row());
  const auto& info = m_infos[static_cast<size_t>(index.row())];
  switch (role) {
    case Qt::DisplayRole:
      return display(index);
    case Qt::EditRole:
      switch (index.column()) {
        case Name:
          return nameOf(index.row());
        case Speed:
          return qRound(100.0 * device.spec.speed);
        case Share:
          return 100.0 * device.fraction;
        default:
          return display(index);
      }
    case Qt::CheckStateRole:
      if (index.column() == Name) return device.ticked ? Qt::Checked : Qt::Unchecked;
      return {};
    case Qt::TextAlignmentRole:
      if (index.column() >= Units && index.column() <= Speed)
        return QVariant::fromValue(Qt::AlignRight | Qt::AlignVCenter);
      return QVariant::fromValue(Qt::AlignLeft | Qt::AlignVCenter);
    case Qt::ToolTipRole:
      return toolTip(index.row(), index.column());
    case Qt::AccessibleTextRole:
      return tr("%1, %2: %3")
          .arg(nameOf(index.row()),
               headerData(index.column(), Qt::Horizontal, Qt::DisplayRole).toString(),
               display(index).toString());
    case DetailRole:
      if (!info) return tr("not on this machine");
      if (const auto lost = m_lost.constFind(runName(index.row())); lost != m_lost.constEnd())
        return *lost;
      return QStringList{kindText(*info), unitsText(*info), sizeText(info->memory_bytes)}.join(
          QStringLiteral(" · "));
    case MasterRole:
      return position(index.row()) == 0;
    case PositionRole:
      return position(index.row());
    case MissingRole:
      return !info;
    case LostRole:
      return m_lost.contains(runName(index.row()));
    case MaxSpeedRole:
      return maxSpeedPercent(m_document->setup().experiment.clock);
    default:
      return {};
  }
}

QVariant DeviceModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal) return {};
  if (role == Qt::TextAlignmentRole && section >= Units && section <= Speed)
    return QVariant::fromValue(Qt::AlignRight | Qt::AlignVCenter);
  if (role == Qt::TextAlignmentRole) return QVariant::fromValue(Qt::AlignLeft | Qt::AlignVCenter);
  if (role == Qt::ToolTipRole && section >= Gflops && section != Link && !m_rows.empty())
    return toolTip(0, section);
  if (role != Qt::DisplayRole) return {};
  switch (section) {
    case Name:
      return tr("Device");
    case Kind:
      return tr("Kind");
    case Units:
      return tr("Cores");
    case Memory:
      return tr("Memory");
    case Gflops:
      return tr("GFLOP/s");
    case Share:
      return tr("Share");
    case Speed:
      return tr("Speed");
    case Link:
      return tr("Link");
    default:
      return {};
  }
}

Qt::ItemFlags DeviceModel::flags(const QModelIndex& index) const {
  if (!index.isValid()) return Qt::NoItemFlags;
  Qt::ItemFlags flags = Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemNeverHasChildren;
  if (m_readOnly) return flags;
  const bool explicitShares =
      m_document->setup().experiment.distribution.shares == ShareMode::kExplicit;
  switch (index.column()) {
    case Name:
      return flags | Qt::ItemIsUserCheckable | Qt::ItemIsEditable;
    case Speed:
      return flags | Qt::ItemIsEditable;
    case Share:
      return explicitShares && row(index.row()).ticked ? flags | Qt::ItemIsEditable : flags;
    case Link:
      return position(index.row()) != 0 ? flags | Qt::ItemIsEditable : flags;
    default:
      return flags;
  }
}

bool DeviceModel::setData(const QModelIndex& index, const QVariant& value, int role) {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return false;
  const auto at = static_cast<size_t>(index.row());
  const auto editRow = [&](const QString& text, const std::function<void(DeviceRow&)>& change) {
    m_document->edit(text, {}, [&](Setup& setup) { change(setup.devices[at]); });
    return true;
  };
  if (role == Qt::CheckStateRole && index.column() == Name && !m_readOnly) {
    const bool ticked = value.toInt() == Qt::Checked;
    return editRow(
        ticked ? tr("Tick %1").arg(nameOf(index.row())) : tr("Untick %1").arg(nameOf(index.row())),
        [&](DeviceRow& device) { device.ticked = ticked; });
  }
  if (role != Qt::EditRole || !(flags(index) & Qt::ItemIsEditable)) return false;
  switch (index.column()) {
    case Name: {
      const QString name = value.toString().trimmed();
      if (name == nameOf(index.row())) return false;
      return editRow(tr("Rename Device"),
                     [&](DeviceRow& device) { device.spec.name = name.toStdString(); });
    }
    case Speed: {
      const double percent = value.toDouble();
      if (percent < kMinSpeedPercent || percent > index.data(MaxSpeedRole).toDouble()) return false;
      return editRow(tr("Speed of %1").arg(nameOf(index.row())),
                     [&](DeviceRow& device) { device.spec.speed = percent / 100.0; });
    }
    case Share: {
      const double percent = value.toDouble();
      if (percent < 0.0 || percent > 100.0) return false;
      return editRow(tr("Share of %1").arg(nameOf(index.row())),
                     [&](DeviceRow& device) { device.fraction = percent / 100.0; });
    }
    case Link: {
      const auto link = linkFromText(value.toString());
      if (!link) {
        emit refused(tr("“%1” is no link. Valid are “default”, “unlimited”, a bandwidth such as "
                        "“100 Mb/s”, and more behind it: “1 Gb/s, 0.5 ms, half duplex”.")
                         .arg(value.toString()));
        return false;
      }
      return editRow(tr("Link of %1").arg(nameOf(index.row())),
                     [&](DeviceRow& device) { device.spec.link = *link; });
    }
    default:
      return false;
  }
}

void DeviceModel::setReadOnly(bool readOnly) {
  m_readOnly = readOnly;
  refresh();
}

int DeviceModel::moveRowBy(int from, int offset) {
  const int to = from + offset;
  if (from < 0 || to < 0 || from >= rowCount() || to >= rowCount()) return from;
  m_document->edit(tr("Move %1").arg(nameOf(from)), {}, [&](Setup& setup) {
    std::swap(setup.devices[static_cast<size_t>(from)], setup.devices[static_cast<size_t>(to)]);
  });
  return to;
}

void DeviceModel::removeRowAt(int at) {
  if (at < 0 || at >= rowCount()) return;
  m_document->edit(tr("Remove %1").arg(nameOf(at)), {},
                   [&](Setup& setup) { setup.devices.erase(setup.devices.begin() + at); });
}

void DeviceModel::setCalibration(const RunStarted& run, const RunCalibrated& calibrated) {
  m_measured.clear();
  const std::size_t count =
      std::min({run.devices.size(), calibrated.gflops.size(), calibrated.share.size()});
  for (std::size_t i = 0; i < count; ++i) {
    const RunDevice& device = run.devices[i];
    m_measured.insert(QString::fromStdString(device.name),
                      {{device.info.id, device.name, device.speed, {}},
                       calibrated.gflops[i],
                       calibrated.share[i]});
  }
  refresh();
}

void DeviceModel::setShares(const RunStarted& run, const RunShares& shares) {
  const std::size_t count = std::min(run.devices.size(), shares.share.size());
  for (std::size_t i = 0; i < count; ++i) {
    const auto found = m_measured.find(QString::fromStdString(run.devices[i].name));
    if (found != m_measured.end()) found->share = shares.share[i];
  }
  refresh();
}

void DeviceModel::setLost(const RunQuarantine& lost) {
  m_lost.insert(
      QString::fromStdString(lost.name),
      tr("%1: %2").arg(QString::fromStdString(lost.during), QString::fromStdString(lost.reason)));
  refresh();
}

void DeviceModel::setReadmitted(const RunReadmission& back) {
  m_lost.remove(QString::fromStdString(back.name));
  refresh();
}

void DeviceModel::clearLost() {
  m_lost.clear();
  refresh();
}

void DeviceModel::clearCalibration() {
  m_measured.clear();
  refresh();
}

QString outSinceText(const RunQuarantine& lost, int steps) {
  if (lost.step == 0) return DeviceModel::tr("out since the calibration");
  if (lost.step > steps) return DeviceModel::tr("out since the test");
  return DeviceModel::tr("out since step %1").arg(QLocale().toString(lost.step));
}

}  // namespace convoy::ui
