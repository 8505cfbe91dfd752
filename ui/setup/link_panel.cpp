#include "ui/setup/link_panel.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QSlider>
#include <QToolButton>
#include <algorithm>
#include <array>
#include <cmath>

#include "ui/models/link_text.h"
#include "ui/setup/form_grid.h"
#include "ui/setup/number_box.h"
#include "ui/theme/theme.h"

namespace convoy::ui {
namespace {

struct Stop {
  const char* name;
  double mbps;  // 0: unlimited
};
constexpr std::array kStops = {Stop{"Wi-Fi", 50.0}, Stop{"100 Mb/s", 100.0}, Stop{"1 Gb/s", 1000.0},
                               Stop{"10 Gb/s", 10000.0}, Stop{"Unlimited", 0.0}};

// Slow links are felt in the first digit, fast ones in the first two.
double rounded(double mbps) {
  const double digit = std::pow(10.0, std::floor(std::log10(mbps)) - 1.0);
  return std::round(mbps / digit) * digit;
}

}  // namespace

int LinkPanel::place(std::optional<double> mbps) {
  if (!mbps) return kUnlimited;
  return static_cast<int>(
      std::lround(kStepsPerDecade * std::log10(std::clamp(*mbps, kMinMbps, kMaxMbps))));
}

std::optional<double> LinkPanel::bandwidth(int place) {
  // The gap between the largest number and the end belongs to the nearer of both.
  if (place > (4 * kStepsPerDecade + kUnlimited) / 2) return std::nullopt;
  return std::min(kMaxMbps, rounded(std::pow(10.0, double(place) / kStepsPerDecade)));
}

LinkPanel::LinkPanel(ExperimentDocument* document, QWidget* parent)
    : SetupPanel(document, parent),
      m_slider(new QSlider(Qt::Horizontal, this)),
      m_bandwidth(new NumberBox(this)),
      m_latency(new NumberBox(this)),
      m_duplex(new QComboBox(this)) {
  m_slider->setObjectName(QStringLiteral("bandwidthSlider"));
  m_slider->setRange(0, kUnlimited);
  m_slider->setSingleStep(5);
  m_slider->setPageStep(kStepsPerDecade / 2);
  m_slider->setTickInterval(kStepsPerDecade);
  m_slider->setTickPosition(QSlider::TicksBelow);
  m_slider->setAccessibleName(tr("Bandwidth of the default link, logarithmic"));
  m_bandwidth->setObjectName(QStringLiteral("bandwidth"));
  m_bandwidth->setRange(0.0, 1'000'000.0);
  m_bandwidth->setDecimals(3);
  m_bandwidth->setGroupSeparatorShown(true);
  m_bandwidth->setSuffix(tr(" Mb/s"));
  m_bandwidth->setSpecialValueText(tr("unlimited"));
  m_bandwidth->setStepType(QAbstractSpinBox::AdaptiveDecimalStepType);
  m_bandwidth->setAccessibleName(tr("Bandwidth in megabits a second; 0 is unlimited"));
  m_bandwidth->setToolTip(tr("10⁶ bits a second, each direction; 0 is unlimited"));
  m_latency->setObjectName(QStringLiteral("latency"));
  m_latency->setRange(0.0, 10'000.0);
  m_latency->setDecimals(3);
  m_latency->setSingleStep(0.1);
  m_latency->setSuffix(tr(" ms"));
  m_latency->setAccessibleName(tr("Latency in milliseconds"));
  m_duplex->setObjectName(QStringLiteral("duplex"));
  m_duplex->addItems({tr("full"), tr("half")});
  m_duplex->setAccessibleName(tr("Duplex"));
  m_duplex->setToolTip(tr("Half duplex: both directions share the bandwidth."));

  auto* stops = new QWidget(this);
  auto* stopsLayout = new QHBoxLayout(stops);
  stopsLayout->setContentsMargins(0, 0, 0, 0);
  stopsLayout->setSpacing(2);  // the widest line of the dock
  for (const Stop& stop : kStops) {
    auto* button = new QToolButton(stops);
    button->setText(QLatin1String(stop.name));
    button->setCheckable(true);
    button->setObjectName(QStringLiteral("stop%1").arg(stop.mbps));
    button->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    const auto mbps = stop.mbps > 0.0 ? std::optional(stop.mbps) : std::nullopt;
    button->setAccessibleName(tr("Bandwidth %1").arg(bandwidthText(mbps)));
    button->setToolTip(bandwidthText(mbps));
    stopsLayout->addWidget(button, 1);
    m_stops.append({button, mbps});
    // A click on the stop that holds leaves it down.
    connect(button, &QToolButton::clicked, this, [this, mbps, button] {
      setBandwidth(mbps);
      button->setChecked(true);
    });
  }

  m_bandwidth->setFixedWidth(124);
  auto* bandwidthLine = new QWidget(this);
  auto* bandwidthLayout = new QHBoxLayout(bandwidthLine);
  bandwidthLayout->setContentsMargins(0, 0, 0, 0);
  bandwidthLayout->setSpacing(Space::kSmall);
  bandwidthLayout->addWidget(m_slider, 1);
  bandwidthLayout->addWidget(m_bandwidth);
  auto* form = new FormGrid(this);
  form->addWide(bandwidthLine);
  form->addWide(stops);
  form->addWide(note(QStringLiteral("/link")));
  form->addPair(tr("Latenc&y"), m_latency, tr("D&uplex"), m_duplex);

  connect(m_slider, &QSlider::valueChanged, this,
          [this](int value) { setBandwidth(bandwidth(value)); });
  connect(m_bandwidth, &QDoubleSpinBox::valueChanged, this, [this](double value) {
    setBandwidth(value > 0.0 ? std::optional(value) : std::nullopt);
  });
  connect(m_latency, &QDoubleSpinBox::valueChanged, this, [this](double value) {
    edit(tr("Latency"), QStringLiteral("latency"),
         [value](Setup& setup) { setup.experiment.link.latency_ms = value; });
  });
  connect(m_duplex, &QComboBox::currentIndexChanged, this, [this](int index) {
    edit(tr("Duplex"), {}, [index](Setup& setup) {
      setup.experiment.link.duplex = index == 1 ? Duplex::kHalf : Duplex::kFull;
    });
  });
}

void LinkPanel::setBandwidth(std::optional<double> mbps) {
  edit(tr("Bandwidth"), QStringLiteral("bandwidth"),
       [mbps](Setup& setup) { setup.experiment.link.bandwidth_mbps = mbps; });
}

void LinkPanel::showSetup(const Setup& setup) {
  const LinkSettings& link = setup.experiment.link;
  // A slider that stands somewhere in the right place's rounding is left alone: it is being
  // dragged.
  if (bandwidth(m_slider->value()) != link.bandwidth_mbps)
    m_slider->setValue(place(link.bandwidth_mbps));
  m_bandwidth->setValue(link.bandwidth_mbps.value_or(0.0));
  for (const auto& [button, mbps] : std::as_const(m_stops)) {
    const bool holds = mbps == link.bandwidth_mbps;
    button->setChecked(holds);
    QFont font = Theme::instance().font(TextStyle::Small);
    if (holds) font.setWeight(QFont::Bold);  // a pressed button is hard to tell in the dark
    button->setFont(font);
  }
  m_latency->setValue(link.latency_ms);
  m_duplex->setCurrentIndex(link.duplex == Duplex::kHalf ? 1 : 0);
}

QString LinkPanel::summary() const {
  return linkText(document()->setup().experiment.link);
}

}  // namespace convoy::ui
