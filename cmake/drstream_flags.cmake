# Compiler and linker flags of every target, in the interface library `drs_options`: language standard, warnings (errors
# unless CMake runs with --compile-no-warning-as-error), hardening, sanitizers.
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
  # With CCACHE_BASEDIR, paths below the source tree are relative, so presets share objects, also with precompiled
  # headers.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}
    CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE_PROGRAM})
endif()

add_library(drs_options INTERFACE)
target_include_directories(drs_options INTERFACE ${PROJECT_SOURCE_DIR})
target_link_libraries(drs_options INTERFACE Threads::Threads)

target_compile_options(drs_options INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Woverloaded-virtual -Wold-style-cast
  -Wformat=2 -Wvla
  # Makes file names in messages, assertions and debug information independent of where the tree is checked out and
  # built, so that ccache shares objects between presets with equal flags.
  -ffile-prefix-map=${PROJECT_SOURCE_DIR}=. -ffile-prefix-map=${PROJECT_BINARY_DIR}=build)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 wrongly reports an overlapping copy in `"text" + std::string` (GCC bug 105651).
  target_compile_options(drs_options INTERFACE -Wno-restrict)
endif()

# ccache needs these to share objects that use a precompiled header.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(drs_options INTERFACE -fpch-preprocess)
else()
  target_compile_options(drs_options INTERFACE -Xclang -fno-pch-timestamp)
endif()

# Hardening, supported by both GCC 12 and Clang 16. CMAKE_POSITION_INDEPENDENT_CODE adds -fPIE and -pie.
target_compile_options(drs_options INTERFACE
  -fstack-protector-strong -fstack-clash-protection -D_GLIBCXX_ASSERTIONS -Werror=format-security)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  target_compile_options(drs_options INTERFACE -fcf-protection=full)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  target_compile_options(drs_options INTERFACE -mbranch-protection=standard)
endif()
target_link_options(drs_options INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed)

if(DRSTREAM_SANITIZE)
  # No _FORTIFY_SOURCE, whose checked functions the sanitizers do not intercept, and no zeroed variables, which hide
  # faults.
  target_compile_options(drs_options INTERFACE -fsanitize=${DRSTREAM_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(drs_options INTERFACE -fsanitize=${DRSTREAM_SANITIZE})
  if(DRSTREAM_SANITIZE MATCHES "undefined")
    target_compile_options(drs_options INTERFACE -fno-sanitize-recover=all)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # With the sanitizers' checks, GCC's flow analysis warns about variables that are always initialized.
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
