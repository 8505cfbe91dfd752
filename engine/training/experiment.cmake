# The experiment as data: reading, checking, writing.
find_package(nlohmann_json REQUIRED)
target_sources(convoy_training PRIVATE calibration_file.cpp default_devices.cpp experiment_json.cpp experiment_keys.cpp experiment_parser.cpp
                                       experiment_setting.cpp json_value.cpp strict_json.cpp
                                       variations.cpp)
target_link_libraries(convoy_training PRIVATE nlohmann_json::nlohmann_json)
