#include "sinks/transport/certificate_bundle.h"

#include <unistd.h>

#include <array>

namespace drs {
namespace {

constexpr std::array kPlaces = {
    "/etc/ssl/certs/ca-certificates.crt",                 // Debian, Ubuntu, Alpine, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",                   // RHEL and its kin, Fedora
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // the same, without compatibility links
    "/etc/ssl/ca-bundle.pem",                             // SUSE
    "/etc/ssl/cert.pem",                                  // Alpine
};

}  // namespace

std::string find_certificate_bundle(const std::string& root) {
  for (const char* const place : kPlaces) {
    std::string path = root + place;
    if (::access(path.c_str(), R_OK) == 0) return path;
  }
  return "";
}

}  // namespace drs
