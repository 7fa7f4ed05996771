// What a store in the cloud makes of answers that are late, lost, wrong or lies: S3 as the protocol, a scripted server.
#include "sinks/cloud_store.h"

#include <gtest/gtest.h>

#include "sinks/s3/s3_store.h"
#include "tests/sinks/scripted_http_server.h"
#include "tests/sinks/store_test_support.h"

namespace drs {
namespace {

using test::outcome;
using testing::answer;
using testing::cut_off;
using testing::ScriptedAnswer;
using testing::ScriptedHttpServer;

ScriptedAnswer part(const std::string& body, const std::string& range) {
  return answer(206, body, "Content-Range: bytes " + range + "\r\n");
}

class CloudStoreTest : public ::testing::Test {
 protected:
  void serve(std::vector<ScriptedAnswer> script, bool single_writer = false) {
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
    options.requests.retry = {std::chrono::milliseconds(1), std::chrono::milliseconds(5), std::chrono::seconds(10)};
    auto store = open_s3_store(*std::move(address), std::move(credentials), clock_, {.single_writer = single_writer},
                               std::move(options));
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
};

TEST_F(CloudStoreTest, ProvesOnceThatTheServerRefusesToReplace) {
  serve({answer(200), answer(412), answer(200), answer(200)});
  EXPECT_EQ(outcome(put_object(*store_, "first", as_bytes("x"))), "ok");
  EXPECT_EQ(outcome(put_object(*store_, "second", as_bytes("x"))), "ok");
  auto other = store_->another();
  ASSERT_TRUE(other.ok());
  EXPECT_EQ(outcome(put_object(**other, "third", as_bytes("x"))), "ok");
  EXPECT_EQ(methods(), (Methods{"PUT", "PUT", "PUT", "PUT"}));
  for (const auto& request : server_->requests()) EXPECT_NE(request.head.find("If-None-Match: *"), std::string::npos);
}

TEST_F(CloudStoreTest, RefusesAServerThatReplacesAndTakesTheObjectBack) {
  serve({answer(200), answer(200), answer(204)});
  const auto stored = put_object(*store_, "first", as_bytes("x"));
  EXPECT_EQ(outcome(stored), "usage");
  EXPECT_NE(stored.error().message.find("--single-writer"), std::string::npos);
  EXPECT_EQ(methods(), (Methods{"PUT", "PUT", "DELETE"}));
}

TEST_F(CloudStoreTest, LooksBeforeItPutsForASingleWriter) {
  serve({answer(404), answer(200), answer(200)}, true);
  EXPECT_EQ(outcome(put_object(*store_, "a", as_bytes("x"))), "ok");
  EXPECT_EQ(outcome(put_object(*store_, "b", as_bytes("x"))), "already-exists");
  EXPECT_EQ(methods(), (Methods{"HEAD", "PUT", "HEAD"}));
  EXPECT_EQ(server_->requests()[1].head.find("If-None-Match"), std::string::npos);
}

TEST_F(CloudStoreTest, SettlesALostReplyByComparing) {
  serve({cut_off(), answer(412), part("body", "0-3/4")});
  EXPECT_EQ(outcome(put_object(*store_, "a", as_bytes("body"))), "ok");
  serve({cut_off(), answer(412), part("bodx", "0-3/4")});
  EXPECT_EQ(outcome(put_object(*store_, "a", as_bytes("body"))), "already-exists");
  serve({cut_off(), answer(412), part("body", "0-3/5")});
  EXPECT_EQ(outcome(put_object(*store_, "a", as_bytes("body"))), "already-exists");
  serve({answer(412)});  // nothing was lost: it is somebody else's
  EXPECT_EQ(outcome(put_object(*store_, "a", as_bytes("body"))), "already-exists");
  EXPECT_EQ(methods(), Methods{"PUT"});
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
  // The answer says that the name is taken, and nothing was lost; the same bytes are there all the same.
  serve({answer(412), part("body", "0-3/4")});
  EXPECT_EQ(outcome(put_own_object(*store_, "a", as_bytes("body"))), "ok");
  // It is not there, whatever the answer said.
  serve({answer(412), answer(404), answer(200), answer(412)});
  EXPECT_EQ(outcome(put_own_object(*store_, "a", as_bytes("body"))), "ok");
  EXPECT_EQ(methods(), (Methods{"PUT", "GET", "PUT", "PUT"}));
}

}  // namespace
}  // namespace drs
