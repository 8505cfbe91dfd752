#include "ui/setup/method_panel.h"

#include <QComboBox>
#include <algorithm>

#include "ui/setup/form_grid.h"

namespace convoy::ui {

MethodPanel::MethodPanel(ExperimentDocument* document, QWidget* parent)
    : SetupPanel(document, parent), m_shares(new QComboBox(this)), m_baseline(new QComboBox(this)) {
  // In the order of ShareMode and BaselineMode.
  m_shares->setObjectName(QStringLiteral("shares"));
  m_shares->addItems(
      {tr("calibrated: by measured speed"), tr("equal"), tr("explicit: as in table")});
  m_shares->setAccessibleName(tr("Shares of the devices"));
  m_baseline->setObjectName(QStringLiteral("baseline"));
  m_baseline->addItems({tr("fastest single device"), tr("master alone"), tr("none")});
  m_baseline->setAccessibleName(tr("Baseline of the speedup"));
  m_baseline->setToolTip(tr("Measured in the same run, on the same network and batch"));

  auto* form = new FormGrid(this);
  form->addLine(tr("Sha&res"), m_shares);
  form->addWide(note(QStringLiteral("/distribution")));
  form->addLine(tr("Base&line"), m_baseline);
  form->addWide(note(QStringLiteral("/baseline")));

  connect(m_shares, &QComboBox::currentIndexChanged, this, [this](int index) {
    edit(tr("Shares"), {}, [index](Setup& setup) {
      setup.experiment.distribution.shares = static_cast<ShareMode>(index);
      if (setup.experiment.distribution.shares != ShareMode::kExplicit) return;
      // Something to start from that adds up.
      const auto ticked = std::count_if(setup.devices.begin(), setup.devices.end(),
                                        [](const DeviceRow& row) { return row.ticked; });
      double sum = 0.0;
      for (const DeviceRow& row : setup.devices) sum += row.ticked ? row.fraction : 0.0;
      if (ticked == 0 || sum > 0.0) return;
      for (DeviceRow& row : setup.devices) row.fraction = row.ticked ? 1.0 / double(ticked) : 0.0;
    });
  });
  connect(m_baseline, &QComboBox::currentIndexChanged, this, [this](int index) {
    edit(tr("Baseline"), {},
         [index](Setup& setup) { setup.experiment.baseline = static_cast<BaselineMode>(index); });
  });
}

void MethodPanel::showSetup(const Setup& setup) {
  m_shares->setCurrentIndex(static_cast<int>(setup.experiment.distribution.shares));
  m_baseline->setCurrentIndex(static_cast<int>(setup.experiment.baseline));
}

QString MethodPanel::summary() const {
  return tr("%1 · baseline: %2")
      .arg(m_shares->currentText().section(':', 0, 0), m_baseline->currentText());
}

}  // namespace convoy::ui
