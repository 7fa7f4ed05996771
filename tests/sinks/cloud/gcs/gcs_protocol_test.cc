// The whole store, against answers as Google documents them.
#include "sinks/cloud/gcs/gcs_protocol.h"

#include <gtest/gtest.h>

#include "codecs/crc32c.h"
#include "sinks/cloud/gcs/gcs_json.h"
#include "sinks/cloud/gcs/gcs_store.h"
#include "sinks/object_io.h"
#include "sinks/settled_put.h"
#include "tests/sinks/transport/fake_environment.h"
#include "tests/sinks/transport/scripted_http_server.h"

namespace drs {
namespace {

using test::expect_error;
using testing::answer;
using testing::cut_off;
using testing::ScriptedAnswer;

std::string error_body(const std::string& reason, const std::string& message) {
  return R"({"error":{"code":1,"message":")" + message + R"(","errors":[{"domain":"global","reason":")" + reason +
         R"("}]}})";
}

class GcsStoreTest : public ::testing::Test {
 protected:
  // A store whose server follows the script. Returns `tokens` one after the other, and repeats the last.
  void serve(std::vector<ScriptedAnswer> script, std::vector<std::string> tokens = {"one"},
             std::chrono::milliseconds budget = std::chrono::seconds(20)) {
    store_.reset();
    server_ = std::make_unique<testing::ScriptedHttpServer>(std::move(script));
    std::shared_ptr<GoogleTokenProvider> provider;
    if (!tokens.empty())
      provider = std::make_shared<GoogleTokenProvider>(
          [tokens, next = std::size_t{0}]() mutable -> Result<GoogleToken> {
            GoogleToken token;
            token.text = SecretBytes::copy_of(as_bytes(tokens[std::min(next++, tokens.size() - 1)]));
            token.origin = "a test";
            return token;
          },
          clock_);
    CloudStoreOptions options;
    options.requests.retry = {std::chrono::milliseconds(1), std::chrono::milliseconds(5), budget};
    auto store = open_gcs_store(*GcsAddress::make({"bucket", "p/"}, server_->url("")), provider, clock_, options);
    ASSERT_TRUE(store.ok());
    store_ = *std::move(store);
  }
  std::string stored(std::string_view body) const {
    return R"({"name":"p/k","size":")" + std::to_string(body.size()) + R"(","crc32c":")" +
           gcs_crc32c_text(crc32c(as_bytes(body))) + R"("})";
  }
  // Also the answer to the second put of the first object of a session.
  static ScriptedAnswer taken() { return answer(412, error_body("conditionNotMet", "x")); }
  Result<void> put(std::string_view body) { return put_object(*store_, "k", as_bytes(body)); }
  Result<void> settled(std::string_view body) { return put_settled(*store_, "k", as_bytes(body)); }
  Result<std::string> get(std::size_t bytes) {
    Bytes place(bytes);
    DRS_RETURN_IF_ERROR(get_range(*store_, "k", 0, place));
    return std::string(as_text(place));
  }
  static ScriptedAnswer ranged(const std::string& body, const std::string& crc) {
    const std::string end = std::to_string(body.size() - 1);
    return answer(206, body,
                  "Content-Range: bytes 0-" + end + "/" + std::to_string(body.size()) +
                      "\r\nX-Goog-Hash: crc32c=" + crc + ",md5=x\r\n");
  }
  [[nodiscard]] std::string head(std::size_t request) const { return server_->requests().at(request).head; }

  SystemClock clock_;
  std::unique_ptr<testing::ScriptedHttpServer> server_;
  std::unique_ptr<ObjectStore> store_;
};

TEST_F(GcsStoreTest, APutIsAMultipartUploadThatNeverReplaces) {
  serve({answer(200, stored("hello")), taken()});
  ASSERT_TRUE(put("hello").ok());
  const auto seen = server_->requests().at(0);
  EXPECT_TRUE(
      seen.head.starts_with("POST /upload/storage/v1/b/bucket/o?fields=name%2Csize%2Ccrc32c&ifGenerationMatch=0&"
                            "uploadType=multipart HTTP/1.1\r\n"))
      << seen.head;
  EXPECT_NE(seen.head.find("Authorization: Bearer one\r\n"), std::string::npos);
  const std::string type = "Content-Type: multipart/related; boundary=";
  const std::size_t at = seen.head.find(type);
  ASSERT_NE(at, std::string::npos) << seen.head;
  const std::string boundary = seen.head.substr(at + type.size(), 32);
  EXPECT_EQ(seen.body, "--" + boundary +
                           "\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n"
                           R"({"contentType":"application/octet-stream","crc32c":"mnG7TA==","name":"p/k"})"
                           "\r\n--" +
                           boundary + "\r\nContent-Type: application/octet-stream\r\n\r\nhello\r\n--" + boundary +
                           "--\r\n");
}

