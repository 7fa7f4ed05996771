// Redirects that a store may ask for: two scripted servers, the first of which redirects to the second.
#include <gtest/gtest.h>

#include "sinks/cloud/s3/s3_store.h"
#include "sinks/object_io.h"
#include "tests/sinks/store_test_support.h"
#include "tests/sinks/transport/scripted_http_server.h"

namespace drs {
namespace {

using test::outcome;
using testing::answer;
using testing::ScriptedHttpServer;

class RedirectTest : public ::testing::Test {
 protected:
  void redirect_to(const std::string& url) {
    store_.reset();
    first_ = std::make_unique<ScriptedHttpServer>(std::vector{answer(307, "", "Location: " + url + "\r\n")});
    auto address = S3Address::make(*parse_s3_location("s3://bucket/prefix"),
                                   {.region = "us-east-1", .endpoint = first_->url(""), .style = {}});
    ASSERT_TRUE(address.ok()) << address.error().message;
    auto credentials = std::make_shared<AwsCredentialsProvider>(
        [] {
          AwsCredentials key;
          key.access_key_id = "AKIDEXAMPLE";
          key.session_token = SecretBytes::copy_of(as_bytes("hunter2"));
          return Result<AwsCredentials>(std::move(key));
        },
        clock_);
    auto store = open_s3_store(*std::move(address), std::move(credentials), clock_, {}, {});
    ASSERT_TRUE(store.ok()) << store.error().message;
    store_ = *std::move(store);
  }

  SystemClock clock_;
  ScriptedHttpServer second_{{testing::s3_stored(), answer(412)}};
  std::unique_ptr<ScriptedHttpServer> first_;
  std::unique_ptr<ObjectStore> store_;
};

TEST_F(RedirectTest, AnotherPortOfTheSameHostIsFollowed) {
  redirect_to(second_.url("/elsewhere"));
  EXPECT_EQ(outcome(put_object(*store_, "a", as_bytes("body"))), "ok");
  ASSERT_FALSE(second_.requests().empty());
  EXPECT_EQ(second_.requests()[0].body, "body");
  EXPECT_NE(second_.requests()[0].head.find("PUT /bucket/prefix/a "), std::string::npos);
}

TEST_F(RedirectTest, AnotherHostGetsNeitherTokenNorBody) {
  std::string url = second_.url("/bucket/prefix/a");
  const std::string host = "127.0.0.1";
  ASSERT_NE(url.find(host), std::string::npos);
  redirect_to(url.replace(url.find(host), host.size(), "localhost"));  // the same machine under another name
  const auto stored = put_object(*store_, "a", as_bytes("body"));
  ASSERT_EQ(outcome(stored), "denied");
  EXPECT_NE(stored.error().message.find("outside the endpoint's domain"), std::string::npos) << stored.error().message;
  EXPECT_TRUE(second_.requests().empty());
}

}  // namespace
}  // namespace drs
