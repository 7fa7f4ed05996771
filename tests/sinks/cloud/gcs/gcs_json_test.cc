#include "sinks/cloud/gcs/gcs_json.h"

#include <gtest/gtest.h>

namespace drs {
namespace {

TEST(GcsJson, ReadsAPageOfAListAndWhereItGoesOn) {
  const auto page = parse_gcs_list(as_bytes(
      R"({"nextPageToken":"CgVhL2I=","items":[{"name":"p/a","size":"18446744073709551615","timeCreated":"2026-11-20T00:00:00.5Z"},{"name":"p/b","size":"0"}]})"));
  ASSERT_TRUE(page.ok()) << page.error().message;
  EXPECT_EQ(page->next_page_token, "CgVhL2I=");
  ASSERT_EQ(page->objects.size(), 2U);
  EXPECT_EQ(page->objects[0].name, "p/a");
  EXPECT_EQ(page->objects[0].size_bytes, 18'446'744'073'709'551'615U);
  EXPECT_EQ(page->objects[0].created_ns % 1'000'000'000, 500'000'000);
  EXPECT_EQ(page->objects[1].size_bytes, 0U);
  EXPECT_EQ(page->objects[1].created_ns, 0);
}

TEST(GcsJson, AnEmptyListHasNoItems) {
  const auto page = parse_gcs_list(as_bytes(R"({"kind":"storage#objects"})"));
  ASSERT_TRUE(page.ok());
  EXPECT_TRUE(page->objects.empty());
  EXPECT_TRUE(page->next_page_token.empty());
}

TEST(GcsJson, WhatIsNoListIsNoEmptyList) {
  for (const char* text : {"", "[]", "null", "<html></html>", R"({"items":{}})", R"({"items":[{}]})",
                           R"({"items":[1]})", R"({"items":[{"name":"a"}]})", R"({"items":[{"name":"a","size":"1x"}]})",
                           R"({"items":[{"name":"a","size":1}]})", R"({"items":[{"name":"a","size":"-1"}]})",
                           R"({"items":[{"name":"a","size":"18446744073709551616"}]})", R"({"nextPageToken":7})",
                           R"({"error":{"code":500}})", R"({"items":[{"name":"a","size":"1"}])"}) {
    const auto page = parse_gcs_list(as_bytes(text));
    ASSERT_FALSE(page.ok()) << text;
    EXPECT_EQ(page.error().code, ErrorCode::kUnavailable);
  }
}

TEST(GcsJson, ReadsTheErrorsOfTheApiAndOfWhatStandsBefore) {
  const GcsError error = parse_gcs_error(as_bytes(
      R"({"error":{"code":403,"message":"no \u001b[31maccess","errors":[{"domain":"global","reason":"forbidden"}]}})"));
  EXPECT_TRUE(error.of_the_api);
  EXPECT_EQ(error.reason, "forbidden");
  EXPECT_EQ(error.message, "no ?[31maccess");
  EXPECT_EQ(parse_gcs_error(as_bytes(R"({"error":{"status":"RESOURCE_EXHAUSTED"}})")).reason, "RESOURCE_EXHAUSTED");
  const GcsError plain = parse_gcs_error(as_bytes("No such object: b/o\n"));
  EXPECT_FALSE(plain.of_the_api);
  EXPECT_EQ(plain.message, "No such object: b/o");
  EXPECT_EQ(parse_gcs_error(as_bytes("<html>502</html>")).message, "");
  EXPECT_EQ(parse_gcs_error({}).message, "");
}

TEST(GcsJson, WritesAChecksumAsTheApiDoes) {
  // https://cloud.google.com/storage/docs/hashes-etags shows it for "Hello" and the like; here: RFC 3720's 32 zeros.
  EXPECT_EQ(gcs_crc32c_text(0x8A9136AA), "ipE2qg==");
  EXPECT_EQ(gcs_crc32c_text(0), "AAAAAA==");
}

}  // namespace
}  // namespace drs
