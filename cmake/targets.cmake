# consistory_library(NAME SOURCES… [LINK …]): a static library of one folder.
# consistory_test(NAME SOURCES… LINK …): a GoogleTest binary, registered with the label "unit".
include(GoogleTest)

function(consistory_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  set_target_properties(${name} PROPERTIES OUTPUT_NAME consistory-${name})
  target_link_libraries(${name} PUBLIC consistory_options ${ARG_LINK})
endfunction()

function(consistory_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE consistory_options ${ARG_LINK} GTest::gtest GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE CONSISTORY_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  gtest_discover_tests(${name} PROPERTIES LABELS unit TIMEOUT 300 DISCOVERY_TIMEOUT 60)
endfunction()
