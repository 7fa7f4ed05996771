# `header_check`: every header compiles when it is included alone. One generated source file per header, all warnings on.
# A new header is picked up when its folder is next configured; CONFIGURE_DEPENDS makes Ninja look at each build.
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
  # Only whether they compile is asked.
  target_compile_options(header_check PRIVATE -O0 -g0 -U_FORTIFY_SOURCE)
endfunction()
