# The target `header_check` checks that every header compiles when included alone: one generated source file per header,
# with all warnings. CONFIGURE_DEPENDS makes Ninja look for new headers at each build.
set(DRS_HEADER_FOLDERS io codecs sinks engine verify tools bench tests)

function(drs_header_check)
  foreach(folder IN LISTS DRS_HEADER_FOLDERS)
    list(APPEND globs ${PROJECT_SOURCE_DIR}/${folder}/*.h)
  endforeach()
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} ${globs})
  if(NOT DRSTREAM_IPSEC_MB)
    list(FILTER headers EXCLUDE REGEX "ipsec_mb")
  endif()
  foreach(header IN LISTS headers)
    set(source ${CMAKE_CURRENT_BINARY_DIR}/header_check/${header}.cc)
    file(CONFIGURE OUTPUT ${source} CONTENT "#include \"${header}\"\n")
    list(APPEND sources ${source})
  endforeach()
  add_library(header_check OBJECT ${sources})
  target_link_libraries(header_check PRIVATE drs_options)
  # Only compilation matters here, so skip optimization and debug information.
  target_compile_options(header_check PRIVATE -O0 -g0 -U_FORTIFY_SOURCE)
endfunction()
