#include "ui/setup/devices_panel.h"

#include <QEvent>
#include <QHeaderView>
#include <QTableView>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/icon.h"
#include "ui/models/link_text.h"
#include "ui/setup/device_delegate.h"
#include "ui/setup/device_dialogs.h"
#include "ui/theme/theme.h"

namespace convoy::ui {
namespace {

constexpr int kMinRowsShown = 3, kMaxRowsShown = 8;

}  // namespace

DevicesPanel::DevicesPanel(ExperimentDocument* document, QWidget* parent)
    : SetupPanel(document, parent),
      m_model(new DeviceModel(document, this)),
      m_delegate(new DeviceDelegate(this)),
      m_table(new QTableView(this)),
      m_refusal(new FieldNote({}, this)) {
  m_table->setObjectName(QStringLiteral("devices"));
  m_table->setAccessibleName(tr("Devices"));
  m_table->setModel(m_model);
  m_table->setItemDelegate(m_delegate);
  m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
  m_table->setSelectionMode(QAbstractItemView::SingleSelection);
  m_table->setShowGrid(false);
  m_table->setWordWrap(false);
  m_table->setTabKeyNavigation(false);
  m_table->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  m_table->setEditTriggers(QAbstractItemView::DoubleClicked | QAbstractItemView::EditKeyPressed |
                           QAbstractItemView::AnyKeyPressed | QAbstractItemView::SelectedClicked);
  m_table->verticalHeader()->hide();
  m_table->verticalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
  m_table->horizontalHeader()->setHighlightSections(false);
  m_table->horizontalHeader()->setMinimumSectionSize(36);
  m_table->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
  m_table->horizontalHeader()->setSectionResizeMode(DeviceModel::Name, QHeaderView::Stretch);
  // A link of one's own may be a long text; its tool tip says all of it.
  m_table->horizontalHeader()->setSectionResizeMode(DeviceModel::Link, QHeaderView::Fixed);
  m_table->setColumnWidth(DeviceModel::Link,
                          fontMetrics().horizontalAdvance(bandwidthText(100.0)) + Space::kLarge);
  m_table->viewport()->installEventFilter(this);

  auto* split = button(QStringLiteral("splitCpu"), QStringLiteral("split"), tr("Split CPU…"),
                       tr("Make several devices of the machine's cores"));
  auto* emulated = button(QStringLiteral("addEmulated"), QStringLiteral("add"), tr("Emulated…"),
                          tr("Add an emulated device: slower, or faster on the virtual clock"));
  m_remove = button(QStringLiteral("removeDevice"), QStringLiteral("remove"), {},
                    tr("Remove the device from the table"));
  m_up = button(QStringLiteral("deviceUp"), QStringLiteral("up"), {},
                tr("Move up; the first ticked device is the master's own"));
  m_down = button(QStringLiteral("deviceDown"), QStringLiteral("down"), {}, tr("Move down"));
  auto* reset = button(QStringLiteral("resetDevices"), QStringLiteral("reset"), {},
                       tr("Back to the detected devices"));
  m_always = {split, emulated, reset};
  auto* buttons = new QHBoxLayout;
  buttons->setSpacing(Space::kTight);
  buttons->addWidget(split);
  buttons->addWidget(emulated);
  buttons->addStretch(1);
  for (QToolButton* tool : {m_up, m_down, m_remove, reset}) buttons->addWidget(tool);

  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(Space::kTight);
  layout->addWidget(m_table);
  layout->addWidget(note(QStringLiteral("/devices")));
  m_lostRows = new QVBoxLayout;
  m_lostRows->setContentsMargins(0, 0, 0, 0);
  m_lostRows->setSpacing(Space::kTight);
  layout->addLayout(m_lostRows);
  layout->addWidget(m_refusal);
  layout->addLayout(buttons);

  connect(split, &QToolButton::clicked, this, [this] {
    auto* dialog = new SplitCpuDialog(this->document(), this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->open();
  });
  connect(emulated, &QToolButton::clicked, this, [this] {
    auto* dialog = new EmulatedDeviceDialog(this->document(), this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->open();
  });
  connect(m_remove, &QToolButton::clicked, this, [this] {
    const int row = currentRow();
    m_model->removeRowAt(row);
    select(std::min(row, m_model->rowCount() - 1));
  });
  connect(m_up, &QToolButton::clicked, this,
          [this] { select(m_model->moveRowBy(currentRow(), -1)); });
  connect(m_down, &QToolButton::clicked, this,
          [this] { select(m_model->moveRowBy(currentRow(), 1)); });
  connect(reset, &QToolButton::clicked, this, [this] {
    edit(tr("Reset Devices"), {},
         [this](Setup& setup) { setup.devices = defaultRows(this->document()->catalog()); });
  });
  connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this,
          &DevicesPanel::enableButtons);
  connect(m_model, &QAbstractItemModel::modelReset, this, &DevicesPanel::enableButtons);
  connect(m_model, &QAbstractItemModel::modelReset, this, &DevicesPanel::fitTable);
  connect(m_model, &DeviceModel::refused, this, [this](const QString& text) {
    QList<Problem> problems{{{}, Severity::kWarning, text}};
    m_refusal->take(problems);
  });
  enableButtons();
  fitTable();
}

QToolButton* DevicesPanel::button(const QString& name, const QString& icon, const QString& text,
                                  const QString& toolTip) {
  auto* tool = new QToolButton(this);
  tool->setObjectName(name);
  tool->setIcon(themedIcon(icon));
  tool->setIconSize(QSize(14, 14));
  tool->setText(text);
  if (!text.isEmpty()) tool->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
  tool->setToolTip(toolTip);
  tool->setAccessibleName(toolTip);
  return tool;
}

void DevicesPanel::setLost(const RunQuarantine& lost, int steps) {
  dropLostRow(lost.device);  // one line each
  m_model->setLost(lost);
  auto* line = new QWidget(this);
  auto* row = new QHBoxLayout(line);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(Space::kSmall);
  auto* text = new FieldNote({}, line);
  const QString name = QString::fromStdString(lost.name);
  QList<Problem> problems{
      {{}, Severity::kWarning, tr("%1 is %2.").arg(name, outSinceText(lost, steps))}};
  text->take(problems);
  auto* again = button(QStringLiteral("letInAgain"), QStringLiteral("reset"), tr("Let in again"),
                       tr("Measure %1 anew and give it its share of the work again").arg(name));
  row->addWidget(text, 1);
  row->addWidget(again);
  connect(again, &QToolButton::clicked, this, [this, name] { emit readmissionAsked(name); });
  m_lostRows->addWidget(line);
  m_lost.insert(lost.device, line);
}

void DevicesPanel::setReadmitted(const RunReadmission& back) {
  dropLostRow(back.device);
  m_model->setReadmitted(back);
}

void DevicesPanel::dropLostRow(int device) {
  // The click may come from the line's own button.
  if (QWidget* line = m_lost.take(device)) {
    line->hide();
    line->deleteLater();
  }
}

void DevicesPanel::clearLost() {
  for (const int device : m_lost.keys()) dropLostRow(device);
  m_model->clearLost();
}

void DevicesPanel::setRunning(bool running) {
  if (running == m_running) return;
  m_running = running;
  m_model->setReadOnly(running);
  enableButtons();
}

void DevicesPanel::enableButtons() {
  const int row = currentRow();
  for (QToolButton* tool : std::as_const(m_always)) tool->setEnabled(!m_running);
  m_remove->setEnabled(!m_running && row >= 0);
  m_up->setEnabled(!m_running && row > 0);
  m_down->setEnabled(!m_running && row >= 0 && row + 1 < m_model->rowCount());
}

int DevicesPanel::currentRow() const {
  const auto rows = m_table->selectionModel()->selectedRows();
  return rows.isEmpty() ? -1 : rows.front().row();
}

void DevicesPanel::select(int row) {
  if (row >= 0) m_table->selectRow(row);
}

bool DevicesPanel::eventFilter(QObject* watched, QEvent* event) {
  if (watched == m_table->viewport() && event->type() == QEvent::Resize) fitTable();
  return SetupPanel::eventFilter(watched, event);
}

// As high as its rows within reason, and with the columns that its width has room for.
void DevicesPanel::fitTable() {
  const bool wide = m_table->width() >= kWideTable;
  m_delegate->setTwoLines(!wide);
  for (const int column : {DeviceModel::Kind, DeviceModel::Units, DeviceModel::Memory})
    m_table->setColumnHidden(column, !wide);
  const int line = fontMetrics().height();
  const int row = wide ? line + Space::kSmall : 2 * line + Space::kSmall;
  const int rows = std::clamp(m_model->rowCount(), kMinRowsShown, kMaxRowsShown);
  m_table->setFixedHeight(m_table->horizontalHeader()->sizeHint().height() + rows * row +
                          2 * m_table->frameWidth());
}

// The table's model follows the document by itself; an entry that it did not take is past.
void DevicesPanel::showSetup(const Setup&) {
  QList<Problem> none;
  m_refusal->take(none);
}

QString DevicesPanel::summary() const {
  const auto& rows = document()->setup().devices;
  const auto ticked =
      std::count_if(rows.begin(), rows.end(), [](const DeviceRow& row) { return row.ticked; });
  return tr("%1 of %2 ticked").arg(ticked).arg(rows.size());
}

}  // namespace convoy::ui
