# One way to declare each kind of target, so that flags, warnings and layering are the same everywhere.
#
#   drs_layer(NAME SOURCES a.cc ... [DEPENDS drs_io ...] [LIBRARIES PkgConfig::X ...])   a static library, one per layer
#   drs_test(NAME SOURCES a_test.cc ... LIBRARIES drs_x ...)     a GoogleTest program, registered with CTest as one test
#   drs_fuzzer(NAME SOURCES x_fuzz.cc LIBRARIES drs_x ...)       a libFuzzer target; elsewhere its corpus replays as a test
include(GNUInstallDirs)
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_library(drs_options INTERFACE)
target_include_directories(drs_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(drs_options INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Wold-style-cast -Werror
  -fstack-protector-strong -fstack-clash-protection -D_GLIBCXX_ASSERTIONS -Werror=format-security)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  target_compile_options(drs_options INTERFACE -fcf-protection=full)
endif()
if(CMAKE_BUILD_TYPE MATCHES "Release|RelWithDebInfo" AND NOT DRSTREAM_SANITIZE)
  target_compile_options(drs_options INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
endif()
target_link_options(drs_options INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed)
if(DRSTREAM_SANITIZE)
  target_compile_options(drs_options INTERFACE -fsanitize=${DRSTREAM_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(drs_options INTERFACE -fsanitize=${DRSTREAM_SANITIZE})
  if(DRSTREAM_SANITIZE MATCHES "undefined")
    target_compile_options(drs_options INTERFACE -fno-sanitize-recover=all)
  endif()
endif()
if(DRSTREAM_FUZZERS)
  target_compile_options(drs_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
target_link_libraries(drs_options INTERFACE Threads::Threads)

function(drs_layer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;LIBRARIES" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC drs_options ${ARG_DEPENDS} PRIVATE ${ARG_LIBRARIES})
endfunction()

function(drs_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES} drs_options GTest::gmock GTest::gtest GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT 600)
endfunction()

function(drs_fuzzer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  if(DRSTREAM_FUZZERS)
    add_executable(${name} ${ARG_SOURCES})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  else()
    add_executable(${name} ${ARG_SOURCES} ${PROJECT_SOURCE_DIR}/tests/fuzz/replay_main.cc)
    add_test(NAME ${name} COMMAND ${name} ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name})
  endif()
  target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES} drs_options)
endfunction()
