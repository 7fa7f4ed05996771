#include "sinks/cloud/gcs/default_credentials.h"

#include <gtest/gtest.h>

#include "tests/sinks/transport/fake_environment.h"

namespace drs {
namespace {

using test::expect_error;
using test::text_of;

constexpr const char* kMetadataToken =
    "GET http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token";
constexpr const char* kAnswer = R"({"access_token":"from-metadata","expires_in":3599,"token_type":"Bearer"})";

class DefaultCredentialsTest : public ::testing::Test {
 protected:
  DefaultCredentialsTest() { fake_.variables["HOME"] = "/home/a"; }

  // A login whose token endpoint returns `token`.
  static std::string login(const std::string& name) {
    return R"({"type":"authorized_user","client_id":"i","client_secret":"s","refresh_token":"hunter2","token_uri":)"
           R"("https://token/)" +
           name + R"("})";
  }
  void serve_login(const std::string& name) {
    fake_.replies["POST https://token/" + name] = {{200, R"({"access_token":")" + name + R"(","expires_in":3599})"}};
  }
  void serve_metadata() {
    fake_.replies["GET http://metadata.google.internal/"] = {{200, "computeMetadata/\n"}};
    fake_.replies[kMetadataToken] = {{200, kAnswer}};
  }
  Environment environment() {
    Environment out = fake_.environment();
    out.fetch = [this, ask = out.fetch](const HttpRequest& request) {
      Result<HttpResponse> response = ask(request);
      if (response.ok()) response->headers = answer_headers_;
      return response;
    };
    return out;
  }
  std::string got(const std::string& explicit_file = "") {
    const auto token = DefaultCredentials(environment(), explicit_file).fetch();
    return token.ok() ? text_of(token->text) + " from " + token->origin : token.error().message;
  }

  std::vector<HttpHeader> answer_headers_ = {{"metadata-flavor", "Google"}};
  test::FakeEnvironment fake_;
};

TEST_F(DefaultCredentialsTest, TheFirstPlaceThatIsSetUpDecides) {
  serve_metadata();
  EXPECT_EQ(got(), "from-metadata from the metadata server");
  fake_.files["/home/a/.config/gcloud/application_default_credentials.json"] = login("home");
  serve_login("home");
  EXPECT_EQ(got(), "home from '/home/a/.config/gcloud/application_default_credentials.json'");
  fake_.variables["CLOUDSDK_CONFIG"] = "/cloud";
  fake_.files["/cloud/application_default_credentials.json"] = login("cloud");
  serve_login("cloud");
  EXPECT_EQ(got(), "cloud from '/cloud/application_default_credentials.json'");
  fake_.variables["GOOGLE_APPLICATION_CREDENTIALS"] = "/named";
  fake_.files["/named"] = login("named");
  serve_login("named");
  EXPECT_EQ(got(), "named from '/named'");
  fake_.files["/place"] = login("place");
  serve_login("place");
  EXPECT_EQ(got("/place"), "place from '/place'");
}

TEST_F(DefaultCredentialsTest, APlaceThatIsSetUpAndFailsEndsTheSearch) {
  serve_metadata();
  fake_.files["/home/a/.config/gcloud/application_default_credentials.json"] = login("home");
  EXPECT_NE(got().find("credentials from '/home/a/.config/gcloud/application_default_credentials.json': the token "
                       "endpoint token: nobody answers"),
            std::string::npos)
      << got();
  fake_.variables["GOOGLE_APPLICATION_CREDENTIALS"] = "/gone";
  EXPECT_NE(got().find("GOOGLE_APPLICATION_CREDENTIALS names a file that cannot be read"), std::string::npos) << got();
  EXPECT_EQ(fake_.seen_count(kMetadataToken), 0U);
}

TEST_F(DefaultCredentialsTest, NothingSaysEveryPlaceAndWhatToDo) {
  const auto token = DefaultCredentials(environment(), "").fetch();
  for (const char* text : {"GOOGLE_APPLICATION_CREDENTIALS is not set", "there is no '/home/a/.config/gcloud/",
                           "metadata.google.internal", "nobody answers", "gcloud auth application-default login"})
    expect_error(token, ErrorCode::kUsage, text);
}

TEST_F(DefaultCredentialsTest, APlaceThatGaveATokenIsAskedAlone) {
  serve_metadata();
  DefaultCredentials credentials(environment(), "");
  ASSERT_TRUE(credentials.fetch().ok());
  fake_.files["/home/a/.config/gcloud/application_default_credentials.json"] = login("home");
  serve_login("home");
  EXPECT_EQ(text_of((*credentials.fetch()).text), "from-metadata");
  fake_.replies.clear();
  expect_error(credentials.fetch(), ErrorCode::kUnavailable, "nobody answers");
}

TEST_F(DefaultCredentialsTest, TheMetadataServerIsAskedWithItsHeaderAndMustSayWhoItIs) {
  serve_metadata();
  ASSERT_EQ(got(), "from-metadata from the metadata server");
  for (const test::SeenRequest& request : fake_.seen) {
    EXPECT_EQ(request.header("Metadata-Flavor"), "Google");
    EXPECT_TRUE(request.bypass_proxy);
  }
  answer_headers_.clear();
  EXPECT_NE(got().find("what answers is not Google's metadata server"), std::string::npos) << got();
}

TEST_F(DefaultCredentialsTest, TheMetadataServerMayBeElsewhereAndMayHaveNoAccount) {
  fake_.variables["GCE_METADATA_HOST"] = "127.0.0.1:81";
  expect_error(DefaultCredentials(environment(), "").fetch(), ErrorCode::kUnavailable, "127.0.0.1:81: nobody answers");
  const std::string token = "GET http://127.0.0.1:81/computeMetadata/v1/instance/service-accounts/default/token";
  fake_.replies["GET http://127.0.0.1:81/"] = {{200, ""}};
  fake_.replies[token] = {{503, ""}, {200, kAnswer}};
  EXPECT_EQ(got(), "from-metadata from the metadata server");
  fake_.replies[token] = {{404, ""}};
  expect_error(DefaultCredentials(environment(), "").fetch(), ErrorCode::kDenied, "no service account is attached");
  fake_.replies[token] = {{200, "<html>"}};
  expect_error(DefaultCredentials(environment(), "").fetch(), ErrorCode::kUnavailable, "no JSON");
}

}  // namespace
}  // namespace drs
