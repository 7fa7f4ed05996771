// The meaning of each answer of S3, without a server.
#include "sinks/cloud/s3/s3_protocol.h"

#include <gtest/gtest.h>

#include "tests/sinks/transport/fake_environment.h"

namespace drs {
namespace {

using Kind = Judgement::Kind;

class S3ProtocolTest : public ::testing::Test {
 protected:
  S3ProtocolTest()
      : credentials_(std::make_shared<AwsCredentialsProvider>(
            [] {
              AwsCredentials credentials;
              credentials.access_key_id = "AKIDEXAMPLE";
              return Result<AwsCredentials>(std::move(credentials));
            },
            clock_)),
        address_(*S3Address::make(*parse_s3_location("s3://bucket/prefix"),
                                  {.region = "us-east-1", .endpoint = "https://store.example", .style = {}})),
        protocol_(address_, credentials_, clock_, {}) {}

  static HttpTransfer answered(int status, const std::string& code = "", std::vector<HttpHeader> headers = {}) {
    HttpTransfer transfer;
    transfer.status = status;
    transfer.answer_headers = std::move(headers);
    if (!code.empty()) transfer.text = "<Error><Code>" + code + "</Code><Message>because</Message></Error>";
    return transfer;
  }
  Judgement judge(StoreRequest::Kind kind, const std::string& method, const HttpTransfer& transfer) {
    StoreRequest request;
    request.kind = kind;
    request.method = method;
    request.what = "put packs/x";
    return protocol_.judge(request, transfer);
  }
  Judgement judge_put(const HttpTransfer& transfer) { return judge(StoreRequest::Kind::kPut, "PUT", transfer); }
  Judgement judge_head(const HttpTransfer& transfer) { return judge(StoreRequest::Kind::kStat, "HEAD", transfer); }
  // The value of a header of a request.
  static std::string sent(const HttpTransfer& transfer, std::string_view name) {
    for (const HttpHeader& header : transfer.headers)
      if (header.name == name) return header.value;
    return "";
  }
  static std::string told(const Judgement& judgement) { return judgement.error ? judgement.error->message : ""; }
  static bool says(const Judgement& judgement, std::string_view text) {
    return told(judgement).find(text) != std::string::npos;
  }

