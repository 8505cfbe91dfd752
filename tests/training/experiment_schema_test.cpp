// The JSON schema for editors and the parser agree: on the keys, on every limit and on every name.
#include <QtTest>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "engine/base/atomic_file.h"
#include "engine/base/error.h"
#include "engine/training/experiment.h"
#include "engine/training/experiment_keys.h"

using namespace convoy;
using nlohmann::json;

namespace {

bool is_accepted(const std::string& text) {
  try {
    parse_experiment(text, "a.json");
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kExperiment) return false;
    throw;
  }
  return true;
}

void collect_schema_keys(const json& schema, const json& root, const std::string& path,
                         std::map<std::string, std::set<std::string>>& keys) {
  if (const auto reference = schema.find("$ref"); reference != schema.end())
    return collect_schema_keys(root.at(json::json_pointer(reference->get<std::string>().substr(1))),
                               root, path, keys);
  for (const json& choice : schema.value("oneOf", json::array()))
    collect_schema_keys(choice, root, path, keys);
  if (schema.contains("items")) collect_schema_keys(schema["items"], root, path + "/*", keys);
  if (!schema.contains("properties")) return;
  QCOMPARE(schema.value("additionalProperties", json()), json(false));
  for (const auto& [key, value] : schema["properties"].items()) {
    keys[path].insert(key);
    collect_schema_keys(value, root, path + "/" + key, keys);
  }
}

json read_schema() {
  return json::parse(
      read_whole_file(CONVOY_SOURCE_DIR "/resources/experiment.schema.json", ErrorKind::kData));
}

// Every limit and list of names that the schema tells, tried on the parser: the value is allowed
// and what lies just beyond is not.
void try_schema_limits(const json& schema, const json& root, const json::json_pointer& place,
                       const json& base, int& tried) {
  if (const auto reference = schema.find("$ref"); reference != schema.end())
    return try_schema_limits(root.at(json::json_pointer(reference->get<std::string>().substr(1))),
                             root, place, base, tried);
  const auto parses = [&](const json& value) {
    json experiment = base;
    experiment[place] = value;
    return is_accepted(experiment.dump());
  };
  const auto label = [&](const json& value) { return place.to_string() + " " + value.dump(); };
  for (const json& value : schema.value("enum", json::array())) {
    // A folder needs a path as well.
    if (value == "folder") continue;
    QVERIFY2(parses(value), label(value).c_str());
    ++tried;
  }
  if (schema.contains("enum")) QVERIFY2(!parses("nonsense"), label("nonsense").c_str());
  for (const char* limit : {"minimum", "maximum"}) {
    if (!schema.contains(limit) || place.to_string() == "/seed") continue;
    const json value = schema[limit];
    const double beyond = value.get<double>() + (*(limit + 1) == 'i' ? -1 : 1);
    QVERIFY2(!parses(beyond), label(beyond).c_str());
    ++tried;
  }
  if (schema.contains("exclusiveMinimum")) {
    QVERIFY2(!parses(schema["exclusiveMinimum"]), label(schema["exclusiveMinimum"]).c_str());
    ++tried;
  }
  if (schema.contains("items"))
    try_schema_limits(schema["items"], root, place / std::size_t{1}, base, tried);
  const json properties = schema.value("properties", json::object());
  for (const auto& [key, value] : properties.items())
    try_schema_limits(value, root, place / key, base, tried);
}

}  // namespace

class ExperimentSchemaTest : public QObject {
  Q_OBJECT

 private slots:
  void schema_has_the_same_keys();
  void schema_has_the_same_limits();
};

void ExperimentSchemaTest::schema_has_the_same_keys() {
  const json schema = read_schema();
  std::map<std::string, std::set<std::string>> in_schema, in_parser;
  collect_schema_keys(schema, schema, "", in_schema);
  for (const ExperimentKeys& entry : experiment_keys())
    in_parser[std::string(entry.object)].insert(entry.keys.begin(), entry.keys.end());
  QCOMPARE(in_schema.size(), in_parser.size());
  for (const auto& [object, keys] : in_parser) {
    QVERIFY2(in_schema.count(object), object.c_str());
    QVERIFY2(in_schema[object] == keys, object.c_str());
  }
}

void ExperimentSchemaTest::schema_has_the_same_limits() {
  const json schema = read_schema();
  // Every object and two entries of every list are there, nothing that excludes another value.
  const json base = json::parse(R"({"devices": [{"id": "cpu:0"}, {"id": "cpu:1", "link": {}}],
      "network": {"kernels": [4, 4], "kernel_size": 1}})");
  int tried = 0;
  try_schema_limits(schema, schema, json::json_pointer(), base, tried);
  QVERIFY2(tried > 40, qPrintable(QString::number(tried)));
}

QTEST_GUILESS_MAIN(ExperimentSchemaTest)
#include "experiment_schema_test.moc"
