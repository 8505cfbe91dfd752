# The OpenCL devices: adds their sources, kernels and libraries to convoy_device.
include(EmbedText)
find_package(OpenCL 1.2 REQUIRED)
find_package(CLBlast REQUIRED)

target_sources(convoy_device PRIVATE
  opencl_choice.cpp opencl_clblast.cpp opencl_conv.cpp opencl_conv_check.cpp opencl_device.cpp
  opencl_events.cpp opencl_fft_check.cpp opencl_fft_conv.cpp opencl_fft_plan.cpp
  opencl_fft_transform.cpp opencl_gemm.cpp opencl_handles.cpp opencl_im2col_check.cpp
  opencl_im2col_conv.cpp opencl_mixed_conv.cpp opencl_plan.cpp
  opencl_pooling.cpp opencl_pooling_check.cpp opencl_products.cpp opencl_program_cache.cpp
  opencl_programs.cpp opencl_running_pass.cpp opencl_runtime.cpp opencl_sources.cpp
  opencl_staging.cpp opencl_sub_device.cpp opencl_transfer.cpp)
convoy_embed_text(convoy_device FUNCTION opencl_sources HEADER engine/device/opencl_sources.h
  FILES ${PROJECT_SOURCE_DIR}/kernels/fft_transform.cl
        ${PROJECT_SOURCE_DIR}/kernels/gemm_tiled.cl
        ${PROJECT_SOURCE_DIR}/kernels/gemm_vector.cl
        ${PROJECT_SOURCE_DIR}/kernels/im2col.cl
        ${PROJECT_SOURCE_DIR}/kernels/pooling.cl)
target_link_libraries(convoy_device PUBLIC OpenCL::OpenCL PRIVATE clblast)
