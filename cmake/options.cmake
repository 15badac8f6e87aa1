# Compiler settings shared by every target of the project.
option(CONSISTORY_WERROR "Treat warnings as errors" OFF)
option(CONSISTORY_FUZZ "Build the libFuzzer targets" OFF)
set(CONSISTORY_SANITIZE "" CACHE STRING "Sanitizers, as for -fsanitize=")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(consistory_options INTERFACE)
target_compile_features(consistory_options INTERFACE cxx_std_20)
target_include_directories(consistory_options INTERFACE
  $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}> $<INSTALL_INTERFACE:include/consistory>)
target_compile_options(consistory_options INTERFACE
  # GCC 12 reports -Wrestrict falsely inside std::string (GCC bug 105651).
  $<BUILD_INTERFACE:-Wno-restrict;-Wall;-Wextra;-Wpedantic;-Wconversion;-Wshadow>
  $<BUILD_INTERFACE:-Wnon-virtual-dtor;-Woverloaded-virtual>
  $<BUILD_INTERFACE:$<$<BOOL:${CONSISTORY_WERROR}>:-Werror>>)
if(CONSISTORY_SANITIZE)
  target_compile_options(consistory_options INTERFACE -fsanitize=${CONSISTORY_SANITIZE}
    -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(consistory_options INTERFACE -fsanitize=${CONSISTORY_SANITIZE})
  if(CONSISTORY_SANITIZE MATCHES thread)
    # Asio's fences are beside atomics that TSan does see; GCC cannot instrument them and warns.
    target_compile_options(consistory_options INTERFACE -Wno-tsan)
  endif()
endif()
