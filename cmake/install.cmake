# The checkers as a library for other projects: cmake --install build/release --prefix DIR, then
# find_package(Consistory) and Consistory::checkers, Consistory::transactions or Consistory::imports.
# examples/library uses it from outside; docs/LIBRARY.md describes it.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Consistory)

install(TARGETS consistory_options base history oracle checkers transactions imports exports streaming
  EXPORT ConsistoryTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT ConsistoryTargets NAMESPACE Consistory:: DESTINATION ${config_dir})
install(DIRECTORY base checkers DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/consistory
  FILES_MATCHING PATTERN "*.h" PATTERN testing EXCLUDE PATTERN testdata EXCLUDE)

configure_package_config_file(cmake/ConsistoryConfig.cmake.in
  ${CMAKE_BINARY_DIR}/ConsistoryConfig.cmake INSTALL_DESTINATION ${config_dir})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/ConsistoryConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/ConsistoryConfig.cmake
  ${CMAKE_BINARY_DIR}/ConsistoryConfigVersion.cmake DESTINATION ${config_dir})
