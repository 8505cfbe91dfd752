convoy_test(opencl_choice FLOOR device LIBRARIES convoy_device LABELS engine)
convoy_test(opencl_im2col_conv FLOOR device LIBRARIES convoy_device LABELS engine)
convoy_test(opencl_device FLOOR device LIBRARIES convoy_device LABELS engine)
convoy_test(opencl_fft_plan FLOOR device LIBRARIES convoy_device LABELS engine)
convoy_test(opencl_memory FLOOR device LIBRARIES convoy_device LABELS engine)
convoy_test(opencl_plan FLOOR device LIBRARIES convoy_device LABELS engine)
convoy_test(opencl_products FLOOR device LIBRARIES convoy_device LABELS engine)

find_package(OpenCL 1.2 REQUIRED)

# What comes between a test and the OpenCL loader; an object library, so that all of it is linked.
add_library(opencl_layer OBJECT opencl_layer.cpp)
target_link_libraries(opencl_layer PUBLIC convoy_options OpenCL::OpenCL ${CMAKE_DL_LIBS})
convoy_test(opencl_faults FLOOR device LIBRARIES opencl_layer convoy_device LABELS engine TIMEOUT 900)
target_compile_definitions(device_opencl_faults_test PRIVATE CONVOY_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
convoy_test(opencl_fft_conv FLOOR device LIBRARIES opencl_layer convoy_device LABELS engine)
convoy_test(opencl_program_cache FLOOR device LIBRARIES convoy_device LABELS engine)
convoy_test(opencl_programs FLOOR device LIBRARIES opencl_layer convoy_device LABELS engine)
convoy_test(opencl_sub_device FLOOR device LIBRARIES opencl_layer convoy_device LABELS engine)
