#include "ui/models/method.h"

#include <QCoreApplication>

namespace convoy::ui {
namespace {

QString tr(const char* text) {
  return QCoreApplication::translate("Method", text);
}

}  // namespace

Method methodOf(const DistributionOptions& options) {
  if (options == paper_options()) return Method::Paper;
  return options == best_options() ? Method::Best : Method::Own;
}

QString methodName(Method method) {
  switch (method) {
    case Method::Paper:
      return tr("Paper's");
    case Method::Best:
      return tr("Convoy's best");
    case Method::Own:
      break;
  }
  return tr("Own");
}

QString methodSentence(Method method) {
  switch (method) {
    case Method::Paper:
      return tr(
          "Each step, maps and weights go out, whole maps and gradients come back, and "
          "nothing is computed meanwhile.");
    case Method::Best:
      return tr(
          "Weights stay on their devices, pooled maps travel as fp16 while others are "
          "computed; split and shares follow what is quickest.");
    case Method::Own:
      break;
  }
  return {};
}

}  // namespace convoy::ui
