// How a cloud store handles answers that are late, lost, wrong or false: protocol S3, against a scripted server.
#include "sinks/cloud/cloud_store.h"

#include <gtest/gtest.h>

#include <set>

#include "sinks/cloud/s3/s3_store.h"
#include "sinks/object_io.h"
#include "sinks/settled_put.h"
#include "tests/sinks/store_test_support.h"
#include "tests/sinks/transport/scripted_http_server.h"

namespace drs {
namespace {

using test::outcome;
using testing::answer;
using testing::cut_off;
using testing::s3_error;
using testing::s3_stored;
using testing::ScriptedAnswer;
using testing::ScriptedHttpServer;

ScriptedAnswer part(const std::string& body, const std::string& range) {
  return answer(206, body, "Content-Range: bytes " + range + "\r\n");
}

ScriptedAnswer gone() {
  return s3_error(404, "NoSuchKey");
}

// The answer of an ingress without a backend.
ScriptedAnswer ingress() {
  return answer(404, "404 page not found", "Content-Type: text/plain\r\n");
}

// The answer to HEAD for an object of four bytes.
ScriptedAnswer head_of(const std::string& etag, const std::string& bytes = "4") {
  return {"HTTP/1.1 200 x\r\nContent-Length: " + bytes + "\r\nETag: " + etag + "\r\n\r\n", false, {}};
}

ScriptedAnswer locked_until(const std::string& time) {
  return {"HTTP/1.1 200 x\r\nContent-Length: 4\r\nETag: e\r\nx-amz-object-lock-retain-until-date: " + time + "\r\n\r\n",
          false,
          {}};
}

class CloudStoreTest : public ::testing::Test {
 protected:
  void serve(std::vector<ScriptedAnswer> script, bool single_writer = false,
             std::chrono::milliseconds budget = std::chrono::seconds(10), const std::string& encryption = "") {
    store_.reset();
    server_ = std::make_unique<ScriptedHttpServer>(std::move(script));
    auto address = S3Address::make(*parse_s3_location("s3://bucket/prefix"),
                                   {.region = "us-east-1", .endpoint = server_->url(""), .style = {}});
    ASSERT_TRUE(address.ok()) << address.error().message;
    auto credentials = std::make_shared<AwsCredentialsProvider>(
        [] {
          AwsCredentials key;
          key.access_key_id = "AKIDEXAMPLE";
          return Result<AwsCredentials>(std::move(key));
        },
        clock_);
    CloudStoreOptions options;
    options.requests.retry = {std::chrono::milliseconds(1), std::chrono::milliseconds(5), budget,
                              std::chrono::milliseconds(300)};
    options.report = [this](const std::string& text) { told_ += text; };
    S3ProtocolOptions protocol{.single_writer = single_writer};
    protocol.put.encryption = encryption;
    protocol.put.lock = lock_;
    auto store =
        open_s3_store(*std::move(address), std::move(credentials), clock_, std::move(protocol), std::move(options));
    ASSERT_TRUE(store.ok()) << store.error().message;
    store_ = *std::move(store);
  }
  std::vector<std::string> methods() const {
    std::vector<std::string> out;
    for (const auto& request : server_->requests()) out.push_back(request.head.substr(0, request.head.find(' ')));
    return out;
  }
  using Methods = std::vector<std::string>;

