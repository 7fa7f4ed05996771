#include "tools/repository_place.h"

#include <gtest/gtest.h>

namespace drs {
namespace {

using Kind = RepositoryPlace::Kind;

RepositoryPlace parsed(const std::string& text, const CloudOptions& cloud = {}) {
  GlobalOptions options;
  options.cloud = cloud;
  auto place = parse_repository_place(text, options);
  EXPECT_TRUE(place.ok()) << text;
  return place.ok() ? *std::move(place) : RepositoryPlace{};
}

TEST(RepositoryPlace, APathIsADirectoryWhateverItsName) {
  for (const std::string path : {"/var/backups/drs", "./odd://name", "a?b=c", "C3PO/s3"}) {
    EXPECT_EQ(parsed(path).kind, Kind::kLocal);
    EXPECT_EQ(parsed(path).name, path);
  }
  EXPECT_EQ(parsed("file:///var/x?key-file=/k").name, "/var/x");
  EXPECT_EQ(parsed("file:///var/x?key-file=/k").key.key_file, "/k");
}

TEST(RepositoryPlace, ItsOwnSettingsComeBeforeTheOptions) {
  CloudOptions options;
  options.region = "us-east-1";
  options.endpoint_url = "https://one";
  const auto plain = parsed("s3://bucket/prefix", options);
  EXPECT_EQ(plain.kind, Kind::kS3);
  EXPECT_EQ(plain.cloud.endpoint_url, "https://one");
  const auto own = parsed(
      "s3://bucket/prefix?endpoint-url=https://two:9000&profile=off%26site&passphrase-file=/p&ca-file=/ca", options);
  EXPECT_EQ(own.name, "s3://bucket/prefix");
  EXPECT_EQ(own.cloud.endpoint_url, "https://two:9000");
  EXPECT_EQ(own.cloud.region, "us-east-1");
  EXPECT_EQ(own.cloud.profile, "off&site");
  EXPECT_EQ(own.cloud.ca_file, "/ca");
  EXPECT_EQ(own.key.passphrase_file, "/p");
}

TEST(RepositoryPlace, ABucketOfGoogleHasSettingsOfItsOwn) {
  const auto place = parsed("gs://bucket/prefix?credentials-file=/etc/offsite.json&endpoint-url=https://gcs");
  EXPECT_EQ(place.kind, Kind::kGcs);
  EXPECT_EQ(place.name, "gs://bucket/prefix");
  EXPECT_EQ(place.cloud.credentials_file, "/etc/offsite.json");
  EXPECT_EQ(place.cloud.endpoint_url, "https://gcs");
}

TEST(RepositoryPlace, SaysWhatItDoesNotTake) {
  for (const std::string text : {"", "@unknown", "ftp://host/x", "file://", "s3://bucket?colour=red",
                                 "s3://bucket?region", "s3://bucket?region=", "s3://bucket?region=%2",
                                 "file:///x?region=a", "gs://bucket?region=a", "s3://bucket?credentials-file=/x"}) {
    const auto place = parse_repository_place(text, GlobalOptions());
    ASSERT_FALSE(place.ok()) << text;
    EXPECT_EQ(place.error().code, ErrorCode::kUsage);
  }
}

}  // namespace
}  // namespace drs
