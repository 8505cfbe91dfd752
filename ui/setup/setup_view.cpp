#include "ui/setup/setup_view.h"

#include <QAbstractSpinBox>
#include <QComboBox>
#include <QEvent>
#include <QLineEdit>
#include <QScrollBar>
#include <QSlider>
#include <QTimer>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/setup/data_panel.h"
#include "ui/setup/devices_panel.h"
#include "ui/setup/field_note.h"
#include "ui/setup/form_grid.h"
#include "ui/setup/link_panel.h"
#include "ui/setup/method_panel.h"
#include "ui/setup/network_panel.h"
#include "ui/setup/note_edit.h"
#include "ui/setup/section.h"
#include "ui/setup/training_panel.h"
#include "ui/theme/theme.h"

namespace convoy::ui {
namespace {

auto countErrors(const QList<Problem>& problems) {
  return std::count_if(problems.begin(), problems.end(),
                       [](const Problem& problem) { return problem.severity == Severity::kError; });
}

}  // namespace

SetupView::SetupView(ExperimentDocument* document, QWidget* parent)
    : ColumnArea(parent), m_document(document) {
  setObjectName(QStringLiteral("setupView"));
  setAccessibleName(tr("Set-up of the experiment"));
  auto* content = new QWidget(this);
  auto* layout = new QVBoxLayout(content);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(0);

  m_name = new QLineEdit(content);
  m_name->setObjectName(QStringLiteral("experimentName"));
  m_name->setAccessibleName(tr("Name of the experiment"));
  m_name->setPlaceholderText(tr("Name of the experiment"));
  auto* nameLine = new FormGrid(content);
  nameLine->setContentsMargins(Space::kMedium, Space::kSmall, Space::kMedium, Space::kTight);
  nameLine->addLine(tr("&Name"), m_name);
  m_note = new NoteEdit(content);
  nameLine->addUnder(m_note);
  layout->addLayout(nameLine);
  // Whatever no other field takes.
  m_otherProblems = new FieldNote({}, content);
  m_otherProblems->setContentsMargins(Space::kMedium, 0, Space::kMedium, 0);
  layout->addWidget(m_otherProblems);
  setWidget(content);

  m_devices = new DevicesPanel(document, content);
  m_data = new DataPanel(document, content);
  addSection(QStringLiteral("devices"), tr("Devices"), m_devices);
  addSection(QStringLiteral("network"), tr("Network"), new NetworkPanel(document, content));
  addSection(QStringLiteral("training"), tr("Training"), new TrainingPanel(document, content));
  addSection(QStringLiteral("link"), tr("Link"), new LinkPanel(document, content));
  addSection(QStringLiteral("method"), tr("Method"), new MethodPanel(document, content));
  addSection(QStringLiteral("data"), tr("Data"), m_data);
  layout->addStretch(1);
  resetFolding();

  // A wheel that scrolls the dock must not change the values it passes over.
  for (QWidget* child : content->findChildren<QWidget*>()) {
    if (!qobject_cast<QAbstractSpinBox*>(child) && !qobject_cast<QComboBox*>(child) &&
        !qobject_cast<QSlider*>(child))
      continue;
    child->setFocusPolicy(Qt::StrongFocus);
    child->installEventFilter(this);
  }

  connect(m_name, &QLineEdit::textEdited, this, [this](const QString& text) {
    m_document->edit(tr("Name"), QStringLiteral("name"),
                     [&](Setup& setup) { setup.experiment.name = text.toStdString(); });
  });
  connect(m_note, &NoteEdit::edited, this, [this](const QString& note) {
    m_document->edit(tr("Note"), QStringLiteral("note"),
                     [&](Setup& setup) { setup.experiment.note = note.toStdString(); });
  });
  connect(document, &ExperimentDocument::changed, this, &SetupView::refresh);
  refresh();
}

void SetupView::addSection(const QString& key, const QString& title, SetupPanel* panel) {
  auto* section = new Section(title, panel, widget());
  section->setObjectName(key + QStringLiteral("Section"));
  static_cast<QVBoxLayout*>(widget()->layout())->addWidget(section);
  m_sections.append({key, section, panel});
}

void SetupView::refresh() {
  const QString name = QString::fromStdString(m_document->setup().experiment.name);
  if (m_name->text() != name) {
    m_name->setText(name);
    m_name->setCursorPosition(0);  // a long name shows its beginning
  }
  m_name->setToolTip(name);
  m_note->setNote(QString::fromStdString(m_document->setup().experiment.note));
  for (const Entry& entry : std::as_const(m_sections)) {
    entry.panel->refresh();
    entry.section->setSummary(entry.panel->summary());
  }
  showProblems(m_document->problems());
}

void SetupView::setRunProblem(const Problem& problem) {
  QList<Problem> problems = m_document->problems();
  problems.append(problem);
  showProblems(problems);
  for (FieldNote* note : findChildren<FieldNote*>()) {
    if (note->path().isEmpty() || !problem.path.startsWith(note->path()) ||
        !note->isVisibleTo(this))
      continue;
    // Once the layout has made room for it.
    QTimer::singleShot(0, note, [this, note] { ensureWidgetVisible(note); });
  }
}

void SetupView::showProblems(QList<Problem> problems) {
  for (const Entry& entry : std::as_const(m_sections)) {
    const auto before = countErrors(problems);
    entry.panel->takeProblems(problems);
    // A fault that is folded away is no fault anybody can mend.
    if (countErrors(problems) != before) entry.section->setExpanded(true);
  }
  for (Problem& problem : problems) problem.path.clear();
  m_otherProblems->take(problems);
}

void SetupView::setRunning(bool running) {
  m_name->setEnabled(!running);
  m_note->setReadOnly(running);
  for (const Entry& entry : std::as_const(m_sections)) entry.panel->setRunning(running);
}

bool SetupView::eventFilter(QObject* watched, QEvent* event) {
  auto* control = qobject_cast<QWidget*>(watched);
  if (event->type() == QEvent::Wheel && control && !control->hasFocus()) {
    event->ignore();
    return true;
  }
  return ColumnArea::eventFilter(watched, event);
}

QByteArray SetupView::saveFolding() const {
  QByteArrayList folded;
  for (const Entry& entry : m_sections)
    if (!entry.section->isExpanded()) folded.append(entry.key.toLatin1());
  return folded.join(',');
}

void SetupView::restoreFolding(const QByteArray& state) {
  const QByteArrayList folded = state.split(',');
  for (const Entry& entry : std::as_const(m_sections))
    entry.section->setExpanded(!folded.contains(entry.key.toLatin1()));
  showProblems(m_document->problems());
}

void SetupView::resetFolding() {
  restoreFolding("data");
}

}  // namespace convoy::ui
