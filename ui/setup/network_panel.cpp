#include "ui/setup/network_panel.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QLocale>
#include <QSpinBox>
#include <QToolButton>
#include <algorithm>
#include <array>

#include "ui/charts/nice_range.h"
#include "ui/icon.h"
#include "ui/setup/form_grid.h"
#include "ui/theme/theme.h"

namespace convoy::ui {
namespace {

struct Preset {
  int first, second;
  const char* hint;
};
// Two layers, named by their kernels; the last four are the sizes that published studies of
// distributed convolution on CIFAR-10 report.
constexpr std::array kPresets = {
    Preset{16, 32, "small, quick steps"},
    Preset{32, 64, "small"},
    Preset{50, 500, "paper"},
    Preset{150, 800, "paper"},
    Preset{300, 1000, "paper"},
    Preset{500, 1500, "paper, largest"},
};

QString countText(double count) {
  const QLocale locale;
  if (count >= 1e6) return NetworkPanel::tr("%1 M").arg(locale.toString(count / 1e6, 'f', 1));
  if (count >= 1e4) return NetworkPanel::tr("%1 k").arg(locale.toString(count / 1e3, 'f', 1));
  return locale.toString(count, 'f', 0);
}

QString flopsText(double flops) {
  const QLocale locale;
  if (flops < 1e8) return NetworkPanel::tr("%1 MFLOP").arg(readable(flops / 1e6));
  return NetworkPanel::tr("%1 GFLOP").arg(locale.toString(flops / 1e9, 'f', flops < 1e11 ? 1 : 0));
}

}  // namespace

NetworkPanel::NetworkPanel(ExperimentDocument* document, QWidget* parent)
    : SetupPanel(document, parent),
      m_preset(new QComboBox(this)),
      m_add(new QToolButton(this)),
      m_remove(new QToolButton(this)),
      m_kernelSize(new QSpinBox(this)),
      m_padding(new QComboBox(this)),
      m_cost(new QLabel(this)) {
  m_preset->setObjectName(QStringLiteral("networkPreset"));
  m_preset->setAccessibleName(tr("Network preset"));
  for (const Preset& preset : kPresets)
    m_preset->addItem(
        tr("%1:%2  (%3)").arg(preset.first).arg(preset.second).arg(QLatin1String(preset.hint)));
  m_preset->addItem(tr("Own choice"));

  auto* layers = new QWidget(this);
  auto* layersLayout = new QHBoxLayout(layers);
  layersLayout->setContentsMargins(0, 0, 0, 0);
  layersLayout->setSpacing(Space::kTight);
  for (int layer = 0; layer < kMaxLayers; ++layer) {
    auto* box = new QSpinBox(layers);
    box->setObjectName(QStringLiteral("kernels%1").arg(layer + 1));
    box->setRange(1, 100'000);
    box->setButtonSymbols(QAbstractSpinBox::NoButtons);
    box->setAlignment(Qt::AlignCenter);
    box->setMinimumWidth(40);
    box->setAccessibleName(tr("Kernels of layer %1").arg(layer + 1));
    box->setToolTip(tr("Kernels (output channels) of convolutional layer %1").arg(layer + 1));
    layersLayout->addWidget(box, 1);
    m_layers.append(box);
    connect(box, &QSpinBox::valueChanged, this, [this, layer](int value) {
      edit(tr("Kernels of Layer %1").arg(layer + 1), QStringLiteral("kernels%1").arg(layer),
           [layer, value](Setup& setup) {
             setup.experiment.network.kernels[static_cast<size_t>(layer)] = value;
           });
    });
  }
  layers->setFocusProxy(m_layers.front());
  const auto button = [&](QToolButton* tool, const QString& name, const QString& icon,
                          const QString& text) {
    tool->setObjectName(name);
    tool->setIcon(themedIcon(icon));
    tool->setToolTip(text);
    tool->setAccessibleName(text);
  };
  button(m_remove, QStringLiteral("removeLayer"), QStringLiteral("remove"),
         tr("Remove the last layer"));
  button(m_add, QStringLiteral("addLayer"), QStringLiteral("add"), tr("Add a layer"));

  m_kernelSize->setObjectName(QStringLiteral("kernelSize"));
  m_kernelSize->setRange(1, 31);
  m_kernelSize->setAccessibleName(tr("Kernel size"));
  m_padding->setObjectName(QStringLiteral("padding"));
  m_padding->addItems({tr("valid"), tr("same")});
  m_padding->setAccessibleName(tr("Padding"));
  m_padding->setToolTip(tr("“valid”: maps shrink by the kernel. “same”: zeros keep their size."));
  m_cost->setWordWrap(true);
  m_cost->setForegroundRole(QPalette::PlaceholderText);
  m_cost->setFont(Theme::instance().font(TextStyle::Small));
  m_cost->setAccessibleName(tr("What a step costs"));

  auto* form = new FormGrid(this);
  form->addLine(tr("&Preset"), m_preset);
  form->addLine(tr("&Kernels"), layers, {m_remove, m_add});
  form->addWide(note(QStringLiteral("/network/kernels")));
  form->addPair(tr("Kernel si&ze"), m_kernelSize, tr("P&adding"), m_padding);
  form->addWide(note(QStringLiteral("/network")));
  form->addWide(m_cost);

  connect(m_preset, &QComboBox::currentIndexChanged, this, [this](int index) {
    if (index < 0 || index >= static_cast<int>(kPresets.size())) return;
    const Preset& preset = kPresets[static_cast<size_t>(index)];
    setKernels(tr("Network Preset"), QStringLiteral("preset"), {preset.first, preset.second});
  });
  connect(m_add, &QToolButton::clicked, this, [this] {
    auto kernels = this->document()->setup().experiment.network.kernels;
    if (kernels.size() >= kMaxLayers) return;
    kernels.push_back(kernels.empty() ? 16 : kernels.back());
    setKernels(tr("Add Layer"), {}, kernels);
  });
  connect(m_remove, &QToolButton::clicked, this, [this] {
    auto kernels = this->document()->setup().experiment.network.kernels;
    if (kernels.size() <= 1) return;
    kernels.pop_back();
    setKernels(tr("Remove Layer"), {}, kernels);
  });
  connect(m_kernelSize, &QSpinBox::valueChanged, this, [this](int value) {
    edit(tr("Kernel Size"), QStringLiteral("kernelSize"),
         [value](Setup& setup) { setup.experiment.network.kernel_size = value; });
  });
  connect(m_padding, &QComboBox::currentIndexChanged, this, [this](int index) {
    edit(tr("Padding"), {}, [index](Setup& setup) {
      setup.experiment.network.padding = index == 1 ? PaddingMode::kSame : PaddingMode::kValid;
    });
  });
}

void NetworkPanel::setKernels(const QString& text, const QString& field,
                              const std::vector<int>& kernels) {
  edit(text, field, [&](Setup& setup) { setup.experiment.network.kernels = kernels; });
}

void NetworkPanel::showSetup(const Setup& setup) {
  const NetworkDesign& design = setup.experiment.network;
  const auto preset = std::find_if(kPresets.begin(), kPresets.end(), [&](const Preset& candidate) {
    return design.kernels == std::vector{candidate.first, candidate.second};
  });
  m_preset->setCurrentIndex(static_cast<int>(preset - kPresets.begin()));
  const int count = static_cast<int>(design.kernels.size());
  for (int layer = 0; layer < kMaxLayers; ++layer) {
    m_layers[layer]->setVisible(layer < count);
    if (layer < count) m_layers[layer]->setValue(design.kernels[static_cast<size_t>(layer)]);
  }
  m_add->setEnabled(count < kMaxLayers);
  m_remove->setEnabled(count > 1);
  m_kernelSize->setValue(design.kernel_size);
  m_padding->setCurrentIndex(design.padding == PaddingMode::kSame ? 1 : 0);

  const auto cost = stepCost(setup);
  m_cost->setVisible(cost.has_value());
  if (!cost) return;
  const NetworkSpec spec = networkSpec(setup);
  QStringList sizes{tr("%1×%2").arg(spec.in_height).arg(spec.in_width)};
  for (const int size : cost->mapSizes) sizes.append(tr("%1×%1").arg(size));
  // Lines break between the parts, not between a number and its unit.
  const auto whole = [](QString text) { return text.replace(' ', QChar::Nbsp); };
  m_cost->setText(
      tr("Maps %1 · %2 · %3 · %4")
          .arg(sizes.join(QStringLiteral(" → ")),
               whole(tr("%1 parameters").arg(countText(cost->parameters))),
               whole(tr("%1 a step").arg(flopsText(cost->flops))),
               whole(tr("about %1")
                         .arg(QLocale().formattedDataSize(static_cast<qint64>(cost->memoryBytes), 1,
                                                          QLocale::DataSizeSIFormat)))));
}

QString NetworkPanel::summary() const {
  const NetworkDesign& design = document()->setup().experiment.network;
  return tr("%1 · %2×%2 %3")
      .arg(QString::fromStdString(network_name(design)))
      .arg(design.kernel_size)
      .arg(design.padding == PaddingMode::kSame ? tr("same") : tr("valid"));
}

}  // namespace convoy::ui
