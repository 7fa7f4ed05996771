// S3Protocol::judge: the meaning of the answers of S3.
#include <algorithm>
#include <array>
#include <cstdlib>

#include "sinks/cloud/s3/s3_protocol.h"
#include "sinks/cloud/s3/s3_xml.h"
#include "sinks/transport/foreign_text.h"

namespace drs {
namespace {

constexpr std::size_t kTextBytesMax = 200;  // of a foreign text in a message

// Answers to a request that was not carried out: it may be repeated at once.
constexpr std::array<std::string_view, 5> kTemporary = {"RequestTimeout", "InternalError", "ServiceUnavailable",
                                                        "OperationAborted", "ConditionalRequestConflict"};
constexpr std::array<std::string_view, 5> kTooFast = {"SlowDown", "SlowDownRead", "SlowDownWrite", "TooManyRequests",
                                                      "RequestLimitExceeded"};
constexpr std::array<std::string_view, 3> kExpired = {"ExpiredToken", "TokenRefreshRequired", "RequestExpired"};
// The server received other bytes than were sent, or only a part of them.
constexpr std::array<std::string_view, 5> kDamagedOnTheWay = {
    "BadDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch", "IncompleteBody", "InvalidDigest"};
// The bucket is in another region.
constexpr std::array<std::string_view, 3> kElsewhere = {"AuthorizationHeaderMalformed", "PermanentRedirect",
                                                        "IllegalLocationConstraintException"};
constexpr std::array<std::string_view, 4> kFull = {"QuotaExceeded", "XMinioStorageFull",
                                                   "XMinioAdminBucketQuotaExceeded", "StorageFull"};

constexpr std::string_view kUnknownUser = "XAdminUserNotFound";  // of versitygw, with status 404

bool is_one_of(std::string_view code, const auto& codes) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

bool is_about_encryption(std::string_view message) {
  return message.find("ncrypt") != std::string_view::npos || message.find("KMS") != std::string_view::npos;
}

bool asks_for_encryption(const S3PutOptions& options) {
  return !options.encryption.empty();
}

// The checksum that a put of an object sent; empty if it sent none.
std::string_view checksum_of(const StoreRequest& request) {
  for (const HttpHeader& header : request.headers)
    if (header.name == kS3ChecksumHeader) return header.value;
  return {};
}

// As from Backblaze, "Unsupported header 'x-amz-checksum-sha256' received for this API call.", or with the name of the
// header in an element of its own.
bool is_about_checksums(const HttpTransfer& transfer) {
  const bool sent = std::any_of(transfer.headers.begin(), transfer.headers.end(),
                                [](const HttpHeader& header) { return header.name == kS3ChecksumHeader; });
  return sent && (transfer.status == 400 || transfer.status == 501) &&
         transfer.text.find("x-amz-checksum") != std::string::npos;
}

// S3 refuses a signature if the clocks differ by more.
constexpr std::int64_t kSkewNsMax = std::int64_t{15} * 60 * 1'000'000'000;

// "Bucket is missing Object Lock Configuration"; MinIO omits a space.
bool lock_is_missing(std::string_view code, std::string_view message) {
  return code == "InvalidRequest" && message.find("Bucket is missing Object") != std::string_view::npos;
}

}  // namespace

bool s3_error_passes(std::string_view code) {
  return is_one_of(code, kTemporary) || is_one_of(code, kTooFast);
}

Error S3Protocol::explain(const HttpTransfer& transfer, ErrorCode code, const std::string& advice) const {
  const auto told = parse_s3_error(as_bytes(transfer.text));
  std::string text =
      (address_.https() ? "https://" : "http://") + address_.host() + " answered " + std::to_string(transfer.status);
  if (told.ok()) text += " " + told->code + (told->message.empty() ? "" : ": " + told->message);
  if (!advice.empty()) text += "; " + advice;
  return {code, text};
}

// Advice for clocks that differ too much for signatures; empty if they do not.
std::string S3Protocol::skew_advice(const HttpTransfer& transfer) const {
  const auto server_ns = parse_http_date(transfer.header("date"));
  if (!server_ns) return "";
  const std::int64_t skew_ns = clock_.wall_ns() - *server_ns;
  if (std::abs(skew_ns) < kSkewNsMax) return "";
  return "this machine's clock is " + std::to_string(std::abs(skew_ns) / 1'000'000'000) + " s " +
         (skew_ns < 0 ? "behind" : "ahead of") + " the store's: set it (and keep it right by NTP)";
}

std::string S3Protocol::encryption_advice() const {
  return "no put that asks for server-side encryption (--sse " + options_.put.encryption +
         ") has worked here yet: is the server set up for it? What is stored is sealed without it, too";
}

// The identity or the address of the request is wrong: advice what to do. An answer to HEAD has no text with the
// reason.
Judgement S3Protocol::judge_refusal(const StoreRequest& request, const HttpTransfer& transfer,
                                    const std::string& code) const {
  const auto fail = [&](ErrorCode error, const std::string& advice) {
    return Judgement{.kind = Judgement::Kind::kFailure, .error = explain(transfer, error, advice)};
  };
  // First, since a wrong clock causes various other errors.
  if (const std::string advice = skew_advice(transfer); !advice.empty()) return fail(ErrorCode::kDenied, advice);
  if (code == "RequestTimeTooSkewed")
    return fail(ErrorCode::kDenied, "this machine's clock and the store's are too far apart: set it");
  const std::string action = request.what.substr(0, request.what.find(' '));
  if (is_one_of(code, kExpired) || code.empty()) {
    // An answer without a reason may mean expired credentials, too.
    Judgement judgement =
        fail(ErrorCode::kDenied, code.empty() ? "it does not say why; these credentials may not " + action +
                                                    " here, or are not valid any more: see `drstream policy s3`"
                                              : "the credentials have expired, and new ones do not work either");
    judgement.kind = Judgement::Kind::kRefresh;
    return judgement;
  }
  if (code == "InvalidAccessKeyId" || code == "SignatureDoesNotMatch" || code == kUnknownUser)
    return fail(ErrorCode::kDenied, "the access key or its secret is wrong: check the credentials of this profile");
  if (code == "InvalidToken" || code == "InvalidTokenId")
    return fail(ErrorCode::kDenied, "the session token does not belong to the access key: get new credentials");
  if (code == "AccountProblem" || code == "AllAccessDisabled" || code == "NotSignedUp")
    return fail(ErrorCode::kDenied, "the account is blocked: ask the provider");
  return fail(ErrorCode::kDenied, "these credentials may not " + action + " here: see `drstream policy s3`");
}

Judgement S3Protocol::judge_success(const StoreRequest& request, const HttpTransfer& transfer) const {
  const auto no_s3 = [&](const std::string& advice) {
    return Judgement{.kind = Judgement::Kind::kRetry,
                     .error = explain(transfer, ErrorCode::kUnavailable,
                                      advice + ": is that S3, or does a proxy or a page answer in its place?"),
                     .effect = Judgement::Effect::kPossible,
                     .stranger = true};
  };
  switch (request.kind) {
    case StoreRequest::Kind::kPut: {
      if (transfer.header("etag").empty()) return no_s3("to a put, without an ETag");
      const std::string_view kept = transfer.header(kS3ChecksumHeader);
      if (!kept.empty() && kept != checksum_of(request))
        return {.kind = Judgement::Kind::kRetry,
                .error = explain(transfer, ErrorCode::kUnavailable,
                                 "it holds bytes of SHA-256 " + foreign_text(kept, kTextBytesMax) +
                                     ", but those that were sent have " + std::string(checksum_of(request))),
                .effect = Judgement::Effect::kPossible};
      if (asks_for_encryption(options_.put)) server_->encrypts = true;
      return {};
    }
    case StoreRequest::Kind::kStat:
      if (request.method == "HEAD" && transfer.header("etag").empty()) return no_s3("to a HEAD, without an ETag");
      return {};
    case StoreRequest::Kind::kRemove:
      if (request.method == "DELETE" && !transfer.text.empty()) return no_s3("to a removal, with a text");
      return {};
    case StoreRequest::Kind::kRetain:
      if (request.method == "PUT" && !transfer.text.empty()) return no_s3("to a retention, with a text");
      return {};
    case StoreRequest::Kind::kGet:   // the caller checks the range
    case StoreRequest::Kind::kList:  // and parses the list
    case StoreRequest::Kind::kOther: break;
  }
  return {};
}

// Status 404.
Judgement S3Protocol::judge_absence(const StoreRequest& request, const HttpTransfer& transfer,
                                    const std::string& code) const {
  using Kind = Judgement::Kind;
  if (code == "NoSuchBucket")
    return {.kind = Kind::kGone,
            .error = explain(transfer, ErrorCode::kNoRepository,
                             "bucket " + address_.bucket() +
                                 " does not exist there: create it, or correct the name or the endpoint")};
  const bool of_an_object = request.kind != StoreRequest::Kind::kPut && request.kind != StoreRequest::Kind::kList;
  Judgement judgement{.kind = Kind::kRetry, .error = explain(transfer, ErrorCode::kNotFound, "")};
  if (of_an_object && (code == "NoSuchKey" || code == "NoSuchVersion")) {
    judgement.kind = Kind::kGone;
  } else if (request.method == "HEAD" && code.empty()) {
    judgement.kind = Kind::kSaidGone;
    judgement.stranger = true;
  } else if (request.kind == StoreRequest::Kind::kOther && !code.empty()) {
    judgement.kind = Kind::kFailure;  // a setting that the bucket does not have
  } else {
    judgement.error =
        explain(transfer, ErrorCode::kUnavailable,
                code.empty() ? "that is no answer of S3: is the endpoint right, and does it pass requests "
                               "on to the store?"
                             : "that is no answer to `" + request.what + "`");
    judgement.effect = Judgement::Effect::kPossible;
    judgement.stranger = code.empty();
  }
  return judgement;
}

// Neither success nor a temporary failure.
Judgement S3Protocol::judge_failure(const StoreRequest& request, const HttpTransfer& transfer,
                                    const std::string& code) const {
  using Kind = Judgement::Kind;
  const int status = transfer.status;
  const auto fail = [&](ErrorCode error, const std::string& advice) {
    return Judgement{.kind = Kind::kFailure, .error = explain(transfer, error, advice)};
  };
  if (is_one_of(code, kFull) || status == 507)
    return fail(ErrorCode::kNoSpace, "the bucket " + address_.bucket() + " or its quota is full: free space in it");
  if (status == 307) {
    Judgement judgement = fail(ErrorCode::kUnavailable, "the store redirects in circles");
    judgement.url = transfer.header("location");
    if (!judgement.url.empty()) judgement.kind = Kind::kRedirect;
    return judgement;
  }
  const auto told = parse_s3_error(as_bytes(transfer.text));
  const std::string region =
      told.ok() && !told->region.empty() ? told->region : std::string(transfer.header("x-amz-bucket-region"));
  const bool refused_here = status == 400 || status == 403;
  if (status == 301 || is_one_of(code, kElsewhere) || (refused_here && !region.empty() && region != address_.region()))
    return fail(ErrorCode::kUsage, "bucket " + address_.bucket() + " is in " +
                                       (region.empty() ? "another region" : "region " + region) + ", and " +
                                       address_.region() + " was asked: set --region or AWS_REGION");
  if (lock_is_missing(code, told.ok() ? told->message : ""))
    return fail(ErrorCode::kUsage, "bucket " + address_.bucket() +
                                       " has no Object Lock, so --lock-days cannot be kept: make a bucket with Object "
                                       "Lock, or turn it on where versioning is on already");
  if (status == 412) return fail(ErrorCode::kAlreadyExists, "");
  if (status == 501 && request.kind == StoreRequest::Kind::kPut && asks_for_encryption(options_.put) &&
      !server_->encrypts && is_about_encryption(told.ok() ? told->message : ""))
    return fail(ErrorCode::kUsage, encryption_advice());
  if (status == 501) {
    return fail(ErrorCode::kUsage,
                request.kind == StoreRequest::Kind::kPut && !options_.single_writer
                    ? "the server knows no conditional writes: use one that does, or --single-writer if nobody else "
                      "writes to this repository at the same time"
                    : "the server does not know what `" + request.what + "` needs");
  }
  const bool no_reason = code.empty() && status == 400 && request.method == "HEAD";
  if (status == 401 || status == 403 || no_reason || is_one_of(code, kExpired)) {
    return judge_refusal(request, transfer, code);
  }
  return fail(ErrorCode::kIo, "");
}

Judgement S3Protocol::judge(const StoreRequest& request, const HttpTransfer& transfer) {
  using Kind = Judgement::Kind;
  using Effect = Judgement::Effect;
  const int status = transfer.status;
  const auto told = parse_s3_error(as_bytes(transfer.text));
  const std::string code = told.ok() ? told->code : "";
  const auto again = [&](Kind kind, Effect effect) {
    return Judgement{.kind = kind,
                     .error = explain(transfer, ErrorCode::kUnavailable, ""),
                     .retry_after = parse_retry_after(transfer, clock_.wall_ns()),
                     .effect = effect};
  };
  if (status >= 200 && status < 300) {
    // Some answers begin with status 200 before the request fails.
    return code.empty() ? judge_success(request, transfer) : again(Kind::kRetry, Effect::kPossible);
  }
  if (is_about_checksums(transfer)) {
    server_->refuses_checksums = true;  // repeat without it
    return {.kind = Kind::kOnceMore, .error = explain(transfer, ErrorCode::kUsage, "")};
  }
  if (is_one_of(code, kTooFast) || status == 429) return again(Kind::kSlowDown, Effect::kNone);
  const bool full = is_one_of(code, kFull) || status == 507;
  // A 500 may follow after the object was stored.
  if (status >= 500 && status != 501 && !full) {
    Judgement judgement = again(status == 503 ? Kind::kSlowDown : Kind::kRetry, Effect::kPossible);
    if (request.kind == StoreRequest::Kind::kPut && status == 500 && asks_for_encryption(options_.put) &&
        !server_->encrypts) {
      // Servers without encryption keys answer so every time.
      judgement.brief = true;
      judgement.error->message += "; " + encryption_advice();
    }
    return judgement;
  }
  if (is_one_of(code, kTemporary) || is_one_of(code, kDamagedOnTheWay) || status == 408)
    return again(Kind::kRetry, Effect::kNone);
  if (code == kUnknownUser) return judge_refusal(request, transfer, code);
  if (status == 404) return judge_absence(request, transfer, code);
  return judge_failure(request, transfer, code);
}

}  // namespace drs
