# Functions that declare each kind of target, so that flags, warnings and layering are the same everywhere.
#
#   drs_layer(NAME SOURCES a.cc ... [APART a.cc ...] [DEPENDS drs_io ...] [LIBRARIES PkgConfig::X ...])
#                                                                a static library, one per layer
#   drs_test(NAME SOURCES a_test.cc ... LIBRARIES drs_x ...)     a GoogleTest program, registered with CTest as one test
#   drs_fuzzer(NAME SOURCES x_fuzz.cc LIBRARIES drs_x ...)       a libFuzzer target; otherwise a test of its corpus
#
# The label of a test is its folder under tests/ (io, codecs, engine/format, fuzz ...), so `ctest -L engine` selects a
# layer. The target `unit_tests` builds only the test programs, `unit_tests_engine_format` those with the label
# engine/format; `fuzzers` builds all fuzzers.
include(GNUInstallDirs)
include(CheckPIESupported)
include(drstream_flags)
check_pie_supported(LANGUAGES CXX)

if(DRSTREAM_TESTS)
  add_custom_target(unit_tests)
  add_custom_target(fuzzers)
endif()

# Under a sanitizer five files are compiled at a time, which halves what it costs. `APART`: sources that are compiled
# alone, because their helpers have names that those of others have, too.
function(drs_layer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;APART;DEPENDS;LIBRARIES" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES} ${ARG_APART})
  set_source_files_properties(${ARG_APART} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  if(DRSTREAM_SANITIZE)
    set_target_properties(${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 5)
  endif()
  target_link_libraries(${name} PUBLIC drs_options ${ARG_DEPENDS} PRIVATE ${ARG_LIBRARIES})
endfunction()

# The label of the tests declared in the current folder.
function(drs_test_label variable)
  file(RELATIVE_PATH label ${PROJECT_SOURCE_DIR}/tests ${CMAKE_CURRENT_SOURCE_DIR})
  set(${variable} ${label} PARENT_SCOPE)
endfunction()

# Registers a test program: what `unit_tests` and the target of its label build, and its label.
function(drs_register_test name timeout_seconds)
  drs_test_label(label)
  string(REPLACE / _ group "unit_tests_${label}")
  if(NOT TARGET ${group})
    add_custom_target(${group})
    add_dependencies(unit_tests ${group})
  endif()
  add_dependencies(${group} ${name})
  add_test(NAME ${name} COMMAND ${name} ${ARGN})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${timeout_seconds} LABELS "${label}")
endfunction()

function(drs_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES} drs_options drs_test_assertions GTest::gmock GTest::gtest
    GTest::gtest_main)
  target_link_options(${name} PRIVATE LINKER:--wrap=_ZN3drs13assert_failedEPKcS1_St15source_location)
  target_precompile_headers(${name} REUSE_FROM drs_test_assertions)
  target_compile_options(${name} PRIVATE ${DRS_TEST_OPTIONS})
  drs_register_test(${name} 600)
endfunction()

function(drs_fuzzer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  if(DRSTREAM_FUZZERS)
    add_executable(${name} ${ARG_SOURCES})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    add_dependencies(fuzzers ${name})
  else()
    add_executable(${name} ${ARG_SOURCES} ${PROJECT_SOURCE_DIR}/tests/fuzz/replay_main.cc)
    drs_register_test(${name} 120 ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name})
  endif()
  target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES} drs_options)
endfunction()
