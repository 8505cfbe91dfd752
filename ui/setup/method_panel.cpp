#include "ui/setup/method_panel.h"

#include <QComboBox>
#include <QGridLayout>
#include <QLabel>
#include <QScopedValueRollback>
#include <algorithm>

#include "ui/elided_label.h"
#include "ui/models/method.h"
#include "ui/setup/form_grid.h"
#include "ui/setup/tick_box.h"
#include "ui/theme/theme.h"

namespace convoy::ui {
namespace {

struct SwitchText {
  const char* objectName;
  const char* title;
  const char* saves;  // in a few words, behind the tick
  const char* toolTip;
  bool DistributionOptions::*option;
};
constexpr SwitchText kSwitches[] = {
    {"residentKernels", QT_TRANSLATE_NOOP("MethodPanel", "Resident kernels"),
     QT_TRANSLATE_NOOP("MethodPanel", "saves sending weights"),
     QT_TRANSLATE_NOOP("MethodPanel",
                       "Weights stay on their device, which updates them itself. The master "
                       "fetches them only to save them. Layers that are split by batch send "
                       "theirs all the same."),
     &DistributionOptions::resident_kernels},
    {"fusePooling", QT_TRANSLATE_NOOP("MethodPanel", "Fused pooling"),
     QT_TRANSLATE_NOOP("MethodPanel", "saves 3/4 of maps sent back"),
     QT_TRANSLATE_NOOP("MethodPanel",
                       "Devices add the bias, rectify and pool, so that pooled maps and their "
                       "gradients travel: a quarter of the bytes."),
     &DistributionOptions::fuse_pooling},
    {"overlap", QT_TRANSLATE_NOOP("MethodPanel", "Overlap"),
     QT_TRANSLATE_NOOP("MethodPanel", "hides transfers"),
     QT_TRANSLATE_NOOP("MethodPanel",
                       "The batch is worked off in chunks: one travels while the next is "
                       "computed, in both directions. The bytes stay the same."),
     &DistributionOptions::overlap},
    {"rebalance", QT_TRANSLATE_NOOP("MethodPanel", "Rebalance"),
     QT_TRANSLATE_NOOP("MethodPanel", "moves work off slow devices"),
     QT_TRANSLATE_NOOP("MethodPanel",
                       "Shares follow the times that are measured during the run: a slowed, "
                       "paused or hot device loses kernels within a few steps."),
     &DistributionOptions::rebalance},
};

}  // namespace

MethodPanel::MethodPanel(ExperimentDocument* document, QWidget* parent)
    : SetupPanel(document, parent),
      m_methodSentence(new QLabel(this)),
      m_clockSentence(new QLabel(this)) {
  m_method = choice(QStringLiteral("method"),
                    {methodName(Method::Paper), methodName(Method::Best), methodName(Method::Own)},
                    tr("Method of distribution"), this);
  // In the order of ShareMode, BaselineMode and ClockMode.
  m_shares = choice(QStringLiteral("shares"),
                    {tr("calibrated: by measured speed"), tr("equal"), tr("explicit: as in table")},
                    tr("Shares of the devices"), this);
  m_baseline = choice(QStringLiteral("baseline"),
                      {tr("fastest single device"), tr("master alone"), tr("none")},
                      tr("Baseline of the speedup"), this);
  m_baseline->setToolTip(tr("Measured in the same run, on the same network and batch"));
  m_clock =
      choice(QStringLiteral("clock"), {tr("wall: real time"), tr("virtual: devices one at a time")},
             tr("Clock of the run"), this);
  m_options = makeOptions();
  m_sentences += {m_methodSentence, m_clockSentence};
  for (QLabel* sentence : {m_methodSentence, m_clockSentence}) sentence->setWordWrap(true);

  auto* form = new FormGrid(this);
  form->addLine(tr("Meth&od"), m_method);
  form->addUnder(m_methodSentence);
  form->addWide(m_options);
  form->addWide(note(QStringLiteral("/distribution")));
  form->addLine(tr("&Shares"), m_shares);
  form->addLine(tr("Baseline"), m_baseline);
  form->addWide(note(QStringLiteral("/baseline")));
  form->addLine(tr("&Clock"), m_clock);
  form->addUnder(m_clockSentence);
  form->addWide(note(QStringLiteral("/clock")));

  connectChoices();
  connect(&Theme::instance(), &Theme::changed, this, &MethodPanel::restyle);
  restyle();
}

QComboBox* MethodPanel::choice(const QString& name, const QStringList& items,
                               const QString& accessibleName, QWidget* parent) {
  auto* box = new QComboBox(parent);
  box->setObjectName(name);
  box->addItems(items);
  box->setAccessibleName(accessibleName);
  return box;
}

QWidget* MethodPanel::makeOptions() {
  auto* options = new QWidget(this);
  auto* grid = new QGridLayout(options);
  grid->setContentsMargins(0, 0, 0, 0);
  grid->setHorizontalSpacing(Space::kSmall);
  grid->setVerticalSpacing(2);
  grid->setColumnStretch(2, 1);
  grid->setColumnMinimumWidth(0, FormGrid::labelWidth());
  const auto explain = [&](int row, const QString& saves, const QString& toolTip) {
    auto* label = new ElidedLabel(saves, options);
    label->setToolTip(toolTip);
    label->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    grid->addWidget(label, row, 2);
    m_sentences.append(label);
  };
  int row = 0;
  for (const SwitchText& text : kSwitches) {
    QCheckBox* box = new TickBox(tr(text.title), options);
    box->setObjectName(QLatin1String(text.objectName));
    box->setToolTip(tr(text.toolTip));
    box->setAccessibleName(QStringLiteral("%1: %2").arg(tr(text.title), tr(text.saves)));
    box->setAccessibleDescription(tr(text.toolTip));
    grid->addWidget(box, row, 0, 1, 2);
    explain(row++, tr(text.saves), tr(text.toolTip));
    m_switches.append({box, text.option});
    connect(box, &QCheckBox::toggled, this, [this, text](bool on) {
      editOption(tr(text.title), [&](DistributionOptions& changed) { changed.*text.option = on; });
    });
  }
  const auto line = [&](const QString& title, QComboBox* box, const QString& saves,
                        const QString& toolTip) {
    auto* label = new QLabel(title, options);
    label->setBuddy(box);
    box->setToolTip(toolTip);
    box->setAccessibleDescription(toolTip);
    grid->addWidget(label, row, 0);
    grid->addWidget(box, row, 1);
    explain(row++, saves, toolTip);
  };
  // In the order of WireFormat and SplitMode.
  m_wire = choice(QStringLiteral("wire"),
                  {QStringLiteral("fp32"), QStringLiteral("fp16"), QStringLiteral("bf16")},
                  tr("Number format on the wire: fp16 and bf16 save half the bytes"), options);
  line(tr("Wire"), m_wire, tr("16 bits: half the bytes"),
       tr("How numbers travel. Sums and the master's weights stay in single precision; results "
          "change by the rounding of what travels."));
  m_split = choice(QStringLiteral("split"), {tr("kernels"), tr("batch"), tr("auto")},
                   tr("What of a layer is split: auto takes what is quicker"), options);
  line(tr("Split"), m_split, tr("auto: the quicker for each layer"),
       tr("kernels: every device gets the whole input and computes the maps of its kernels, as in "
          "the paper. batch: every device gets all kernels and some of the pictures. auto: for "
          "each layer the one that is estimated to take less time."));
  return options;
}

void MethodPanel::connectChoices() {
  connect(m_method, &QComboBox::activated, this, &MethodPanel::chooseMethod);
  connect(m_wire, &QComboBox::currentIndexChanged, this, [this](int index) {
    editOption(tr("Wire"), [index](DistributionOptions& changed) {
      changed.wire = static_cast<WireFormat>(index);
    });
  });
  connect(m_split, &QComboBox::currentIndexChanged, this, [this](int index) {
    editOption(tr("Split"), [index](DistributionOptions& changed) {
      changed.split = static_cast<SplitMode>(index);
    });
  });
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
  connect(m_clock, &QComboBox::currentIndexChanged, this, [this](int index) {
    edit(tr("Clock"), {},
         [index](Setup& setup) { setup.experiment.clock = static_cast<ClockMode>(index); });
  });
}

void MethodPanel::chooseMethod(int index) {
  const auto method = static_cast<Method>(index);
  if (method == Method::Own) {
    m_ownAsked = true;
    refresh();
    return;
  }
  m_ownAsked = false;
  edit(tr("Method"), {}, [method](Setup& setup) {
    setup.experiment.distribution.options =
        method == Method::Paper ? paper_options() : best_options();
  });
  refresh();  // for a change of nothing but what is shown
}

void MethodPanel::editOption(const QString& text,
                             const std::function<void(DistributionOptions&)>& change) {
  const QScopedValueRollback guard(m_editingOption, true);
  edit(text, {}, [&](Setup& setup) { change(setup.experiment.distribution.options); });
}

void MethodPanel::showSetup(const Setup& setup) {
  const DistributionOptions& options = setup.experiment.distribution.options;
  if (options != m_shown && !m_editingOption) m_ownAsked = false;
  m_shown = options;
  const Method method = m_ownAsked ? Method::Own : methodOf(options);
  if (method == Method::Own) m_ownAsked = true;  // the options do not close under the mouse
  m_method->setCurrentIndex(static_cast<int>(method));
  m_methodSentence->setText(methodSentence(method));
  m_methodSentence->setVisible(method != Method::Own);
  m_options->setVisible(method == Method::Own);
  for (const Switch& each : std::as_const(m_switches)) each.box->setChecked(options.*each.option);
  m_wire->setCurrentIndex(static_cast<int>(options.wire));
  m_split->setCurrentIndex(static_cast<int>(options.split));

  m_shares->setCurrentIndex(static_cast<int>(setup.experiment.distribution.shares));
  m_baseline->setCurrentIndex(static_cast<int>(setup.experiment.baseline));
  m_clock->setCurrentIndex(static_cast<int>(setup.experiment.clock));
  m_clockSentence->setText(
      setup.experiment.clock == ClockMode::kWall
          ? tr("All devices compute at once, on cores of their own, and real time is measured.")
          : tr("Devices and links are measured one at a time and placed side by side on a "
               "computed clock: one machine stands for many, of any speed."));
}

void MethodPanel::restyle() {
  for (QLabel* sentence : std::as_const(m_sentences)) {
    QPalette quiet = palette();
    quiet.setColor(QPalette::WindowText, Theme::instance().color(Ink::MutedText));
    sentence->setPalette(quiet);
    sentence->setFont(Theme::instance().font(TextStyle::Small));
  }
}

QString MethodPanel::summary() const {
  const Experiment& experiment = document()->setup().experiment;
  const QString method = methodName(methodOf(experiment.distribution.options));
  const QString shares = m_shares->currentText().section(':', 0, 0);
  return experiment.clock == ClockMode::kVirtual ? tr("%1 · %2 · virtual clock").arg(method, shares)
                                                 : tr("%1 · %2 shares").arg(method, shares);
}

}  // namespace convoy::ui
