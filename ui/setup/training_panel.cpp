#include "ui/setup/training_panel.h"

#include <QComboBox>
#include <QSpinBox>
#include <limits>

#include "ui/setup/form_grid.h"
#include "ui/setup/number_box.h"

namespace convoy::ui {

TrainingPanel::TrainingPanel(ExperimentDocument* document, QWidget* parent)
    : SetupPanel(document, parent),
      m_batch(new QSpinBox(this)),
      m_length(new QSpinBox(this)),
      m_unit(new QComboBox(this)),
      m_seed(new QSpinBox(this)) {
  m_learningRate = number(10.0, 5, 0.005, tr("Learning rate"), &SgdSettings::learning_rate);
  m_momentum = number(0.999, 3, 0.05, tr("Momentum"), &SgdSettings::momentum);
  m_weightDecay = number(1.0, 6, 0.0001, tr("Weight decay"), &SgdSettings::weight_decay);
  m_batch->setObjectName(QStringLiteral("batchSize"));
  m_batch->setRange(1, 65536);
  m_batch->setGroupSeparatorShown(true);
  m_batch->setAccessibleName(tr("Batch size"));
  m_batch->setToolTip(tr("Pictures in one training step"));
  m_length->setObjectName(QStringLiteral("trainingLength"));
  m_length->setRange(1, 10'000'000);
  m_length->setGroupSeparatorShown(true);
  m_length->setAccessibleName(tr("Length of the training"));
  m_unit->setObjectName(QStringLiteral("trainingUnit"));
  m_unit->addItems({tr("steps"), tr("epochs")});
  m_unit->setAccessibleName(tr("Unit of the length: steps or epochs"));
  m_seed->setObjectName(QStringLiteral("seed"));
  m_seed->setRange(0, std::numeric_limits<int>::max());
  m_seed->setMinimumWidth(70);  // ten digits are possible, and rare
  m_seed->setAccessibleName(tr("Seed"));
  m_seed->setToolTip(tr("The same seed gives the same built-in pictures, weights and batches."));

  auto* form = new FormGrid(this);
  form->addPair(tr("&Batch size"), m_batch, tr("Seed"), m_seed);
  form->addWide(note(QStringLiteral("/training/batch_size")));
  form->addLine(tr("Len&gth"), m_length, {m_unit});
  form->addWide(note(QStringLiteral("/training/steps")));
  form->addWide(note(QStringLiteral("/training/epochs")));
  form->addPair(tr("Learn&ing rate"), m_learningRate, tr("&Momentum"), m_momentum);
  form->addHalf(tr("&Weight decay"), m_weightDecay);
  form->addWide(note(QStringLiteral("/training")));
  form->addWide(note(QStringLiteral("/seed")));

  connect(m_batch, &QSpinBox::valueChanged, this, [this](int value) {
    edit(tr("Batch Size"), QStringLiteral("batch"),
         [value](Setup& setup) { setup.experiment.training.batch_size = value; });
  });
  connect(m_seed, &QSpinBox::valueChanged, this, [this](int value) {
    edit(tr("Seed"), QStringLiteral("seed"),
         [value](Setup& setup) { setup.experiment.seed = static_cast<std::uint64_t>(value); });
  });
  const auto setLength = [this] {
    edit(tr("Training Length"), QStringLiteral("length"),
         [value = m_length->value(), epochs = m_unit->currentIndex() == 1](Setup& setup) {
           TrainingSpec& training = setup.experiment.training;
           training.steps = epochs ? std::nullopt : std::optional(value);
           training.epochs = epochs ? std::optional(value) : std::nullopt;
         });
  };
  connect(m_length, &QSpinBox::valueChanged, this, setLength);
  connect(m_unit, &QComboBox::currentIndexChanged, this, setLength);
}

QDoubleSpinBox* TrainingPanel::number(double max, int decimals, double step, const QString& name,
                                      double SgdSettings::*field) {
  auto* box = new NumberBox(this);
  box->setDecimals(decimals);
  box->setRange(0.0, max);
  box->setSingleStep(step);
  box->setAccessibleName(name);
  connect(box, &QDoubleSpinBox::valueChanged, this, [this, name, field](double value) {
    edit(name, name,
         [field, value](Setup& setup) { setup.experiment.training.sgd.*field = value; });
  });
  return box;
}

void TrainingPanel::showSetup(const Setup& setup) {
  const TrainingSpec& training = setup.experiment.training;
  m_batch->setValue(training.batch_size);
  m_length->setValue(training.epochs ? *training.epochs : training.steps.value_or(1));
  m_unit->setCurrentIndex(training.epochs ? 1 : 0);
  m_learningRate->setValue(training.sgd.learning_rate);
  m_momentum->setValue(training.sgd.momentum);
  m_weightDecay->setValue(training.sgd.weight_decay);
  m_seed->setValue(static_cast<int>(setup.experiment.seed));
}

QString TrainingPanel::summary() const {
  const TrainingSpec& training = document()->setup().experiment.training;
  return tr("batch %1 · %2")
      .arg(training.batch_size)
      .arg(training.epochs ? tr("epochs: %1").arg(*training.epochs)
                           : tr("steps: %1").arg(training.steps.value_or(0)));
}

}  // namespace convoy::ui
