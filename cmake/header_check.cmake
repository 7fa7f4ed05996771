# The target `header_check` checks that every header compiles when included alone: one generated source file per header,
# with all warnings. A header that its own source file includes first is checked by that file's compilation and gets
# none (in tools and tests it may rely on what the precompiled headers include). CONFIGURE_DEPENDS makes Ninja look for
# new headers at each build.
set(DRS_HEADER_FOLDERS io codecs sinks engine verify tools bench tests)

# Sets `variable` to whether the source file beside `header` includes it before anything else.
function(drs_is_included_first header variable)
  string(REGEX REPLACE "\\.h$" ".cc" source ${PROJECT_SOURCE_DIR}/${header})
  set(${variable} FALSE PARENT_SCOPE)
  if(EXISTS ${source})
    file(STRINGS ${source} includes REGEX "^#include" LIMIT_COUNT 1)
    if(includes STREQUAL "#include \"${header}\"")
      set(${variable} TRUE PARENT_SCOPE)
    endif()
  endif()
endfunction()

function(drs_header_check)
  foreach(folder IN LISTS DRS_HEADER_FOLDERS)
    list(APPEND globs ${PROJECT_SOURCE_DIR}/${folder}/*.h)
  endforeach()
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} ${globs})
  if(NOT DRSTREAM_IPSEC_MB)
    list(FILTER headers EXCLUDE REGEX "ipsec_mb")
  endif()
  foreach(header IN LISTS headers)
    drs_is_included_first(${header} included_first)
    if(included_first)
      continue()
    endif()
    set(source ${CMAKE_CURRENT_BINARY_DIR}/header_check/${header}.cc)
    file(CONFIGURE OUTPUT ${source} CONTENT "#include \"${header}\"\n")
    list(APPEND sources ${source})
  endforeach()
  add_library(header_check OBJECT ${sources})
  target_link_libraries(header_check PRIVATE drs_options)
  # Only compilation matters here, so skip optimization and debug information.
  target_compile_options(header_check PRIVATE -O0 -g0 -U_FORTIFY_SOURCE)
endfunction()
