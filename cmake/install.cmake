# What `cmake --install` puts where; and the target `programs`, all that a user starts.
include(GNUInstallDirs)

add_custom_target(programs)
foreach(program IN ITEMS convoy convoy-workbench)
  if(TARGET ${program})
    add_dependencies(programs ${program})
    install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endforeach()

set(CONVOY_DATADIR ${CMAKE_INSTALL_DATADIR}/convoy)
install(FILES resources/experiment.schema.json DESTINATION ${CONVOY_DATADIR})
install(DIRECTORY resources/experiments DESTINATION ${CONVOY_DATADIR} FILES_MATCHING PATTERN *.json)
install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

if(TARGET convoy-workbench)
  install(FILES resources/org.convoy.Convoy.desktop
          DESTINATION ${CMAKE_INSTALL_DATADIR}/applications)
  install(FILES resources/org.convoy.Convoy.metainfo.xml
          DESTINATION ${CMAKE_INSTALL_DATADIR}/metainfo)
  install(FILES resources/icons/org.convoy.Convoy.svg
          DESTINATION ${CMAKE_INSTALL_DATADIR}/icons/hicolor/scalable/apps)
  foreach(size IN ITEMS 128 256)
    install(FILES resources/icons/${size}x${size}/org.convoy.Convoy.png
            DESTINATION ${CMAKE_INSTALL_DATADIR}/icons/hicolor/${size}x${size}/apps)
  endforeach()
endif()
