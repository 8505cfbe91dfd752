// The `convoy` program as a process.
#pragma once

#include <QProcess>
#include <QStringList>
#include <QTemporaryDir>
#include <QtTest>  // with all of QtCore: QCOMPARE of JSON needs complete types
#include <nlohmann/json.hpp>

struct Outcome {
  int code = -1;
  QString out, err;
};

// In `folder` (the current one when empty), with the variables of `environment` set as well.
inline Outcome run_convoy(const QStringList& arguments, const QString& folder = {},
                          const QStringList& environment = {}) {
  QProcess process;
  process.setProgram(CONVOY_PROGRAM);
  process.setArguments(arguments);
  if (!folder.isEmpty()) process.setWorkingDirectory(folder);
  QProcessEnvironment variables = QProcessEnvironment::systemEnvironment();
  for (const QString& variable : environment)
    variables.insert(variable.section('=', 0, 0), variable.section('=', 1));
  process.setProcessEnvironment(variables);
  process.start();
  if (!process.waitForFinished(240'000)) {
    process.kill();
    process.waitForFinished();
    return {-1, {}, "did not end: " + process.readAllStandardError()};
  }
  return {process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1,
          process.readAllStandardOutput(), process.readAllStandardError()};
}

// The cores that this machine gives us, as the program tells.
inline QList<int> cores() {
  const auto list =
      nlohmann::json::parse(run_convoy({"devices", "--json"}).out.toStdString(), nullptr, false);
  QList<int> numbers;
  if (list.is_array() && !list.empty())
    for (const auto& core : list[0]["cores"]) numbers.append(core.get<int>());
  return numbers;
}

// A folder of a test's own, gone with it.
class TestFolder {
 public:
  QString path() const { return folder_.path(); }
  QString file(const QString& name) const { return folder_.filePath(name); }
  void save(const QString& name, const QByteArray& content) const {
    QFile target(file(name));
    QVERIFY(target.open(QIODevice::WriteOnly));
    QCOMPARE(target.write(content), content.size());
  }

 private:
  QTemporaryDir folder_;
};
