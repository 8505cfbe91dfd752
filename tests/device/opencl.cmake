convoy_test(opencl_conv FLOOR device LIBRARIES convoy_device LABELS engine)
convoy_test(opencl_device FLOOR device LIBRARIES convoy_device LABELS engine)
convoy_test(opencl_plan FLOOR device LIBRARIES convoy_device LABELS engine)
convoy_test(opencl_products FLOOR device LIBRARIES convoy_device LABELS engine)
