# Compiler and linker flags of every target, carried by the interface library `drs_options`: language standard, warnings
# (errors unless CMake runs with --compile-no-warning-as-error), hardening, sanitizers.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT DEFINED CMAKE_COMPILE_WARNING_AS_ERROR)
  set(CMAKE_COMPILE_WARNING_AS_ERROR ON)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  # Presets share objects, those with precompiled headers too: paths below the source tree count as relative ones.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}
    CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE_PROGRAM})
endif()

add_library(drs_options INTERFACE)
target_include_directories(drs_options INTERFACE ${PROJECT_SOURCE_DIR})
target_link_libraries(drs_options INTERFACE Threads::Threads)

target_compile_options(drs_options INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Woverloaded-virtual -Wold-style-cast
  -Wformat=2 -Wvla
  # One name for a file in messages, assertions and debug information, wherever the tree is checked out and built;
  # ccache then shares objects between presets whose flags agree.
  -ffile-prefix-map=${PROJECT_SOURCE_DIR}=. -ffile-prefix-map=${PROJECT_BINARY_DIR}=build)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 sees an overlapping copy in `"text" + std::string` (GCC bug 105651).
  target_compile_options(drs_options INTERFACE -Wno-restrict)
endif()

# Hardening. Both GCC 12 and Clang 16 know all of it; -fPIE and -pie come with CMAKE_POSITION_INDEPENDENT_CODE.
target_compile_options(drs_options INTERFACE
  -fstack-protector-strong -fstack-clash-protection -D_GLIBCXX_ASSERTIONS -Werror=format-security)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  target_compile_options(drs_options INTERFACE -fcf-protection=full)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  target_compile_options(drs_options INTERFACE -mbranch-protection=standard)
endif()
target_link_options(drs_options INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed)

if(DRSTREAM_SANITIZE)
  # Neither fortify (its checked functions are invisible to the sanitizers) nor zeroed variables (they hide faults).
  target_compile_options(drs_options INTERFACE -fsanitize=${DRSTREAM_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(drs_options INTERFACE -fsanitize=${DRSTREAM_SANITIZE})
  if(DRSTREAM_SANITIZE MATCHES "undefined")
    target_compile_options(drs_options INTERFACE -fno-sanitize-recover=all)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # The checks that the sanitizers insert make GCC's flow analysis warn about variables that are always set.
    target_compile_options(drs_options INTERFACE -Wno-maybe-uninitialized)
  endif()
else()
  target_compile_options(drs_options INTERFACE -ftrivial-auto-var-init=zero)
  if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")  # _FORTIFY_SOURCE needs the optimizer
    target_compile_options(drs_options INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
  endif()
endif()
if(DRSTREAM_FUZZERS)
  target_compile_options(drs_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
