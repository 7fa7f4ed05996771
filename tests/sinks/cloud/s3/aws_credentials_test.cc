#include "sinks/cloud/s3/aws_credentials.h"

#include <gtest/gtest.h>

#include "sinks/transport/iso_time.h"

namespace drs {
namespace {

using enum CredentialsDocument;

// IAM roles for Amazon EC2, "Retrieve security credentials from instance metadata".
constexpr std::string_view kMetadataAnswer = R"({
  "Code" : "Success",
  "LastUpdated" : "2012-04-26T16:39:16Z",
  "Type" : "AWS-HMAC",
  "AccessKeyId" : "ASIAIOSFODNN7EXAMPLE",
  "SecretAccessKey" : "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  "Token" : "token",
  "Expiration" : "2017-05-17T15:09:54Z"
})";

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string out(text);
  const std::size_t at = out.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return out.replace(at, from.size(), to);
}

void expect_refused(std::string_view json, CredentialsDocument kind, std::string_view text) {
  const Result<AwsCredentials> parsed = parse_credentials_json(as_bytes(json), kind);
  ASSERT_FALSE(parsed.ok()) << json;
  EXPECT_EQ(parsed.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(parsed.error().message.find(text), std::string::npos) << parsed.error().message;
  EXPECT_EQ(parsed.error().message.find("wJalrXUtnFEMI"), std::string::npos);
}

TEST(AwsCredentials, AreReadFromTheAnswerOfAMetadataService) {
  const Result<AwsCredentials> parsed = parse_credentials_json(as_bytes(kMetadataAnswer), kMetadata);
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  EXPECT_EQ(parsed->access_key_id, "ASIAIOSFODNN7EXAMPLE");
  EXPECT_EQ(as_text(parsed->secret_access_key.view()), "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
  EXPECT_EQ(as_text(parsed->session_token.view()), "token");
  EXPECT_EQ(parsed->expires_ns, parse_iso_time("2017-05-17T15:09:54Z"));
}

TEST(AwsCredentials, OfAContainerHaveNoCode) {
  EXPECT_TRUE(
      parse_credentials_json(as_bytes(replaced(kMetadataAnswer, "\"Code\" : \"Success\",", "")), kMetadata).ok());
}

TEST(AwsCredentials, AMetadataAnswerMustBeWhole) {
  for (const char* name : {"AccessKeyId", "SecretAccessKey", "\"Token\"", "Expiration"}) {
    const std::string bare = name[0] == '"' ? "Token" : name;
    expect_refused(replaced(kMetadataAnswer, name, name[0] == '"' ? "\"T\"" : "T"), kMetadata, bare);
  }
  expect_refused(replaced(kMetadataAnswer, "\"token\"", "\"\""), kMetadata, "Token");
  expect_refused(replaced(kMetadataAnswer, "\"token\"", "7"), kMetadata, "Token");
  expect_refused(replaced(kMetadataAnswer, "2017-05-17T15:09:54Z", "soon"), kMetadata, "Expiration");
  expect_refused(replaced(kMetadataAnswer, "\"token\"", R"("to\nken")"), kMetadata, "session token");
}

TEST(AwsCredentials, WhatTheServiceSaysWentWrongIsPassedOn) {
  expect_refused(R"({"Code":"AssumeRoleUnauthorizedAccess","Message":"EC2 cannot assume the role"})", kMetadata,
                 "AssumeRoleUnauthorizedAccess: EC2 cannot assume the role");
  expect_refused(R"({"code":"AccessDenied","message":"no\u001b[1m"})", kMetadata, "AccessDenied: no?[1m");
}

TEST(AwsCredentials, RefuseWhatIsNoJsonObject) {
  for (std::string_view json : {"", "{", "[]", "\"a\"", "<html>", "{\"AccessKeyId\":\"\xFF\"}"})
    for (const CredentialsDocument kind : {kMetadata, kProcess}) expect_refused(json, kind, "JSON");
}

TEST(AwsCredentials, OfAProcessNeedNotExpire) {
  const Result<AwsCredentials> parsed =
      parse_credentials_json(as_bytes(R"({"Version":1,"AccessKeyId":"id","SecretAccessKey":"secret"})"), kProcess);
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  EXPECT_EQ(parsed->expires_ns, std::nullopt);
  EXPECT_TRUE(parsed->session_token.empty());
  const Result<AwsCredentials> temporary = parse_credentials_json(
      as_bytes(R"({"Version":1,"AccessKeyId":"id","SecretAccessKey":"secret","SessionToken":"token",
                   "Expiration":"2017-05-17T15:09:54+00:00"})"),
      kProcess);
  ASSERT_TRUE(temporary.ok()) << temporary.error().message;
  EXPECT_EQ(as_text(temporary->session_token.view()), "token");
  EXPECT_EQ(temporary->expires_ns, parse_iso_time("2017-05-17T15:09:54Z"));
}

TEST(AwsCredentials, OfAProcessMustBeOfVersion1) {
  expect_refused(R"({"AccessKeyId":"id","SecretAccessKey":"secret"})", kProcess, "Version 1");
  expect_refused(R"({"Version":2,"AccessKeyId":"id","SecretAccessKey":"secret"})", kProcess, "Version 1");
  expect_refused(R"({"Version":"1","AccessKeyId":"id","SecretAccessKey":"secret"})", kProcess, "Version 1");
}

TEST(AwsCredentials, PartsThatCannotBeSentAreNamedWithoutTheirValue) {
  const auto problem = [](std::string id, std::string_view secret, std::string_view token) {
    AwsCredentials credentials;
    credentials.access_key_id = std::move(id);
    credentials.secret_access_key = SecretBytes::copy_of(as_bytes(secret));
    credentials.session_token = SecretBytes::copy_of(as_bytes(token));
    const Result<void> checked = check_credentials(credentials);
    return checked.ok() ? "none" : checked.error().message;
  };
  EXPECT_EQ(problem("id", "secret/+=", ""), "none");
  EXPECT_EQ(problem("", "secret", ""), "the access key id is empty");
  EXPECT_EQ(problem("id", "", ""), "the secret access key is empty");
  EXPECT_TRUE(problem("id\r\nX: y", "secret", "").starts_with("the access key id holds"));
  EXPECT_TRUE(problem("id", "hunter2\n", "").starts_with("the secret access key holds"));
  EXPECT_EQ(problem("id", "hunter2\n", "").find("hunter2"), std::string::npos);
  EXPECT_TRUE(problem("id", "secret", "to ken").starts_with("the session token holds"));
}

}  // namespace
}  // namespace drs
