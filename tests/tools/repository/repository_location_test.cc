#include "tools/repository/repository_location.h"

#include <gtest/gtest.h>

namespace drs {
namespace {

using Kind = RepositoryLocation::Kind;

RepositoryLocation parsed(const std::string& text, const CloudOptions& cloud = {}) {
  GlobalOptions options;
  options.cloud = cloud;
  auto place = parse_repository_location(text, options);
  EXPECT_TRUE(place.ok()) << text;
  return place.ok() ? *std::move(place) : RepositoryLocation{};
}

TEST(RepositoryLocation, APathIsADirectoryWhateverItsName) {
  for (const std::string path : {"/var/backups/drs", "./odd://name", "a?b", "a?B=c", "./word:x", "C3PO/s3"}) {
    EXPECT_EQ(parsed(path).kind, Kind::kLocal);
    EXPECT_EQ(parsed(path).name, path);
  }
  EXPECT_EQ(parsed("file:///var/x?key-file=/k").name, "/var/x");
  EXPECT_EQ(parsed("file:///var/x?key-file=/k").key.key_file, "/k");
}

TEST(RepositoryLocation, ItsOwnSettingsComeBeforeTheOptions) {
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

TEST(RepositoryLocation, ABucketOfGoogleHasSettingsOfItsOwn) {
  const auto place = parsed("gs://bucket/prefix?credentials-file=/etc/offsite.json&endpoint-url=https://gcs");
  EXPECT_EQ(place.kind, Kind::kGcs);
  EXPECT_EQ(place.name, "gs://bucket/prefix");
  EXPECT_EQ(place.cloud.credentials_file, "/etc/offsite.json");
  EXPECT_EQ(place.cloud.endpoint_url, "https://gcs");
}

TEST(RepositoryLocation, SaysWhatItDoesNotTake) {
  for (const std::string text :
       {"", "@unknown", "ftp://host/x", "file://", "s3://bucket?colour=red", "s3://bucket?region",
        "s3://bucket?region=", "s3://bucket?region=%2", "file:///x?region=a", "gs://bucket?region=a",
        "s3://bucket?credentials-file=/x", "a?b=c", "/x?key=abcd", "sftp:user@host:drs", "host:drs"}) {
    const auto place = parse_repository_location(text, GlobalOptions());
    ASSERT_FALSE(place.ok()) << text;
    EXPECT_EQ(place.error().code, ErrorCode::kUsage);
  }
}

TEST(RepositoryLocation, CredentialsInAUrlAreRefusedAndNotShown) {
  const auto place = parse_repository_location("s3://AKIA:hidden/x@bucket/prefix", {});
  ASSERT_FALSE(place.ok());
  EXPECT_EQ(place.error().code, ErrorCode::kUsage);
  EXPECT_NE(place.error().message.find("'s3://[credentials]@bucket/prefix'"), std::string::npos);
  EXPECT_EQ(place.error().message.find("hidden"), std::string::npos);
}

TEST(RepositoryLocation, IsRememberedAsItWasGiven) {
  GlobalOptions options;
  options.repositories["near"] = {"/var/near", "", {}, {}, {}};
  for (const std::string text : {"@near", "/a?key-file=/k", "s3://bucket/p?region=x"}) {
    const auto place = parse_repository_location(text, options);
    ASSERT_TRUE(place.ok()) << text;
    EXPECT_EQ(place->given, text);
  }
}

TEST(RepositoryLocation, ALimitOnTheCommandLineNeedsABucketAmongThePlaces) {
  GlobalOptions options;
  options.repository = "/a";
  EXPECT_TRUE(repository_location(options).ok());
  options.typed = {"limit-upload"};
  EXPECT_FALSE(repository_location(options).ok());
  const std::vector<std::string> directory = {"/b"};
  EXPECT_FALSE(repository_location(options, directory).ok());
  const std::vector<std::string> bucket = {"/b", "s3://bucket"};
  EXPECT_TRUE(repository_location(options, bucket).ok());
  options.repository = "s3://bucket";
  EXPECT_TRUE(repository_location(options).ok());
}

}  // namespace
}  // namespace drs
