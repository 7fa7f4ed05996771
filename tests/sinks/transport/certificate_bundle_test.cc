#include "sinks/transport/certificate_bundle.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/io/temporary_directory.h"

namespace drs {
namespace {

class CertificateBundle : public ::testing::Test {
 protected:
  std::string place(const std::string& path) {
    const std::string file = directory_.path() + path;
    std::filesystem::create_directories(std::filesystem::path(file).parent_path());
    test::write_whole_file(file, {});
    return file;
  }
  test::TemporaryDirectory directory_;
};

TEST_F(CertificateBundle, IsEmptyOnAMachineWithoutOne) {
  EXPECT_EQ(find_certificate_bundle(directory_.path()), "");
}

TEST_F(CertificateBundle, IsFoundWhereEachDistributionKeepsIt) {
  for (const std::string path :
       {"/etc/ssl/cert.pem", "/etc/ssl/ca-bundle.pem", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt"}) {
    const std::string file = place(path);
    EXPECT_EQ(find_certificate_bundle(directory_.path()), file) << "the places before it come later in the order";
  }
}

// libssl of Debian creates /etc/ssl/certs; the bundle in it comes from ca-certificates.
TEST_F(CertificateBundle, PassesOverALinkThatLeadsNowhere) {
  const std::string file = place("/etc/pki/tls/certs/ca-bundle.crt");
  std::filesystem::create_directories(directory_.path() + "/etc/ssl/certs");
  std::filesystem::create_symlink("/no/such/file", directory_.path() + "/etc/ssl/certs/ca-certificates.crt");
  EXPECT_EQ(find_certificate_bundle(directory_.path()), file);
}

}  // namespace
}  // namespace drs
