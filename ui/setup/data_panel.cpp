#include "ui/setup/data_panel.h"

#include <QComboBox>
#include <QDir>
#include <QFileDialog>
#include <QLabel>
#include <QLineEdit>
#include <QLocale>
#include <QProgressBar>
#include <QPushButton>
#include <QSpinBox>
#include <QToolButton>

#include "ui/icon.h"
#include "ui/models/dataset_folder.h"
#include "ui/setup/form_grid.h"
#include "ui/theme/theme.h"

namespace convoy::ui {
namespace {

QString kindName(DatasetKind kind) {
  switch (kind) {
    case DatasetKind::kSynthetic:
      return DataPanel::tr("Built-in pictures");
    case DatasetKind::kCifar10:
      return QStringLiteral("CIFAR-10");
    case DatasetKind::kCifar100:
      return QStringLiteral("CIFAR-100");
    case DatasetKind::kMnist:
      return QStringLiteral("MNIST");
    case DatasetKind::kFolder:
      break;
  }
  return DataPanel::tr("Folder of pictures");
}

bool canFetch(DatasetKind kind) {
  return kind == DatasetKind::kCifar10 || kind == DatasetKind::kCifar100 ||
         kind == DatasetKind::kMnist;
}

QString sizeText(qint64 bytes) {
  return QLocale().formattedDataSize(bytes, 1, QLocale::DataSizeSIFormat);
}

}  // namespace

DataPanel::DataPanel(ExperimentDocument* document, QWidget* parent)
    : SetupPanel(document, parent),
      m_kind(new QComboBox(this)),
      m_path(new QLineEdit(this)),
      m_browse(new QToolButton(this)),
      m_fetch(new QPushButton(themedIcon(QStringLiteral("download")), tr("Download…"), this)),
      m_progressLine(new QWidget(this)),
      m_progress(new QProgressBar(this)),
      m_imageSize(new QSpinBox(this)) {
  m_kind->setObjectName(QStringLiteral("datasetKind"));
  m_kind->setAccessibleName(tr("Data set"));
  for (const DatasetKind kind : kDatasetKinds) m_kind->addItem(kindName(kind));
  m_path->setObjectName(QStringLiteral("datasetPath"));
  m_path->setAccessibleName(tr("Folder of the data set"));
  m_path->setClearButtonEnabled(true);
  m_browse->setIcon(themedIcon(QStringLiteral("open")));
  m_browse->setToolTip(tr("Choose the folder"));
  m_browse->setAccessibleName(tr("Choose the folder of the data set"));
  m_fetch->setObjectName(QStringLiteral("download"));
  m_fetch->setAccessibleName(tr("Download the data set"));
  m_fetch->setToolTip(tr("Fetch the official archive, check it and unpack it"));
  m_progress->setAccessibleName(tr("Progress of the download"));
  m_imageSize->setRange(8, 1024);
  m_imageSize->setSuffix(tr(" px"));
  m_imageSize->setAccessibleName(tr("Side to which pictures are resized, in pixels"));
  m_trainLimit = limit(tr("Training pictures"), &DatasetSpec::train_limit);
  m_trainLimit->setObjectName(QStringLiteral("trainLimit"));
  m_testLimit = limit(tr("Test pictures"), &DatasetSpec::test_limit);
  m_testLimit->setObjectName(QStringLiteral("testLimit"));

  auto* progressLayout = new QHBoxLayout(m_progressLine);
  progressLayout->setContentsMargins(0, 0, 0, 0);
  progressLayout->setSpacing(Space::kTight);
  auto* cancel = new QToolButton(m_progressLine);
  cancel->setIcon(themedIcon(QStringLiteral("close")));
  cancel->setToolTip(tr("Cancel the download"));
  cancel->setAccessibleName(tr("Cancel the download"));
  progressLayout->addWidget(m_progress, 1);
  progressLayout->addWidget(cancel);

  auto* form = new FormGrid(this);
  form->addLine(tr("Pictures"), m_kind, {m_fetch});
  m_pathLabel = form->addLine(tr("Folder"), m_path, {m_browse});
  form->addWide(m_progressLine);
  form->addWide(note(QStringLiteral("/dataset/path")));
  m_sizeLabel = form->addHalf(tr("Picture size"), m_imageSize);
  form->addPair(tr("Train on"), m_trainLimit, tr("Test on"), m_testLimit);
  form->addWide(note(QStringLiteral("/dataset")));

  connect(m_kind, &QComboBox::currentIndexChanged, this, [this](int index) {
    edit(tr("Data Set"), {}, [index](Setup& setup) {
      DatasetSpec& dataset = setup.experiment.dataset;
      dataset.kind = kDatasetKinds[index];
      dataset.path.clear();  // another set lies elsewhere
      if (dataset.kind != DatasetKind::kFolder) dataset.image_size.reset();
    });
  });
  connect(m_path, &QLineEdit::textEdited, this, [this](const QString& text) {
    edit(tr("Folder"), QStringLiteral("path"),
         [&](Setup& setup) { setup.experiment.dataset.path = text.trimmed().toStdString(); });
  });
  connect(m_path, &QLineEdit::textChanged, this, [this](const QString& text) {
    // The clear button is no edit to Qt.
    if (text.isEmpty())
      edit(tr("Folder"), QStringLiteral("path"),
           [](Setup& setup) { setup.experiment.dataset.path.clear(); });
  });
  connect(m_imageSize, &QSpinBox::valueChanged, this, [this](int value) {
    edit(tr("Picture Size"), QStringLiteral("imageSize"),
         [value](Setup& setup) { setup.experiment.dataset.image_size = value; });
  });
  connect(m_browse, &QToolButton::clicked, this, &DataPanel::browse);
  connect(m_fetch, &QPushButton::clicked, this, [this] {
    m_download.start(this->document()->setup().experiment.dataset.kind);
    m_progress->setRange(0, 0);
    m_progress->setFormat(tr("Starting…"));
    showDownload();
  });
  connect(cancel, &QToolButton::clicked, &m_download, &DatasetDownload::cancel);
  connectDownload();
}

QSpinBox* DataPanel::limit(const QString& name, std::optional<int> DatasetSpec::*field) {
  auto* box = new QSpinBox(this);
  box->setRange(0, 10'000'000);
  box->setSingleStep(1000);
  box->setSpecialValueText(tr("all pictures"));
  box->setGroupSeparatorShown(true);
  box->setAccessibleName(tr("%1 at most; 0 is all").arg(name));
  box->setToolTip(tr("At most so many pictures; 0 is all"));
  connect(box, &QSpinBox::valueChanged, this, [this, name, field](int value) {
    edit(name, name, [field, value](Setup& setup) {
      setup.experiment.dataset.*field = value > 0 ? std::optional(value) : std::nullopt;
    });
  });
  return box;
}

void DataPanel::connectDownload() {
  connect(&m_download, &DatasetDownload::progressed, this,
          [this](qint64 done, qint64 total, const QString& phase) {
            // Kilobytes, so that large archives fit the bar's int.
            m_progress->setRange(0, static_cast<int>(total / 1024));
            m_progress->setValue(static_cast<int>(done / 1024));
            m_progress->setToolTip(phase);
            m_progress->setFormat(total > 0 ? tr("%1 of %2").arg(sizeText(done), sizeText(total))
                                            : phase);
          });
  connect(&m_download, &DatasetDownload::finished, this,
          [this](const QString& folder, bool wasThere) {
            showDownload();
            const QString name = kindName(m_download.kind());
            emit messageArrived(Severity::kInfo,
                                (wasThere ? tr("%1 was already in %2.") : tr("%1 is ready in %2."))
                                    .arg(name, QDir::toNativeSeparators(folder)));
            document()->edit(tr("Downloaded Data"), {}, [&](Setup& setup) {
              setup.experiment.dataset.kind = m_download.kind();
              setup.experiment.dataset.path = folder.toStdString();
            });
          });
  connect(&m_download, &DatasetDownload::cancelled, this, [this] {
    showDownload();
    emit messageArrived(Severity::kInfo,
                        tr("Download cancelled; it goes on from there next time."));
  });
  connect(&m_download, &DatasetDownload::failed, this, [this](const QString& text) {
    showDownload();
    emit messageArrived(Severity::kError, tr("Download failed: %1").arg(text));
  });
}

void DataPanel::browse() {
  auto* dialog = new QFileDialog(this, tr("Folder of the Data Set"), m_path->text());
  dialog->setFileMode(QFileDialog::Directory);
  dialog->setOption(QFileDialog::ShowDirsOnly);
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& folder) {
    edit(tr("Folder"), {},
         [&](Setup& setup) { setup.experiment.dataset.path = folder.toStdString(); });
  });
  dialog->open();
}

