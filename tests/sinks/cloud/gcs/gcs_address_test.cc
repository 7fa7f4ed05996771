#include "sinks/cloud/gcs/gcs_address.h"

#include <gtest/gtest.h>

namespace drs {
namespace {

GcsAddress address(std::string_view url, std::string_view endpoint = "") {
  return *GcsAddress::make(*parse_gcs_location(url), endpoint);
}

TEST(GcsAddress, NamesObjectsAsTheJsonApiDoes) {
  const GcsAddress made = address("gs://my-bucket/some/prefix");
  EXPECT_EQ(made.object_path("packs/3f/x"), "/storage/v1/b/my-bucket/o/some%2Fprefix%2Fpacks%2F3f%2Fx");
  EXPECT_EQ(made.download_path("a b"), "/download/storage/v1/b/my-bucket/o/some%2Fprefix%2Fa%20b");
  EXPECT_EQ(made.list_path(), "/storage/v1/b/my-bucket/o");
  EXPECT_EQ(made.upload_path(), "/upload/storage/v1/b/my-bucket/o");
  EXPECT_EQ(made.url(made.list_path(), "a=b"), "https://storage.googleapis.com/storage/v1/b/my-bucket/o?a=b");
  EXPECT_EQ(made.name_for_messages(), "gs://my-bucket/some/prefix");
  EXPECT_EQ(*made.own_key("some/prefix/packs/x"), "packs/x");
  EXPECT_FALSE(made.own_key("some/other/packs/x"));
}

TEST(GcsAddress, AnEndpointMayHaveAPath) {
  const GcsAddress made = address("gs://abc", "http://localhost:4443/gcs/");
  EXPECT_EQ(made.url(made.object_path("k"), ""), "http://localhost:4443/gcs/storage/v1/b/abc/o/k");
  EXPECT_FALSE(GcsAddress::make({"abc", ""}, "localhost:4443").ok());
}

TEST(GcsLocation, TakesTheNamesThatBucketsHave) {
  for (const std::string& name : {std::string("a_b-1"), std::string("abc"), std::string(63, 'a'),
                                  std::string("example.com"), std::string(63, 'a') + "." + std::string(63, 'b')})
    EXPECT_TRUE(parse_gcs_location("gs://" + name).ok()) << name;
  for (const std::string& name :
       {std::string("ab"), std::string("Abc"), std::string("-abc"), std::string("abc_"), std::string("a..b"),
        std::string("192.168.5.4"), std::string(64, 'a'), std::string("a b")}) {
    const auto parsed = parse_gcs_location("gs://" + name);
    ASSERT_FALSE(parsed.ok()) << name;
    EXPECT_EQ(parsed.error().code, ErrorCode::kUsage);
    EXPECT_NE(parsed.error().message.find("gs://bucket or gs://bucket/prefix"), std::string::npos);
  }
}

}  // namespace
}  // namespace drs