TEST_F(GcsStoreTest, ANameThatIsTakenIsNotReplaced) {
  serve({answer(412, error_body("conditionNotMet", "At least one of the pre-conditions you specified did not hold."))});
  expect_error(put("hello"), ErrorCode::kAlreadyExists, "conditionNotMet");
  EXPECT_EQ(server_->requests().size(), 1U);
  serve({answer(412, error_body("orgPolicyConstraintFailed", "no"))});
  expect_error(put("hello"), ErrorCode::kDenied, "policy of the organisation");
}

TEST_F(GcsStoreTest, ALostReplyIsSettledByReading) {
  serve({cut_off(), taken(), ranged("hello", "mnG7TA==")});
  EXPECT_TRUE(settled("hello").ok());
  EXPECT_TRUE(head(2).starts_with("GET /download/storage/v1/b/bucket/o/p%2Fk?alt=media HTTP/1.1")) << head(2);
  serve({answer(502, "<html>Bad Gateway</html>"), taken(), ranged("HELLO", "x")});
  expect_error(settled("hello"), ErrorCode::kCorrupt, "holds other bytes");
  serve({cut_off(), taken(), answer(416, "")});
  EXPECT_TRUE(settled("").ok());
}

TEST_F(GcsStoreTest, AReplyThatIsLostOnAConnectionThatWasUsedBeforeIsSettledToo) {
  // libcurl itself repeats a request if a kept connection closes without a byte.
  serve({answer(200, stored("hello")), taken(), cut_off(), answer(412, error_body("conditionNotMet", "x")),
         ranged("hello", "mnG7TA==")});
  ASSERT_TRUE(put("hello").ok());
  const auto again = settled("hello");
  EXPECT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(server_->requests().size(), 5U);
}

TEST_F(GcsStoreTest, WhatTheStoreSaysItHoldsIsCompared) {
  serve({answer(200, stored("other")), taken(), ranged("other", "x")});
  expect_error(settled("hello"), ErrorCode::kCorrupt, "holds other bytes");
  // A page of a proxy is not an answer of the store.
  serve({answer(200, "<html>Sign in</html>"), answer(200, stored("hello")), taken()});
  EXPECT_TRUE(put("hello").ok());
  serve({answer(400, error_body("invalid", "Provided CRC32C \\\"x\\\" doesn't match calculated CRC32C")),
         answer(200, stored("hello")), taken()});
  EXPECT_TRUE(put("hello").ok());
}

TEST_F(GcsStoreTest, AWholeObjectIsComparedWithItsChecksumAndReadAgainOnce) {
  serve({ranged("hellp", "mnG7TA=="), ranged("hello", "mnG7TA==")});
  EXPECT_EQ(*get(5), "hello");
  EXPECT_NE(head(0).find("Range: bytes=0-4\r\n"), std::string::npos);
  // The object is stored damaged: its reader reports that.
  serve({ranged("hellp", "mnG7TA==")});
  EXPECT_EQ(*get(5), "hellp");
  EXPECT_EQ(server_->requests().size(), 2U);
  // A part has no checksum.
  serve({answer(206, "hellp", "Content-Range: bytes 0-4/9\r\nX-Goog-Hash: crc32c=mnG7TA==\r\n")});
  EXPECT_EQ(*get(5), "hellp");
  EXPECT_EQ(server_->requests().size(), 1U);
}

TEST_F(GcsStoreTest, BeyondTheEndThereIsNothing) {
  serve({answer(416, error_body("requestedRangeNotSatisfiable", "x"))});
  expect_error(get(1), ErrorCode::kTruncated, "");
  EXPECT_EQ(server_->requests().size(), 1U);
}

