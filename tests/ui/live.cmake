# Tests of ui/theme, ui/charts and ui/live.
find_package(Qt6 6.4 REQUIRED COMPONENTS Widgets Svg)

convoy_test(theme FLOOR ui LIBRARIES convoy_ui LABELS ui)
convoy_test(run_store FLOOR ui LIBRARIES convoy_ui LABELS ui)
convoy_test(chart FLOOR ui LIBRARIES convoy_ui LABELS ui)
convoy_test(chart_axis FLOOR ui LIBRARIES convoy_ui LABELS ui)
convoy_test(chart_export FLOOR ui LIBRARIES convoy_ui Qt6::Svg LABELS ui)
convoy_test(chart_points FLOOR ui LIBRARIES convoy_ui LABELS ui)
convoy_test(little_room FLOOR ui LIBRARIES convoy_ui LABELS ui)
convoy_test(live_page FLOOR ui LIBRARIES convoy_ui LABELS ui)