void DataPanel::useFolder(const QString& folder) {
  document()->edit(tr("Data Folder"), {}, [&](Setup& setup) {
    setup.experiment.dataset.kind = datasetKindOf(folder);
    setup.experiment.dataset.path = QDir(folder).absolutePath().toStdString();
  });
}

void DataPanel::showDownload() {
  const DatasetKind kind = document()->setup().experiment.dataset.kind;
  m_progressLine->setVisible(m_download.isActive());
  m_fetch->setVisible(canFetch(kind));
  m_fetch->setEnabled(!m_download.isActive());
}

void DataPanel::showSetup(const Setup& setup) {
  const DatasetSpec& dataset = setup.experiment.dataset;
  m_kind->setCurrentIndex(static_cast<int>(dataset.kind));
  const QString path = QString::fromStdString(dataset.path);
  if (m_path->text().trimmed() != path) m_path->setText(path);
  const bool files = dataset.kind != DatasetKind::kSynthetic;
  m_pathLabel->setVisible(files);
  m_path->setVisible(files);
  m_browse->setVisible(files);
  m_path->setPlaceholderText(dataset.kind == DatasetKind::kFolder
                                 ? tr("one sub-folder for each class")
                                 : QString::fromStdString(default_dataset_folder().string()));
  const bool folder = dataset.kind == DatasetKind::kFolder;
  m_sizeLabel->setVisible(folder);
  m_imageSize->setVisible(folder);
  m_imageSize->setValue(dataset.image_size.value_or(32));
  m_trainLimit->setValue(dataset.train_limit.value_or(0));
  m_testLimit->setValue(dataset.test_limit.value_or(0));
  showDownload();
}

QString DataPanel::summary() const {
  const DatasetSpec& dataset = document()->setup().experiment.dataset;
  return dataset.train_limit ? tr("%1 · %2").arg(kindName(dataset.kind)).arg(*dataset.train_limit)
                             : kindName(dataset.kind);
}

}  // namespace convoy::ui
