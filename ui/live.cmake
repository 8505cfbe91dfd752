# The theme, the charts, the live page and the predict page.
find_package(Qt6 6.4 REQUIRED COMPONENTS Charts Svg)

set(live_dir ${CMAKE_CURRENT_LIST_DIR})
target_sources(convoy_ui PRIVATE
  ${live_dir}/theme/theme.cpp ${live_dir}/theme/theme.h
  ${live_dir}/charts/axis_style.cpp
  ${live_dir}/charts/bar_plot.cpp
  ${live_dir}/charts/chart.cpp ${live_dir}/charts/chart.h
  ${live_dir}/charts/chart_canvas.cpp ${live_dir}/charts/chart_canvas.h
  ${live_dir}/charts/chart_export.cpp
  ${live_dir}/charts/chart_legend.cpp ${live_dir}/charts/chart_legend.h
  ${live_dir}/charts/chart_spec.cpp
  ${live_dir}/charts/chart_table_model.cpp ${live_dir}/charts/chart_table_model.h
  ${live_dir}/charts/line_plot.cpp
  ${live_dir}/charts/line_plot_overlay.cpp
  ${live_dir}/charts/nice_range.cpp
  ${live_dir}/charts/save_charts.cpp
  ${live_dir}/charts/x_axis.cpp
  ${live_dir}/predict/predict_charts.cpp
  ${live_dir}/predict/predict_page.cpp ${live_dir}/predict/predict_page.h
  ${live_dir}/predict/prediction_data.cpp
  ${live_dir}/predict/prediction_tables.cpp ${live_dir}/predict/prediction_tables.h
  ${live_dir}/predict/table_card.cpp ${live_dir}/predict/table_card.h
  ${live_dir}/live/live_page.cpp ${live_dir}/live/live_page.h
  ${live_dir}/live/run_charts.cpp
  ${live_dir}/live/run_store.cpp ${live_dir}/live/run_store.h
  ${live_dir}/live/tile.cpp ${live_dir}/live/tile.h)
target_link_libraries(convoy_ui PRIVATE Qt6::Charts Qt6::Svg)