TEST_F(GcsStoreTest, ListsPageByPage) {
  serve(
      {answer(200, R"({"nextPageToken":"a/b=","items":[{"name":"p/x/1","size":"7"},{"name":"p/Not a key","size":"1"},)"
                   R"({"name":"q/x/2","size":"1"}]})"),
       answer(200, R"({"nextPageToken":"c"})"), answer(503, ""),
       answer(200, R"({"items":[{"name":"p/x/3","size":"9","storageClass":"COLDLINE"}]})")});
  std::vector<std::string> keys;
  const auto listed = store_->list("x/", [&](const ObjectInfo& object) -> Result<void> {
    keys.push_back(object.key + " " + std::to_string(object.size_bytes) + " " + std::to_string(object.billed_days));
    return {};
  });
  ASSERT_TRUE(listed.ok()) << listed.error().message;
  EXPECT_EQ(keys, (std::vector<std::string>{"x/1 7 0", "x/3 9 90"}));
  EXPECT_TRUE(head(0).starts_with(
      "GET /storage/v1/b/bucket/o?fields=nextPageToken%2Citems%28name%2Csize%2CtimeCreated%2CstorageClass%29&"
      "maxResults=1000&prefix=p%2Fx%2F HTTP"))
      << head(0);
  EXPECT_NE(head(1).find("&pageToken=a%2Fb%3D&"), std::string::npos) << head(1);
}

TEST_F(GcsStoreTest, ATokenThatIsRefusedIsReplacedOnce) {
  serve({answer(401, error_body("authError", "Invalid Credentials")), answer(200, stored("hello")), taken()},
        {"one", "two"});
  ASSERT_TRUE(put("hello").ok());
  EXPECT_NE(head(1).find("Authorization: Bearer two\r\n"), std::string::npos);
  serve({answer(401, error_body("authError", "Invalid Credentials"))}, {"one", "two"});
  expect_error(put("hello"), ErrorCode::kDenied, "so is a new one");
  EXPECT_EQ(server_->requests().size(), 2U);
  serve({answer(401, error_body("authError", "Invalid Credentials"))}, {"same"});
  expect_error(put("hello"), ErrorCode::kDenied, "the credentials from a test were refused");
}

TEST_F(GcsStoreTest, AnEmulatorGetsNoToken) {
  serve({answer(200, stored("hello")), taken()}, {});
  ASSERT_TRUE(put("hello").ok());
  EXPECT_EQ(head(0).find("Authorization"), std::string::npos);
  serve({answer(401, "")}, {});
  expect_error(put("hello"), ErrorCode::kDenied, "STORAGE_EMULATOR_HOST");
}

TEST_F(GcsStoreTest, WhatMayPassIsTriedAgain) {
  for (const ScriptedAnswer& passing :
       {answer(408, ""), answer(429, "", "Retry-After: 0\r\n"), answer(500, "<html/>"), answer(502, ""),
        answer(503, ""), answer(504, ""), answer(403, error_body("rateLimitExceeded", "x")),
        answer(403, error_body("userRateLimitExceeded", "x")), answer(409, error_body("conflict", "x")), cut_off()}) {
    serve({passing, answer(200, stored("hello")), taken()});
    EXPECT_TRUE(put("hello").ok()) << passing.bytes;
    EXPECT_EQ(server_->requests().size(), 3U) << passing.bytes;
  }
  serve({answer(503, "<html>Service Unavailable</html>")}, {"one"}, std::chrono::milliseconds(30));
  expect_error(put("hello"), ErrorCode::kUnavailable, "127.0.0.1 answered 503; given up");
}

TEST_F(GcsStoreTest, EachRefusalSaysWhatToDo) {
  struct Case {
    ScriptedAnswer refusal;
    ErrorCode code;
    std::string_view text;
  };
  const auto because = [](int status, const std::string& reason, const std::string& message = "m") {
    return answer(status, error_body(reason, message));
  };
  for (const Case& each : std::vector<Case>{
           {because(403, "forbidden", "x does not have storage.objects.create access"), ErrorCode::kDenied,
            "the credentials from a test lack the permission storage.objects.create on bucket bucket: grant a role"},
           {because(403, "quotaExceeded"), ErrorCode::kNoSpace, "raise it"},
           {because(403, "retentionPolicyNotMet"), ErrorCode::kDenied, "retention policy"},
           {because(403, "accessNotConfigured"), ErrorCode::kUsage, "enable the Cloud Storage API"},
           {because(403, "accountDisabled"), ErrorCode::kDenied, "billing account"},
           {because(400, "required", "Bucket is requester pays bucket but no user project provided."),
            ErrorCode::kUsage, "requester pays"},
           {answer(413, "<html/>"), ErrorCode::kIo, "lower --memory"},
           {answer(301, "", "Location: https://elsewhere/\r\n"), ErrorCode::kUsage, "https://elsewhere/"},
           {answer(405, ""), ErrorCode::kUsage, "JSON API"},
           {because(400, "invalid", "what"), ErrorCode::kIo, "put k: 127.0.0.1 answered 400 invalid: what"}}) {
    serve({each.refusal});
    expect_error(put("hello"), each.code, each.text);
    EXPECT_EQ(server_->requests().size(), 1U) << each.text;
  }
}

