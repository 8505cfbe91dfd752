#include "ui/setup/device_dialogs.h"

#include <QComboBox>
#include <QDialogButtonBox>
#include <QFormLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSpinBox>
#include <QVBoxLayout>
#include <algorithm>

#include "engine/base/error.h"
#include "engine/device/discovery.h"
#include "ui/models/device_model.h"
#include "ui/models/link_text.h"
#include "ui/theme/theme.h"

namespace convoy::ui {
namespace {

std::vector<int> sorted(std::vector<int> cores) {
  std::sort(cores.begin(), cores.end());
  return cores;
}

QString introOf(const ExperimentDocument* document) {
  return document->setup().experiment.clock == ClockMode::kVirtual
             ? EmulatedDeviceDialog::tr(
                   "Another computer, slower or faster than this one. On the virtual clock it may "
                   "compute on the same cores: devices are measured one at a time.")
             : EmulatedDeviceDialog::tr(
                   "A slower device, emulated honestly: it computes on real cores and then waits "
                   "as long as the weaker one would still compute.");
}

}  // namespace

DeviceDialog::DeviceDialog(ExperimentDocument* document, const QString& title, const QString& intro,
                           const QString& verb, QWidget* parent)
    : QDialog(parent), m_document(document), m_form(new QFormLayout), m_note(new QLabel(this)) {
  setWindowTitle(title);
  setMinimumWidth(420);
  auto* sentence = new QLabel(intro, this);
  sentence->setWordWrap(true);
  m_form->setHorizontalSpacing(Space::kMedium);
  m_form->setVerticalSpacing(Space::kSmall);
  // Room for two lines, so that the fields stay where they are while somebody types.
  m_note->setWordWrap(true);
  m_note->setMinimumHeight(2 * m_note->fontMetrics().lineSpacing());
  m_note->setAlignment(Qt::AlignLeft | Qt::AlignTop);
  auto* buttons = new QDialogButtonBox(QDialogButtonBox::Ok | QDialogButtonBox::Cancel, this);
  m_ok = buttons->button(QDialogButtonBox::Ok);
  m_ok->setText(verb);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(Space::kLarge, Space::kLarge, Space::kLarge, Space::kLarge);
  layout->setSpacing(Space::kMedium);
  layout->addWidget(sentence);
  layout->addLayout(m_form);
  layout->addWidget(m_note);
  layout->addStretch(1);
  layout->addWidget(buttons);
  connect(buttons, &QDialogButtonBox::accepted, this, [this] {
    apply();
    accept();
  });
  connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
}

void DeviceDialog::addField(const QString& label, QWidget* field) {
  m_form->addRow(label, field);
  if (field->accessibleName().isEmpty()) field->setAccessibleName(QString(label).remove('&'));
}

void DeviceDialog::showNote(const QString& text, Severity severity) {
  const Ink ink = severity == Severity::kError     ? Ink::Error
                  : severity == Severity::kWarning ? Ink::Warning
                                                   : Ink::MutedText;
  QPalette colors = palette();
  colors.setColor(QPalette::WindowText, Theme::instance().color(ink));
  m_note->setPalette(colors);
  m_note->setText(text);
  m_ok->setEnabled(severity != Severity::kError);
}

namespace {

QString coresText(const std::vector<int>& cores) {
  const QString text =
      cores.size() == 1 ? SplitCpuDialog::tr("one core, %1") : SplitCpuDialog::tr("cores %1");
  return text.arg(QString::fromStdString(core_list_text(cores)));
}

}  // namespace

SplitCpuDialog::SplitCpuDialog(ExperimentDocument* document, QWidget* parent)
    : DeviceDialog(document, tr("Split CPU"),
                   tr("Each part computes on its own cores and stands for one computer. Convoy "
                      "may use %1. The parts replace the CPU devices in the table.")
                       .arg(coresText(document->catalog().cores())),
                   tr("Split"), parent),
      m_count(new QSpinBox(this)),
      m_parts(new QLineEdit(this)) {
  m_count->setObjectName(QStringLiteral("splitCount"));
  m_count->setRange(1, std::max(1, static_cast<int>(document->catalog().cores().size())));
  m_count->setAccessibleName(tr("Number of devices"));
  m_parts->setObjectName(QStringLiteral("splitParts"));
  m_parts->setAccessibleName(tr("Cores of each device, parted by vertical bars"));
  m_parts->setToolTip(tr("Cores of each device: “0-3 | 4-7”, “0 | 1-3”"));
  addField(tr("&Devices"), m_count);
  addField(tr("&Cores"), m_parts);

  connect(m_count, &QSpinBox::valueChanged, this, &SplitCpuDialog::suggest);
  connect(m_parts, &QLineEdit::textChanged, this, &SplitCpuDialog::check);
  const auto& rows = document->setup().devices;
  const auto present = std::count_if(rows.begin(), rows.end(), [](const DeviceRow& row) {
    return row.spec.id.starts_with("cpu");
  });
  m_count->setValue(std::max(1, static_cast<int>(present)));
  suggest(m_count->value());
}

void SplitCpuDialog::suggest(int parts) {
  const auto& cores = document()->catalog().cores();
  QStringList texts;
  std::size_t begin = 0;
  for (int part = 0; part < parts; ++part) {
    // The first parts get one core more where they cannot be equal.
    const std::size_t count = (cores.size() - begin + static_cast<std::size_t>(parts - part) - 1) /
                              static_cast<std::size_t>(parts - part);
    const auto first = cores.begin() + static_cast<std::ptrdiff_t>(begin);
    texts.append(QString::fromStdString(
        core_list_text({first, first + static_cast<std::ptrdiff_t>(count)})));
    begin += count;
  }
  m_parts->setText(texts.join(QStringLiteral(" | ")));
}

void SplitCpuDialog::check() {
  m_ids.clear();
  std::vector<DeviceInfo> infos;
  QString problem;
  for (const QString& part : m_parts->text().split('|')) {
    try {
      const std::string id = cpuDeviceId(sorted(parse_core_list(part.trimmed().toStdString())));
      QString reason;
      auto info = document()->catalog().describe(id, &reason);
      if (!info) {
        problem = reason;
        break;
      }
      if (info->cores.empty()) info->cores = document()->catalog().cores();
      if (std::any_of(infos.begin(), infos.end(),
                      [&](const DeviceInfo& other) { return shareCores(other, *info); }))
        problem = tr("Core %1 is in two parts; each core goes to one device.").arg(part.trimmed());
      infos.push_back(*info);
      m_ids.push_back(id);
    } catch (const Error& error) {
      problem = QString::fromUtf8(error.what());
    }
  }
  QStringList names;
  for (const std::string& id : m_ids) names.append(QString::fromStdString(id));
  if (problem.isEmpty())
    showNote(tr("Devices: %1").arg(names.join(QStringLiteral(", "))), Severity::kInfo);
  else
    showNote(problem, Severity::kError);
}

void SplitCpuDialog::apply() {
  document()->edit(tr("Split CPU"), {}, [this](Setup& setup) {
    std::vector<DeviceRow> rows;
    for (const std::string& id : m_ids) rows.push_back({{id, {}, 1.0, {}}, true, 0.0});
    for (const DeviceRow& row : setup.devices)
      if (!row.spec.id.starts_with("cpu")) rows.push_back(row);
    setup.devices = rows;
  });
}

EmulatedDeviceDialog::EmulatedDeviceDialog(ExperimentDocument* document, QWidget* parent)
    : DeviceDialog(document, tr("Add Emulated Device"), introOf(document), tr("Add"), parent),
      m_virtual(document->setup().experiment.clock == ClockMode::kVirtual),
      m_name(new QLineEdit(this)),
      m_base(new QComboBox(this)),
      m_speed(new QSpinBox(this)),
      m_link(new QComboBox(this)) {
  m_name->setObjectName(QStringLiteral("emulatedName"));
  QStringList names;
  for (const DeviceRow& row : document->setup().devices)
    names.append(QString::fromStdString(row.spec.name));
  const QString pattern = m_virtual ? tr("Computer %1") : tr("Slower %1");
  int number = 1;
  while (names.contains(pattern.arg(number))) ++number;
  m_name->setText(pattern.arg(number));
  m_base->setObjectName(QStringLiteral("emulatedBase"));
  m_base->setEditable(true);
  for (const int core : document->catalog().cores())
    m_base->addItem(QStringLiteral("cpu:%1").arg(core));
  for (const DeviceInfo& device : document->catalog().devices())
    m_base->addItem(QString::fromStdString(device.id));
  m_base->setToolTip(tr("A device id: “cpu:1”, “cpu:2-3”, “opencl:0:0”, “opencl:0:0:1”"));
  // The core that is used last, if not free: the master keeps its own. On the virtual clock every
  // computer has all the cores to itself.
  m_base->setCurrentIndex(std::max(0, static_cast<int>(document->catalog().cores().size()) - 1));
  if (m_virtual) m_base->setCurrentText(QStringLiteral("cpu"));
  m_speed->setObjectName(QStringLiteral("emulatedSpeed"));
  m_speed->setRange(DeviceModel::kMinSpeedPercent,
                    DeviceModel::maxSpeedPercent(document->setup().experiment.clock));
  m_speed->setValue(m_virtual ? 100 : 50);
  m_speed->setSingleStep(5);
  m_speed->setSuffix(tr(" %"));
  m_speed->setToolTip(m_virtual
                          ? tr("Of the device that it computes on; 1000 % is ten times as fast")
                          : tr("Above 100 % needs the virtual clock (Method)"));
  m_link->setEditable(true);
  m_link->addItems({linkText(std::nullopt), bandwidthText(50.0), bandwidthText(100.0),
                    bandwidthText(1000.0), bandwidthText(std::nullopt)});
  addField(tr("&Name"), m_name);
  addField(tr("Computes &on"), m_base);
  addField(tr("&Speed"), m_speed);
  addField(tr("&Link"), m_link);

  connect(m_name, &QLineEdit::textChanged, this, &EmulatedDeviceDialog::check);
  connect(m_base, &QComboBox::currentTextChanged, this, &EmulatedDeviceDialog::check);
  connect(m_link, &QComboBox::currentTextChanged, this, &EmulatedDeviceDialog::check);
  check();
}

bool EmulatedDeviceDialog::excludes(const DeviceRow& row, const DeviceInfo& added) const {
  if (m_virtual) return false;
  const auto info = document()->catalog().describe(row.spec.id);
  return info && (shareCores(*info, added) || info->id == added.id);
}

void EmulatedDeviceDialog::check() {
  QString problem;
  QStringList replaced;
  const auto info =
      document()->catalog().describe(m_base->currentText().trimmed().toStdString(), &problem);
  if (info) {
    for (const DeviceRow& row : document()->setup().devices) {
      if (row.ticked && excludes(row, *info))
        replaced.append(
            QString::fromStdString(row.spec.name.empty() ? row.spec.id : row.spec.name));
    }
  }
  const QString name = m_name->text().trimmed();
  const auto& rows = document()->setup().devices;
  const bool taken = std::any_of(rows.begin(), rows.end(), [&](const DeviceRow& row) {
    return name == QString::fromStdString(row.spec.name.empty() ? row.spec.id : row.spec.name);
  });
  if (problem.isEmpty() && name.isEmpty()) problem = tr("Give it a name.");
  if (problem.isEmpty() && taken) problem = tr("There is a device called “%1” already.").arg(name);
  if (problem.isEmpty() && !linkFromText(m_link->currentText()))
    problem = tr("A link is “default”, “unlimited” or a bandwidth such as “100 Mb/s”.");
  if (!problem.isEmpty())
    showNote(problem, Severity::kError);
  else if (!replaced.isEmpty())
    showNote(tr("%1 computes there already and will be unticked.").arg(replaced.join(", ")),
             Severity::kWarning);
  else
    showNote({}, Severity::kInfo);
}

void EmulatedDeviceDialog::apply() {
  document()->edit(tr("Add Emulated Device"), {}, [this](Setup& setup) {
    DeviceRow added;
    added.spec.id = m_base->currentText().trimmed().toStdString();
    added.spec.name = m_name->text().trimmed().toStdString();
    added.spec.speed = m_speed->value() / 100.0;
    added.spec.link = linkFromText(m_link->currentText()).value_or(std::nullopt);
    const auto info = document()->catalog().describe(added.spec.id);
    for (DeviceRow& row : setup.devices)
      if (info && excludes(row, *info)) row.ticked = false;
    setup.devices.push_back(added);
  });
}

}  // namespace convoy::ui
