// A few sentences about the experiment, as high as they need within reason; one quiet line when
// there are none.
#pragma once

#include <QPlainTextEdit>

namespace convoy::ui {

class NoteEdit : public QPlainTextEdit {
  Q_OBJECT

 public:
  explicit NoteEdit(QWidget* parent = nullptr);

  void setNote(const QString& note);
  QSize sizeHint() const override;
  QSize minimumSizeHint() const override { return {40, sizeHint().height()}; }

 signals:
  void edited(const QString& note);  // by a person

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  void restyle();
  void fit();
};

}  // namespace convoy::ui
