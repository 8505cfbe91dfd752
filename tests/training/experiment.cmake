find_package(nlohmann_json REQUIRED)
foreach(name IN ITEMS experiment experiment_schema experiment_setting)
  convoy_test(${name} FLOOR training LABELS engine
              LIBRARIES convoy_training nlohmann_json::nlohmann_json)
endforeach()
target_compile_definitions(training_experiment_schema_test
                           PRIVATE CONVOY_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
