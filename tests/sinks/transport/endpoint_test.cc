#include "sinks/transport/endpoint.h"

#include <gtest/gtest.h>

namespace drs {
namespace {

Endpoint parsed(std::string_view url) {
  Result<Endpoint> endpoint = parse_endpoint(url, "it");
  EXPECT_TRUE(endpoint.ok()) << url;
  return endpoint.ok() ? *std::move(endpoint) : Endpoint{};
}

TEST(Endpoint, TakesAUrlApart) {
  const Endpoint endpoint = parsed("https://Minio.Example:9000/s3/");
  EXPECT_TRUE(endpoint.https);
  EXPECT_EQ(endpoint.host, "minio.example");
  EXPECT_EQ(endpoint.authority, "minio.example:9000");
  EXPECT_EQ(endpoint.path, "/s3");
  EXPECT_EQ(endpoint.url(), "https://minio.example:9000/s3");
}

TEST(Endpoint, ThePortOfTheSchemeIsNotInTheHostHeader) {
  EXPECT_EQ(parsed("https://host:443").authority, "host");
  EXPECT_EQ(parsed("http://host:80/").authority, "host");
  EXPECT_EQ(parsed("http://host:443").authority, "host:443");
  EXPECT_EQ(parsed("https://host:80").url(), "https://host:80");
}

TEST(Endpoint, TakesIpAddresses) {
  EXPECT_EQ(parsed("http://127.0.0.1:9000").host, "127.0.0.1");
  const Endpoint endpoint = parsed("http://[FD00:ec2::254]:81/x");
  EXPECT_EQ(endpoint.host, "[fd00:ec2::254]");
  EXPECT_EQ(endpoint.authority, "[fd00:ec2::254]:81");
}

TEST(Endpoint, RefusesWhatIsNoEndpointAndSaysWhatIsAccepted) {
  for (const char* url : {"",
                          "host",
                          "host:9000",
                          "ftp://host",
                          "https://",
                          "https:///path",
                          "https://user:password@host",
                          "https://host:",
                          "https://host:0",
                          "https://host:65536",
                          "https://host:9x",
                          "https://host?x=1",
                          "https://host/a?b",
                          "https://host/#a",
                          "https://host/a%20b",
                          "https://ho st",
                          "https://host/a b",
                          "https://[::1",
                          "https://[]",
                          "https://[g::1]",
                          "https://.host",
                          "HTTPS//host"}) {
    const Result<Endpoint> endpoint = parse_endpoint(url, "the setting");
    ASSERT_FALSE(endpoint.ok()) << url;
    EXPECT_EQ(endpoint.error().code, ErrorCode::kUsage);
    EXPECT_NE(endpoint.error().message.find("the setting"), std::string::npos);
    EXPECT_NE(endpoint.error().message.find("https://host[:port][/path]"), std::string::npos);
    EXPECT_EQ(endpoint.error().message.find("password"), std::string::npos);
  }
}

}  // namespace
}  // namespace drs
