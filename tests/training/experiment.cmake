find_package(nlohmann_json REQUIRED)
convoy_test(experiment FLOOR training LABELS engine
            LIBRARIES convoy_training nlohmann_json::nlohmann_json)
target_compile_definitions(training_experiment_test
                           PRIVATE CONVOY_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