  test::FakeClock clock_;  // 2026-11-20T00:00:00Z
  std::shared_ptr<AwsCredentialsProvider> credentials_;
  S3Address address_;
  S3Protocol protocol_;
};

TEST_F(S3ProtocolTest, TriesAgainWhatPassesAndKnowsWhatMayHaveHappened) {
  using Effect = Judgement::Effect;
  struct Case {
    int status;
    const char* code;
    Kind kind;
    Judgement::Effect effect;
  };
  for (const Case& c :
       {Case{500, "InternalError", Kind::kRetry, Effect::kPossible}, Case{502, "", Kind::kRetry, Effect::kPossible},
        Case{503, "", Kind::kSlowDown, Effect::kPossible}, Case{503, "SlowDown", Kind::kSlowDown, Effect::kNone},
        Case{429, "", Kind::kSlowDown, Effect::kNone}, Case{400, "RequestTimeout", Kind::kRetry, Effect::kNone},
        Case{400, "BadDigest", Kind::kRetry, Effect::kNone}, Case{400, "IncompleteBody", Kind::kRetry, Effect::kNone},
        Case{409, "ConditionalRequestConflict", Kind::kRetry, Effect::kNone},
        Case{409, "OperationAborted", Kind::kRetry, Effect::kNone}, Case{200, "", Kind::kRetry, Effect::kPossible},
        Case{404, "", Kind::kRetry, Effect::kPossible}, Case{404, "NoSuchKey", Kind::kRetry, Effect::kPossible},
        Case{200, "InternalError", Kind::kRetry, Effect::kPossible}}) {
    const Judgement judgement = judge_put(answered(c.status, c.code));
    EXPECT_EQ(judgement.kind, c.kind) << c.status << c.code;
    EXPECT_EQ(judgement.effect, c.effect) << c.status << c.code;
    EXPECT_TRUE(says(judgement, "https://store.example answered " + std::to_string(c.status))) << told(judgement);
  }
  EXPECT_EQ(judge_put(answered(503, "SlowDown", {{"retry-after", "7"}})).retry_after, std::chrono::seconds(7));
}

TEST_F(S3ProtocolTest, FailsForGoodWithWhatToDo) {
  struct Case {
    int status;
    const char* code;
    ErrorCode error;
    const char* text;
  };
  for (const Case& c : {Case{412, "PreconditionFailed", ErrorCode::kAlreadyExists, ""},
                        Case{403, "AccessDenied", ErrorCode::kDenied, "may not put here"},
                        Case{403, "SignatureDoesNotMatch", ErrorCode::kDenied, "secret is wrong"},
                        Case{403, "InvalidAccessKeyId", ErrorCode::kDenied, "access key"},
                        Case{404, "XAdminUserNotFound", ErrorCode::kDenied, "access key"},
                        Case{507, "XMinioStorageFull", ErrorCode::kNoSpace, "full"},
                        Case{400, "XMinioAdminBucketQuotaExceeded", ErrorCode::kNoSpace, "quota"},
                        Case{301, "PermanentRedirect", ErrorCode::kUsage, "--region"},
                        Case{400, "AuthorizationHeaderMalformed", ErrorCode::kUsage, "--region"},
                        Case{501, "NotImplemented", ErrorCode::kUsage, "--single-writer"}}) {
    const Judgement judgement = judge_put(answered(c.status, c.code));
    EXPECT_EQ(judgement.kind, Kind::kFailure) << c.code;
    ASSERT_TRUE(judgement.error.has_value()) << c.code;
    EXPECT_EQ(judgement.error->code, c.error) << c.code;
    EXPECT_TRUE(says(judgement, c.text)) << told(judgement);
  }
}

TEST_F(S3ProtocolTest, TakesOnlyItsOwnErrorsForGone) {
  const auto judge_get = [&](const HttpTransfer& transfer) { return judge(StoreRequest::Kind::kGet, "GET", transfer); };
  for (const char* const code : {"NoSuchKey", "NoSuchVersion"}) {
    EXPECT_EQ(judge_get(answered(404, code)).kind, Kind::kGone) << code;
    EXPECT_EQ(judge_get(answered(404, code)).error->code, ErrorCode::kNotFound) << code;
  }
  for (const Judgement& bucket : {judge_get(answered(404, "NoSuchBucket")), judge_put(answered(404, "NoSuchBucket"))}) {
    EXPECT_EQ(bucket.kind, Kind::kGone);
    EXPECT_EQ(bucket.error->code, ErrorCode::kNoRepository);
    EXPECT_TRUE(says(bucket, "create it"));
  }
  const Judgement other = judge_get(answered(404));
  EXPECT_EQ(other.kind, Kind::kRetry);
  EXPECT_TRUE(other.stranger);
  EXPECT_TRUE(says(other, "no answer of S3")) << told(other);
  EXPECT_EQ(judge(StoreRequest::Kind::kList, "GET", answered(404, "NoSuchKey")).kind, Kind::kRetry);
  EXPECT_EQ(judge(StoreRequest::Kind::kRemove, "DELETE", answered(204)).kind, Kind::kSuccess);
  HttpTransfer page = answered(200);
  page.text = "<html>Blocked</html>";
  for (const auto kind : {StoreRequest::Kind::kRemove, StoreRequest::Kind::kRetain})
    EXPECT_EQ(judge(kind, kind == StoreRequest::Kind::kRemove ? "DELETE" : "PUT", page).kind, Kind::kRetry);
}

TEST_F(S3ProtocolTest, SignsAPutsConditionAndItsChecksum) {
  PutOperation operation;
  operation.key = "packs/x";
  operation.body = {as_bytes("body")};
  const StoreRequest request = protocol_.put(operation);
  HttpTransfer transfer = transfer_of(request);
  ASSERT_TRUE(protocol_.authorise(request, transfer).ok());
  EXPECT_EQ(sent(transfer, "If-None-Match"), "*");
  EXPECT_EQ(sent(transfer, "x-amz-checksum-sha256"), "Iw2DWNyOiJC0xY3utikS7i8gNXrpKlzIYbmOaP4xrLU=");
  const std::string signature = sent(transfer, "Authorization");
  const std::string names = signature.substr(signature.find("SignedHeaders="));
  for (const char* const name : {"host", "if-none-match", "x-amz-checksum-sha256", "x-amz-content-sha256"})
    EXPECT_NE(names.find(name), std::string::npos) << name << " in " << signature;
}

// S3 requires a checksum for a lock, whether the put or the bucket asks for the lock.
TEST_F(S3ProtocolTest, SendsContentMd5WithEveryLockWhereTheChecksumIsRefused) {
  S3ProtocolOptions options;
  options.put.lock = S3Lock{S3Lock::Mode::kGovernance, std::chrono::days(20)};
  options.put.lock_prefixes = {"packs/"};
  PutOperation operation;
  operation.key = "packs/x";
  operation.body = {as_bytes("bo"), as_bytes("dy")};
  for (const auto kind : {StoreRequest::Kind::kPut, StoreRequest::Kind::kRetain}) {
    S3Protocol locking(address_, credentials_, clock_, options);
    StoreRequest request = kind == StoreRequest::Kind::kPut ? locking.put(operation) : locking.lock("packs/x");
    request.kind = kind;
    if (kind == StoreRequest::Kind::kPut) request.body = operation.body;
    HttpTransfer first = transfer_of(request);
    ASSERT_TRUE(locking.authorise(request, first).ok());
    EXPECT_EQ(sent(first, "Content-MD5"), "");
    first.status = 400;
    first.text =
        "<Error><Code>InvalidArgument</Code><Message>Unsupported header 'x-amz-checksum-sha256'</Message></Error>";
    EXPECT_EQ(locking.judge(request, first).kind, Kind::kOnceMore);
    HttpTransfer second = transfer_of(request);
    ASSERT_TRUE(locking.authorise(request, second).ok());
    EXPECT_EQ(sent(second, "x-amz-checksum-sha256"), "");
    EXPECT_EQ(sent(second, "Content-MD5").size(), 24U);
    if (kind == StoreRequest::Kind::kPut) {
      EXPECT_EQ(sent(second, "Content-MD5"), "hBotaJrYa9FhFEdFPCLG/A==");
      EXPECT_EQ(sent(second, "x-amz-object-lock-mode"), "GOVERNANCE");
    }
    EXPECT_NE(sent(second, "Authorization").find("SignedHeaders=content-md5;"), std::string::npos);
  }
}

TEST_F(S3ProtocolTest, RefreshesCredentialsThatExpired) {
  EXPECT_EQ(judge_put(answered(403, "ExpiredToken")).kind, Kind::kRefresh);
  EXPECT_EQ(judge_put(answered(400, "ExpiredToken")).kind, Kind::kRefresh);  // the status that AWS uses
}

TEST_F(S3ProtocolTest, TellsHowFarTheClocksAreApart) {
  // The clock of the store is 20 minutes ahead; S3 accepts 15.
  const std::vector<HttpHeader> late = {{"date", "Fri, 20 Nov 2026 00:20:00 GMT"}};
  for (const char* const code : {"RequestTimeTooSkewed", "SignatureDoesNotMatch", "AccessDenied", "RequestExpired"}) {
    const Judgement judgement = judge_put(answered(403, code, late));
    EXPECT_EQ(judgement.kind, Kind::kFailure) << code;
    EXPECT_TRUE(says(judgement, "1200 s behind")) << told(judgement);
  }
  EXPECT_TRUE(says(judge_head(answered(403, "", {{"date", "Thu, 19 Nov 2026 23:40:00 GMT"}})), "1200 s ahead"));
  const std::vector<HttpHeader> near = {{"date", "Fri, 20 Nov 2026 00:14:00 GMT"}};
  EXPECT_FALSE(says(judge_put(answered(403, "AccessDenied", near)), "clock"));
  EXPECT_TRUE(says(judge_put(answered(403, "RequestTimeTooSkewed")), "clock"));
}

TEST_F(S3ProtocolTest, UnderstandsAnswersToHeadThatHaveNoText) {
  EXPECT_EQ(judge_head(answered(404)).kind, Kind::kSaidGone);
  EXPECT_EQ(judge_head(answered(404)).error->code, ErrorCode::kNotFound);
  for (const int status : {400, 403}) {
    // The credentials may have expired. If new ones do not help, it is a refusal.
    const Judgement judgement = judge_head(answered(status));
    EXPECT_EQ(judgement.kind, Kind::kRefresh) << status;
    EXPECT_EQ(judgement.error->code, ErrorCode::kDenied) << status;
  }
  const std::vector<HttpHeader> elsewhere = {{"x-amz-bucket-region", "eu-central-1"}};
  for (const int status : {301, 400, 403}) {
    const Judgement judgement = judge_head(answered(status, "", elsewhere));
    EXPECT_EQ(judgement.kind, Kind::kFailure) << status;
    EXPECT_EQ(judgement.error->code, ErrorCode::kUsage) << status;
    EXPECT_TRUE(says(judgement, "region eu-central-1")) << told(judgement);
  }
  // S3 names the region even if it is right.
  EXPECT_EQ(judge_head(answered(403, "", {{"x-amz-bucket-region", "us-east-1"}})).error->code, ErrorCode::kDenied);
  EXPECT_EQ(judge_head(answered(503)).kind, Kind::kSlowDown);
}

TEST_F(S3ProtocolTest, TellsWhichOfSeveralObjectsStay) {
  const auto told = [&](const std::string& failures) {
    HttpTransfer answer;
    answer.text = "<DeleteResult><Deleted><Key>prefix/packs/a</Key></Deleted>" + failures + "</DeleteResult>";
    return protocol_.parse_remove_several(answer);
  };
  const auto failure = [](const std::string& key, const std::string& code) {
    return "<Error><Key>prefix/" + key + "</Key><Code>" + code + "</Code></Error>";
  };
  EXPECT_TRUE(told("").ok());
  EXPECT_TRUE(told(failure("packs/b", "NoSuchKey")).ok());
  const auto denied = told(failure("packs/b", "AccessDenied"));
  ASSERT_FALSE(denied.ok());
  EXPECT_EQ(denied.error().code, ErrorCode::kDenied);
  EXPECT_EQ(denied.error().message, "remove packs/b: AccessDenied");
  const auto passes = told(failure("packs/b", "AccessDenied") + failure("packs/c", "InternalError"));
  ASSERT_FALSE(passes.ok());
  EXPECT_EQ(passes.error().code, ErrorCode::kUnavailable);  // the same request may succeed later
}

TEST_F(S3ProtocolTest, FollowsATemporaryRedirect) {
  const Judgement judgement = judge_put(answered(307, "TemporaryRedirect", {{"location", "https://other.example/x"}}));
  EXPECT_EQ(judgement.kind, Kind::kRedirect);
  EXPECT_EQ(judgement.url, "https://other.example/x");
  EXPECT_EQ(judge_put(answered(307)).kind, Kind::kFailure);
}

}  // namespace
}  // namespace drs
