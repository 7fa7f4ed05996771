# Files that `cmake --install` installs: the command and the documents. tools/CMakeLists.txt installs the manual pages
# and shell completions, which the command generates, and packaging/ the units of systemd. `scripts/package deb` builds a
# Debian package of all files.
if(TARGET drstream)
  install(TARGETS drstream RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

file(GLOB documents CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/CHANGELOG.md
  ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/docs/*.md
  ${PROJECT_SOURCE_DIR}/docs/config.example.toml)
install(FILES ${documents} ${PROJECT_SOURCE_DIR}/packaging/debian/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/schemas ${PROJECT_SOURCE_DIR}/docs/monitoring
                  ${PROJECT_SOURCE_DIR}/docs/kubernetes
        DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME drstream)
set(CPACK_PACKAGE_CONTACT "drstream maintainers <drstream@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "streaming backup with deduplication, encryption and verification")
set(CPACK_PACKAGE_DESCRIPTION
"drstream takes a stream (a database dump, a command's output, a file) and in
one pass deduplicates, compresses, encrypts and stores it in a directory or an
object store, in bounded memory. It restores the stream again, and verifies
that it can.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${PROJECT_SOURCE_DIR}/packaging/debian/postinst
  ${PROJECT_SOURCE_DIR}/packaging/debian/prerm ${PROJECT_SOURCE_DIR}/packaging/debian/postrm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