TEST_F(GcsStoreTest, AnAnswerAboutAnotherObjectIsNoneToThePut) {
  const std::string sum = gcs_crc32c_text(crc32c(as_bytes("hello")));
  for (const std::string& other : {R"({"name":"p/other","size":"5","crc32c":")" + sum + R"("})",
                                   R"({"name":"p/k","size":"6","crc32c":")" + sum + R"("})"}) {
    serve({answer(200, other), answer(200, stored("hello")), taken()});
    EXPECT_TRUE(put("hello").ok());
    EXPECT_EQ(server_->requests().size(), 3U) << other;
  }
}

TEST_F(GcsStoreTest, OnlyGoogleItselfSaysThatAnObjectIsGoneAndOnlyTwice) {
  const ScriptedAnswer text = answer(404, "No such object: bucket/p/k");
  const ScriptedAnswer gone = answer(404, error_body("notFound", "No such object: bucket/p/k"));
  const ScriptedAnswer object = answer(200, R"({"name":"p/k","size":"1"})");
  const ScriptedAnswer page = answer(404, "404 page not found");
  serve({text, gone});
  expect_error(get(1), ErrorCode::kNotFound, "No such object");
  EXPECT_TRUE(head(0).starts_with("GET /download/storage/v1/b/bucket/o/p%2Fk?alt=media HTTP"));
  EXPECT_TRUE(head(1).starts_with("GET /storage/v1/b/bucket/o/p%2Fk?fields=name%2Csize%2CtimeCreated HTTP"));
  serve({text, object, ranged("h", "x")});
  EXPECT_TRUE(get(1).ok());
  serve({gone, gone});
  expect_error(store_->stat("k"), ErrorCode::kNotFound, "");
  serve({gone, object});
  EXPECT_TRUE(store_->stat("k").ok());
  serve({gone});
  expect_error(store_->remove("k"), ErrorCode::kNotFound, "");
  serve({text, page, page, gone});
  expect_error(get(1), ErrorCode::kNotFound, "");
  for (const ScriptedAnswer& other : {page, answer(404, ""), answer(404, "<html/>"), text}) {
    serve({other}, {"one"}, std::chrono::milliseconds(30));
    expect_error(get(1), ErrorCode::kUnavailable, "answered 404");
  }
}

TEST_F(GcsStoreTest, AListAnswered404IsNoEmptyListAndNamesAMissingBucket) {
  const auto list = [&] { return store_->list("", [](const ObjectInfo&) -> Result<void> { return {}; }); };
  serve({answer(404, "404 page not found"), answer(404, ""), answer(200, "{}")});
  EXPECT_TRUE(list().ok());
  serve({answer(404, "404 page not found")}, {"one"}, std::chrono::milliseconds(30));
  expect_error(list(), ErrorCode::kUnavailable, "the right endpoint");
  const ScriptedAnswer no_bucket = answer(404, error_body("notFound", "The specified bucket does not exist."));
  serve({no_bucket});
  expect_error(list(), ErrorCode::kNoRepository, "bucket bucket does not exist: create it");
  EXPECT_EQ(server_->requests().size(), 2U);
  serve({no_bucket});
  expect_error(store_->stat("k"), ErrorCode::kNoRepository, "does not exist");
  serve({no_bucket});
  expect_error(put("hello"), ErrorCode::kNoRepository, "does not exist");
}

TEST_F(GcsStoreTest, SaysWhatIsKnownOfAnObjectAndRemovesIt) {
  const std::string object = R"({"name":"p/k","size":"12","timeCreated":"2026-11-20T00:00:00Z"})";
  serve({answer(200, "<html/>"), answer(200, object)});
  const auto info = store_->stat("k");
  ASSERT_TRUE(info.ok()) << info.error().message;
  EXPECT_EQ(info->size_bytes, 12U);
  EXPECT_EQ(info->modified_ns, 1'795'132'800'000'000'000);
  EXPECT_TRUE(head(1).starts_with("GET /storage/v1/b/bucket/o/p%2Fk?fields=name%2Csize%2CtimeCreated HTTP"));
  serve({answer(204)});
  ASSERT_TRUE(store_->remove("k").ok());
  EXPECT_TRUE(head(0).starts_with("DELETE /storage/v1/b/bucket/o/p%2Fk HTTP"));
}

}  // namespace
}  // namespace drs