  SystemClock clock_;
  std::unique_ptr<ScriptedHttpServer> server_;
  std::unique_ptr<ObjectStore> store_;
  std::string told_;
  std::optional<S3Lock> lock_;
};

TEST_F(CloudStoreTest, ExtendsALockOnlyWhereItIsTooShort) {
  lock_ = S3Lock{S3Lock::Mode::kCompliance, std::chrono::days(30)};
  const ScriptedAnswer locked = locked_until("2199-01-01T00:00:00Z");
  serve({locked, head_of("e"), answer(200)});
  EXPECT_TRUE(store_->secures());
  EXPECT_TRUE(store_->locks());
  EXPECT_EQ(outcome(store_->secure({"packs/a"})), "ok");
  EXPECT_EQ(methods(), Methods{"HEAD"});
  EXPECT_EQ(outcome(store_->secure({"packs/b"})), "ok");
  EXPECT_EQ(methods(), (Methods{"HEAD", "HEAD", "PUT"}));
  EXPECT_NE(server_->requests()[2].head.find("/packs/b?retention="), std::string::npos);
}

TEST_F(CloudStoreTest, ALockWhoseEndDoesNotFitIntoNanosecondsIsLongEnough) {
  lock_ = S3Lock{S3Lock::Mode::kCompliance, std::chrono::days(30)};
  serve({locked_until("9999-12-31T23:59:59Z")});
  EXPECT_EQ(outcome(store_->secure({"packs/a"})), "ok");
  EXPECT_EQ(methods(), Methods{"HEAD"});
}

TEST_F(CloudStoreTest, NamesAnObjectThatHasVanishedBeforeItWasLocked) {
  lock_ = S3Lock{S3Lock::Mode::kCompliance, std::chrono::days(30)};
  serve({answer(404), gone()});
  const auto secured = store_->secure({"packs/a"});
  ASSERT_EQ(outcome(secured), "io");
  EXPECT_NE(secured.error().message.find("packs/a has vanished since it was listed"), std::string::npos);
}

TEST_F(CloudStoreTest, AsksNothingToSecureWhereItDoesNotLock) {
  serve({});
  EXPECT_FALSE(store_->secures());
  EXPECT_EQ(outcome(store_->secure({"packs/a"})), "ok");
  EXPECT_EQ(methods(), Methods{});
}

TEST_F(CloudStoreTest, ProvesOnceThatTheServerRefusesToReplace) {
  serve({s3_stored(), answer(412), s3_stored(), s3_stored()});
  EXPECT_EQ(outcome(put_object(*store_, "first", as_bytes("x"))), "ok");
  EXPECT_EQ(outcome(put_object(*store_, "second", as_bytes("x"))), "ok");
  auto other = store_->clone();
  ASSERT_TRUE(other.ok());
  EXPECT_EQ(outcome(put_object(**other, "third", as_bytes("x"))), "ok");
  EXPECT_EQ(methods(), (Methods{"PUT", "PUT", "PUT", "PUT"}));
  for (const auto& request : server_->requests()) EXPECT_NE(request.head.find("If-None-Match: *"), std::string::npos);
}

TEST_F(CloudStoreTest, RefusesAServerThatReplacesAndTakesTheObjectBack) {
  serve({s3_stored(), s3_stored(), answer(204)});
  const auto stored = put_object(*store_, "first", as_bytes("x"));
  EXPECT_EQ(outcome(stored), "usage");
  EXPECT_NE(stored.error().message.find("--single-writer"), std::string::npos);
  EXPECT_EQ(methods(), (Methods{"PUT", "PUT", "DELETE"}));
}

TEST_F(CloudStoreTest, LooksBeforeItPutsForASingleWriter) {
  serve({answer(404), gone(), s3_stored(), head_of("e")}, true);
  EXPECT_EQ(outcome(put_object(*store_, "a", as_bytes("x"))), "ok");
  EXPECT_EQ(outcome(put_object(*store_, "b", as_bytes("x"))), "already-exists");
  EXPECT_EQ(methods(), (Methods{"HEAD", "GET", "PUT", "HEAD"}));
  EXPECT_EQ(server_->requests()[2].head.find("If-None-Match"), std::string::npos);
}

TEST_F(CloudStoreTest, LeavesATakenNameToBeSettledByItsCaller) {
  serve({answer(412)});
  const auto taken = put_object(*store_, "a", as_bytes("body"));
  EXPECT_EQ(outcome(taken), "already-exists");
  EXPECT_EQ(taken.error().message.find("without an answer"), std::string::npos) << taken.error().message;
  EXPECT_EQ(methods(), Methods{"PUT"});
  serve({cut_off(), answer(412)});
  const auto perhaps_ours = put_object(*store_, "a", as_bytes("body"));
  EXPECT_EQ(outcome(perhaps_ours), "already-exists");
  EXPECT_NE(perhaps_ours.error().message.find("after an attempt without an answer"), std::string::npos)
      << perhaps_ours.error().message;
  EXPECT_EQ(methods(), (Methods{"PUT", "PUT"}));
}

TEST_F(CloudStoreTest, ALostReplyIsSettledByComparing) {
  serve({cut_off(), answer(412), part("body", "0-3/4")});
  EXPECT_EQ(outcome(put_settled(*store_, "a", as_bytes("body"))), "ok");
  serve({cut_off(), answer(412), part("bodx", "0-3/4")});
  EXPECT_EQ(outcome(put_settled(*store_, "a", as_bytes("body"))), "corrupt");
  serve({cut_off(), answer(412), part("bodyx", "0-4/6")});
  EXPECT_EQ(outcome(put_settled(*store_, "a", as_bytes("body"))), "corrupt");
  serve({cut_off(), answer(412), answer(416)});
  EXPECT_EQ(outcome(put_settled(*store_, "a", as_bytes(""))), "ok");
  serve({cut_off(), answer(412), answer(416)});
  EXPECT_EQ(outcome(put_settled(*store_, "a", as_bytes("body"))), "corrupt");
}

TEST_F(CloudStoreTest, ARefusalAfterAnAttemptWithoutAnAnswerLeavesTheOutcomeOpen) {
  serve({s3_error(403, "AccessDenied")});
  EXPECT_EQ(outcome(put_object(*store_, "a", as_bytes("body"))), "denied");
  serve({cut_off(), s3_error(403, "AccessDenied")});
  const auto denied = put_object(*store_, "a", as_bytes("body"));
  ASSERT_EQ(outcome(denied), "unavailable");
  EXPECT_NE(denied.error().message.find("AccessDenied"), std::string::npos) << denied.error().message;
  serve({answer(500), s3_error(507, "QuotaExceeded")});
  EXPECT_EQ(outcome(put_object(*store_, "a", as_bytes("body"))), "unavailable");
  // The second put, which has to show that the server does not replace, fails.
  serve({s3_stored(), s3_error(403, "AccessDenied")});
  EXPECT_EQ(outcome(put_object(*store_, "a", as_bytes("body"))), "unavailable");
}

TEST_F(CloudStoreTest, ReadsAgainWhatIsNotTheRangeThatWasAskedFor) {
  const std::string error = "<Error><Code>InternalError</Code></Error>";
  serve({answer(200, error), answer(200, "0123456789"), part("234", "2-4/10"), part("0123", "0-3/10"),
         answer(206, "2345"), part("23456", "2-6/10"), part("2345", "2-5/10")});
  Bytes range(4);
  const auto read = get_range(*store_, "a", 2, range);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(as_text(range), "2345");
  EXPECT_EQ(server_->requests().size(), 7U);
}

TEST_F(CloudStoreTest, AsksAgainForAListThatCannotBeRead) {
  const std::string list = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";
  serve({answer(200, "<Error><Code>SlowDown</Code></Error>"), answer(200, "<html>"), answer(200, list.substr(0, 30)),
         answer(200, list)});
  EXPECT_TRUE(test::listed_keys(*store_, "").empty());
  EXPECT_EQ(server_->requests().size(), 4U);
}

TEST_F(CloudStoreTest, PutsAnObjectOfItsOwnNameUntilItIsThere) {
  // No answer was lost, the name is taken, and the object there has the same bytes.
  serve({answer(412), part("body", "0-3/4")});
  EXPECT_EQ(outcome(put_settled(*store_, "a", as_bytes("body"))), "ok");
  // The object is absent, despite the answer.
  serve({answer(412), gone(), gone(), s3_stored(), answer(412)});
  EXPECT_EQ(outcome(put_settled(*store_, "a", as_bytes("body"))), "ok");
  EXPECT_EQ(methods(), (Methods{"PUT", "GET", "GET", "PUT", "PUT"}));
}

TEST_F(CloudStoreTest, OnlyTheStoreItselfSaysThatAnObjectIsGoneAndOnlyTwice) {
  Bytes byte(1);
  serve({gone(), gone()});
  EXPECT_EQ(outcome(get_range(*store_, "a", 0, byte)), "not-found");
  serve({gone(), part("b", "0-0/1")});
  EXPECT_EQ(outcome(get_range(*store_, "a", 0, byte)), "ok");
  serve({ingress(), ingress(), gone(), ingress(), part("b", "0-0/1")});
  EXPECT_EQ(outcome(get_range(*store_, "a", 0, byte)), "ok");
  serve({s3_error(404, "NoSuchVersion")});
  EXPECT_EQ(outcome(store_->remove("a")), "not-found");
  for (const ScriptedAnswer& other : {ingress(), s3_error(404, "NoSuchUpload"), answer(404)}) {
    serve({other}, false, std::chrono::milliseconds(50));
    EXPECT_EQ(outcome(get_range(*store_, "a", 0, byte)), "unavailable") << other.bytes;
    EXPECT_GT(server_->requests().size(), 2U);
  }
}

TEST_F(CloudStoreTest, AnAnswerToHeadIsNoProofThatAnObjectIsGone) {
  serve({answer(404), gone()});
  EXPECT_EQ(outcome(store_->stat("a")), "not-found");
  EXPECT_EQ(methods(), (Methods{"HEAD", "GET"}));
  serve({answer(404), part("b", "0-0/4"), head_of("e")});
  EXPECT_EQ(outcome(store_->stat("a")), "ok");
  EXPECT_EQ(methods(), (Methods{"HEAD", "GET", "HEAD"}));
  serve({answer(404), ingress()}, false, std::chrono::milliseconds(50));
  EXPECT_EQ(outcome(store_->stat("a")), "unavailable");
  serve({head_of("", "1234"), head_of("e")});  // an HTML page has a length, too
  ASSERT_TRUE(store_->stat("a").ok());
  EXPECT_EQ(server_->requests().size(), 2U);
}

TEST_F(CloudStoreTest, AListThatIsAnswered404IsNoEmptyList) {
  const std::string list = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";
  serve({ingress(), gone(), ingress(), answer(200, list)});
  EXPECT_TRUE(test::listed_keys(*store_, "").empty());
  EXPECT_EQ(server_->requests().size(), 4U);
  const auto listed = [&] { return store_->list("", [](const ObjectInfo&) -> Result<void> { return {}; }); };
  serve({ingress()}, false, std::chrono::milliseconds(50));
  EXPECT_EQ(outcome(listed()), "unavailable");
  serve({s3_error(404, "NoSuchBucket"), answer(200, list)});
  EXPECT_EQ(outcome(listed()), "ok");
  serve({s3_error(404, "NoSuchBucket")});
  EXPECT_EQ(outcome(listed()), "no-repository");
  EXPECT_EQ(server_->requests().size(), 2U);
}

TEST_F(CloudStoreTest, AKeyThatIsListedTwiceIsOneObject) {
  const auto page = [](const std::vector<std::string>& keys, const std::string& next) {
    std::string contents;
    for (const std::string& key : keys) contents += "<Contents><Key>prefix/" + key + "</Key><Size>1</Size></Contents>";
    return answer(200, "<ListBucketResult><IsTruncated>" + std::string(next.empty() ? "false" : "true") +
                           "</IsTruncated><NextContinuationToken>" + next + "</NextContinuationToken>" + contents +
                           "</ListBucketResult>");
  };
  serve({page({"a", "a", "b", "b"}, "one"), page({"b", "c"}, "")});
  EXPECT_EQ(test::listed_keys(*store_, ""),
            (std::set<std::string>{"a", "b", "c"}));  // listed_keys fails on a repeated key
}

TEST_F(CloudStoreTest, AListGoesOnPastItsFirstPage) {
  const auto page = [](const std::string& key, const std::string& next) {
    return answer(200, "<ListBucketResult><IsTruncated>" + std::string(next.empty() ? "false" : "true") +
                           "</IsTruncated><NextContinuationToken>" + next +
                           "</NextContinuationToken><Contents><Key>prefix/" + key +
                           "</Key><Size>1</Size></Contents></ListBucketResult>");
  };
  serve({page("a", "one"), page("b", "two"), page("c", "")});
  EXPECT_EQ(test::listed_keys(*store_, ""), (std::set<std::string>{"a", "b", "c"}));
  EXPECT_EQ(server_->requests()[0].head.find("continuation-token"), std::string::npos);
  EXPECT_NE(server_->requests()[1].head.find("continuation-token=one&"), std::string::npos);
  EXPECT_NE(server_->requests()[2].head.find("continuation-token=two&"), std::string::npos);
}

TEST_F(CloudStoreTest, APageThatAnswersAPutHasStoredNothing) {
  serve({answer(200, "<html>Blocked</html>", "Content-Type: text/html\r\n"), s3_stored(), answer(412)});
  EXPECT_EQ(outcome(put_object(*store_, "a", as_bytes("body"))), "ok");
  EXPECT_EQ(methods(), (Methods{"PUT", "PUT", "PUT"}));
  serve({answer(200, "<html>Blocked</html>")}, false, std::chrono::milliseconds(50));
  EXPECT_EQ(outcome(put_object(*store_, "a", as_bytes("body"))), "unavailable");
}

TEST_F(CloudStoreTest, ComparesTheChecksumThatAPutIsAnsweredWith) {
  // Has the length of a checksum.
  const ScriptedAnswer other =
      answer(200, "", "ETag: \"e\"\r\nx-amz-checksum-sha256: 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\r\n");
  serve({other, answer(412), part("body", "0-3/4")});
  EXPECT_EQ(outcome(put_settled(*store_, "a", as_bytes("body"))), "ok");
  serve({other, answer(412), part("bodx", "0-3/4")});
  EXPECT_EQ(outcome(put_settled(*store_, "a", as_bytes("body"))), "corrupt");
}

TEST_F(CloudStoreTest, LooksForAnObjectWhoseChecksumIsNotEchoed) {
  const ScriptedAnswer silent = answer(200, "", "ETag: e\r\n");
  serve({s3_stored(), answer(412), silent, head_of("e"), silent, head_of("other"), silent, head_of("e", "7"), silent,
         answer(404), gone()});
  for (const char* const expected : {"ok", "ok", "already-exists", "already-exists", "unavailable"})
    EXPECT_EQ(outcome(put_object(*store_, "a", as_bytes("body"))), expected);
  EXPECT_EQ(methods(), (Methods{"PUT", "PUT", "PUT", "HEAD", "PUT", "HEAD", "PUT", "HEAD", "PUT", "HEAD", "GET"}));
}

TEST_F(CloudStoreTest, ComparesAnObjectWhoseETagIsNotTheOneThatThePutWasAnsweredWith) {
  const ScriptedAnswer silent = answer(200, "", "ETag: e\r\n");
  serve({s3_stored(), answer(412), silent, head_of("other"), part("body", "0-3/4")});
  EXPECT_EQ(outcome(put_settled(*store_, "first", as_bytes("body"))), "ok");
  EXPECT_EQ(outcome(put_settled(*store_, "a", as_bytes("body"))), "ok");
  serve({s3_stored(), answer(412), silent, head_of("e", "7"), part("anoth", "0-4/7")});
  EXPECT_EQ(outcome(put_settled(*store_, "first", as_bytes("body"))), "ok");
  EXPECT_EQ(outcome(put_settled(*store_, "a", as_bytes("body"))), "corrupt");
}

TEST_F(CloudStoreTest, SendsContentMd5InPlaceOfAChecksumThatTheServerRefuses) {
  const std::string refusal =
      "<Error><Code>InvalidArgument</Code><Message>Unsupported header 'x-amz-checksum-sha256' "
      "received for this API call.</Message></Error>";
  const ScriptedAnswer silent = answer(200, "", "ETag: e\r\n");
  serve({answer(400, refusal), silent, answer(412), silent, head_of("e")});
  EXPECT_EQ(outcome(put_object(*store_, "a", as_bytes("body"))), "ok");
  EXPECT_EQ(outcome(put_object(*store_, "b", as_bytes("body"))), "ok");
  const auto& seen = server_->requests();
  ASSERT_EQ(seen.size(), 5U);
  EXPECT_NE(seen[0].head.find("x-amz-checksum-sha256"), std::string::npos);
  for (const std::size_t later : {1U, 2U, 3U}) {
    EXPECT_EQ(seen[later].head.find("x-amz-checksum"), std::string::npos);
    EXPECT_NE(seen[later].head.find("x-amz-content-sha256"), std::string::npos);
    EXPECT_NE(seen[later].head.find("Content-MD5: hBotaJrYa9FhFEdFPCLG/A=="), std::string::npos);  // of "body"
    EXPECT_NE(seen[later].head.find("SignedHeaders=content-md5;"), std::string::npos);
  }
}

TEST_F(CloudStoreTest, RemovesSeveralWithContentMd5WhereTheChecksumIsRefused) {
  serve({answer(400,
                "<Error><Code>InvalidArgument</Code><Message>Unsupported header 'x-amz-checksum-sha256' received "
                "for this API call.</Message></Error>"),
         answer(200, "<DeleteResult/>")});
  const std::vector<ObjectKey> keys = {"a", "b"};
  EXPECT_EQ(outcome(store_->remove_all(keys)), "ok");
  EXPECT_EQ(outcome(store_->remove_all(keys)), "ok");
  EXPECT_EQ(methods(), (Methods{"POST", "POST", "POST"}));
  EXPECT_EQ(server_->requests()[0].head.find("Content-MD5: "), std::string::npos);
  EXPECT_NE(server_->requests()[1].head.find("Content-MD5: "), std::string::npos);
}

TEST_F(CloudStoreTest, TakesThePartOutOfAWholeObject) {
  const ScriptedAnswer whole = answer(200, "0123456789", "ETag: \"e\"\r\n");
  serve({whole});
  Bytes range(4);
  EXPECT_EQ(outcome(get_range(*store_, "a", 2, range)), "ok");
  EXPECT_EQ(as_text(range), "2345");
  EXPECT_EQ(outcome(get_range(*store_, "a", 0, range)), "ok");
  EXPECT_EQ(as_text(range), "0123");
  EXPECT_EQ(outcome(get_range(*store_, "a", 8, range)), "truncated");
  EXPECT_EQ(outcome(get_range(*store_, "a", 12, range)), "truncated");
  EXPECT_EQ(server_->requests().size(), 4U);
  EXPECT_NE(told_.find("drops the header Range"), std::string::npos);
  EXPECT_EQ(told_.find("drops the header Range"), told_.rfind("drops the header Range"));
}

TEST_F(CloudStoreTest, WhatLooksForAnObjectHasTheRestOfItsPutsBudget) {
  ScriptedAnswer lost = cut_off();
  lost.late = std::chrono::milliseconds(900);
  // On a new connection: libcurl itself repeats a request that is lost on a kept one.
  serve({s3_stored(), answer(412, "", "Connection: close\r\n"), lost, answer(200, "", "ETag: e\r\n"), answer(500)},
        false, std::chrono::seconds(1));
  EXPECT_EQ(outcome(put_object(*store_, "first", as_bytes("x"))), "ok");
  const auto started = std::chrono::steady_clock::now();
  EXPECT_EQ(outcome(put_object(*store_, "a", as_bytes("body"))), "unavailable");
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::milliseconds(1650));
}

TEST_F(CloudStoreTest, EncryptionThatTheServerDoesNotKnowEndsSoon) {
  serve({answer(500)}, false, std::chrono::seconds(10), "aws:kms");
  const auto started = std::chrono::steady_clock::now();
  const auto refused = put_object(*store_, "a", as_bytes("body"));
  EXPECT_EQ(outcome(refused), "unavailable");
  EXPECT_NE(refused.error().message.find("--sse aws:kms"), std::string::npos) << refused.error().message;
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(3));
  // After one success, a 500 is an outage like any other.
  std::vector<ScriptedAnswer> outage(200, answer(500));
  outage.insert(outage.begin(), {s3_stored(), answer(412)});
  outage.push_back(s3_stored());
  serve(outage, false, std::chrono::seconds(10), "aws:kms");
  EXPECT_EQ(outcome(put_object(*store_, "a", as_bytes("body"))), "ok");
  EXPECT_EQ(outcome(put_object(*store_, "b", as_bytes("body"))), "ok");
}

}  // namespace
}  // namespace drs
