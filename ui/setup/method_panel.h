// How the work is split and travels, which clock counts, and what the speedup is measured against.
#pragma once

#include "engine/cluster/distribution_options.h"
#include "ui/setup/setup_panel.h"

class QCheckBox;
class QComboBox;
class QLabel;

namespace convoy::ui {

class FormGrid;

class MethodPanel : public SetupPanel {
  Q_OBJECT

 public:
  explicit MethodPanel(ExperimentDocument* document, QWidget* parent = nullptr);
  QString summary() const override;

 protected:
  void showSetup(const Setup& setup) override;

 private:
  // One on-off option: its tick and, behind it, what it saves.
  struct Switch {
    QCheckBox* box;
    bool DistributionOptions::*option;
  };

  QComboBox* choice(const QString& name, const QStringList& items, const QString& accessibleName,
                    QWidget* parent);
  QWidget* makeOptions();
  void connectChoices();
  void chooseMethod(int index);
  void editOption(const QString& text, const std::function<void(DistributionOptions&)>& change);
  void restyle();

  QComboBox* m_method;
  QLabel* m_methodSentence;
  QWidget* m_options = nullptr;
  QList<Switch> m_switches;
  QComboBox* m_wire = nullptr;
  QComboBox* m_split = nullptr;
  QComboBox* m_shares;
  QComboBox* m_baseline;
  QComboBox* m_clock;
  QLabel* m_clockSentence;
  QList<QLabel*> m_sentences;
  // Somebody asked for the options, which may still be those of a named method. Undone and opened
  // set-ups speak for themselves.
  bool m_ownAsked = false;
  bool m_editingOption = false;
  DistributionOptions m_shown;
};

}  // namespace convoy::ui
