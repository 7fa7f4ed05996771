#include "sinks/s3/s3_protocol.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

#include "codecs/base64.h"
#include "codecs/sha256.h"
#include "sinks/endpoint.h"
#include "sinks/iso_time.h"
#include "sinks/s3/s3_xml.h"
#include "sinks/uri_encoding.h"

namespace drs {
namespace {

constexpr std::size_t kListKeysMax = 1000;

// Answers to a request that never took place: it may be made again at once, and nothing was changed.
constexpr std::array<std::string_view, 5> kTemporary = {"RequestTimeout", "InternalError", "ServiceUnavailable",
                                                        "OperationAborted", "ConditionalRequestConflict"};
constexpr std::array<std::string_view, 5> kTooFast = {"SlowDown", "SlowDownRead", "SlowDownWrite", "TooManyRequests",
                                                      "RequestLimitExceeded"};
constexpr std::array<std::string_view, 3> kExpired = {"ExpiredToken", "TokenRefreshRequired", "RequestExpired"};
// The bytes that came are not those that were sent; or they were lost on the way.
constexpr std::array<std::string_view, 5> kDamagedOnTheWay = {
    "BadDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch", "IncompleteBody", "InvalidDigest"};
// The bucket is not where it was asked for.
constexpr std::array<std::string_view, 3> kElsewhere = {"AuthorizationHeaderMalformed", "PermanentRedirect",
                                                        "IllegalLocationConstraintException"};
constexpr std::array<std::string_view, 4> kFull = {"QuotaExceeded", "XMinioStorageFull",
                                                   "XMinioAdminBucketQuotaExceeded", "StorageFull"};

bool is_one_of(std::string_view code, const auto& codes) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

// Signatures are refused when the clocks are further apart: S3's own limit.
constexpr std::int64_t kSkewNsMax = std::int64_t{15} * 60 * 1'000'000'000;

// "Bucket is missing Object Lock Configuration", with one space less in MinIO.
bool lock_is_missing(std::string_view code, std::string_view message) {
  return code == "InvalidRequest" && message.find("Bucket is missing Object") != std::string_view::npos;
}

}  // namespace

S3Protocol::S3Protocol(S3Address address, std::shared_ptr<AwsCredentialsProvider> credentials, const Clock& clock,
                       S3ProtocolOptions options)
    : address_(std::move(address)),
      credentials_(std::move(credentials)),
      clock_(clock),
      options_(options),
      signer_(address_.region(), "s3") {}

std::string S3Protocol::connection() const {
  return std::string(address_.https() ? "HTTPS" : "HTTP") + " to " + address_.host();
}

StoreRequest S3Protocol::to_object(const char* method, const ObjectKey& key) const {
  StoreRequest request;
  request.method = method;
  request.path = address_.object_path(key);
  return request;
}

StoreRequest S3Protocol::put(const PutOperation& operation) {
  StoreRequest request = to_object("PUT", operation.key);
  Digest digest;
  if (operation.sha256) {
    digest = *operation.sha256;
  } else {
    Sha256 sha256;
    for (const ByteView piece : operation.body) sha256.update(piece);
    digest = sha256.finish();
  }
  request.body_sha256 = digest.hex();
  request.headers.push_back({"x-amz-checksum-sha256", to_base64(digest.view())});
  if (!options_.single_writer) request.headers.push_back({"If-None-Match", "*"});
  for (HttpHeader& header : put_headers(options_.put, operation.key, clock_.wall_ns()))
    request.headers.push_back(std::move(header));
  return request;
}

StoreRequest S3Protocol::get(const ObjectKey& key, std::uint64_t offset_bytes, std::size_t bytes) {
  StoreRequest request = to_object("GET", key);
  request.headers.push_back(
      {"Range", "bytes=" + std::to_string(offset_bytes) + "-" + std::to_string(offset_bytes + bytes - 1)});
  return request;
}

StoreRequest S3Protocol::stat(const ObjectKey& key) {
  return to_object("HEAD", key);
}

Result<ObjectInfo> S3Protocol::parse_stat(const ObjectKey& key, const HttpTransfer& answer) {
  const std::string_view text = answer.header("content-length");
  std::uint64_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (error != std::errc{} || end != text.data() + text.size())
    return Error{ErrorCode::kUnavailable, "stat " + key + ": the store does not say how large it is"};
  return ObjectInfo{key, size, parse_http_date(answer.header("last-modified")).value_or(0)};
}

StoreRequest S3Protocol::remove(const ObjectKey& key) {
  return to_object("DELETE", key);
}

std::size_t S3Protocol::remove_keys_max() const {
  return kS3DeleteKeysMax;
}

StoreRequest S3Protocol::remove_several(std::span<const ObjectKey> keys) {
  std::vector<std::string> full_keys;
  for (const ObjectKey& key : keys) full_keys.push_back(address_.full_key(key));
  StoreRequest request;
  request.method = "POST";
  request.path = address_.bucket_path();
  request.query = "delete=";
  request.preamble = delete_objects_body(full_keys);
  const Digest digest = sha256(as_bytes(request.preamble));
  request.body_sha256 = digest.hex();
  request.headers.push_back({"x-amz-checksum-sha256", to_base64(digest.view())});  // S3 refuses it without a checksum
  return request;
}

Result<void> S3Protocol::parse_remove_several(const HttpTransfer& answer) {
  DRS_ASSIGN_OR_RETURN(const S3DeleteResult result, parse_delete_result(as_bytes(answer.text)));
  std::optional<Error> refused;
  for (const S3DeleteFailure& failure : result.failed) {
    const std::string& code = failure.code;
    if (code == "NoSuchKey" || code == "NoSuchVersion") continue;
    const bool passes = is_one_of(code, kTemporary) || is_one_of(code, kTooFast);
    Error error{passes ? ErrorCode::kUnavailable : ErrorCode::kDenied,
                "remove " + std::string(address_.own_key(failure.key).value_or(failure.key)) + ": " + code +
                    (failure.message.empty() ? "" : ": " + failure.message)};
    if (passes) return error;
    if (!refused) refused = std::move(error);
  }
  if (refused) return *std::move(refused);
  return {};
}

StoreRequest S3Protocol::list(std::string_view prefix, const std::string& continuation) {
  StoreRequest request;
  request.method = "GET";
  request.path = address_.bucket_path();
  std::vector<UriParameter> parameters = {{"list-type", "2"},
                                          {"encoding-type", "url"},
                                          {"max-keys", std::to_string(kListKeysMax)},
                                          {"prefix", address_.full_key(prefix)}};
  if (!continuation.empty()) parameters.push_back({"continuation-token", continuation});
  request.query = uri_encode_query(parameters);
  return request;
}

Result<CloudListPage> S3Protocol::parse_list(const HttpTransfer& answer) {
  DRS_ASSIGN_OR_RETURN(const S3ListPage page, parse_list_objects(as_bytes(answer.text)));
  CloudListPage out;
  for (const S3ListedObject& object : page.objects) {
    const auto key = address_.own_key(object.key);
    if (key && is_valid_object_key(*key))
      out.objects.push_back({ObjectKey(*key), object.size_bytes, object.modified_ns});
  }
  if (page.truncated) out.continuation = page.continuation_token;
  return out;
}

StoreRequest S3Protocol::bucket_setting(std::string_view name) const {
  StoreRequest request;
  request.method = "GET";
  request.path = address_.bucket_path();
  request.query = std::string(name) + "=";
  return request;
}

// Until when is told to who has s3:GetObjectRetention.
bool S3Protocol::locked_long_enough(const HttpTransfer& stat_answer) const {
  const auto until = parse_iso_time(stat_answer.header("x-amz-object-lock-retain-until-date"));
  constexpr std::chrono::hours kUntilCommit(1);  // what is asked now must hold from the commit on
  const std::chrono::nanoseconds period = options_.put.lock->days + kUntilCommit;
  return until && *until >= clock_.wall_ns() + period.count();
}

StoreRequest S3Protocol::retain(const ObjectKey& key) {
  const S3Lock& lock = *options_.put.lock;
  const std::chrono::nanoseconds period = lock.days + lock.slack();
  StoreRequest request = to_object("PUT", key);
  request.query = "retention=";
  request.preamble = retention_body(lock.mode, clock_.wall_ns() + period.count());
  const Digest digest = sha256(as_bytes(request.preamble));
  request.body_sha256 = digest.hex();
  // S3 refuses a retention without a checksum.
  request.headers.push_back({"x-amz-checksum-sha256", to_base64(digest.view())});
  return request;
}

Result<StoreProtocol::Credentials> S3Protocol::authorise(const StoreRequest& request, HttpTransfer& transfer) {
  DRS_ASSIGN_OR_RETURN(const std::shared_ptr<const AwsCredentials> credentials, credentials_->get());
  std::string hash = request.body_sha256;
  if (hash.empty()) {
    Sha256 sha256;
    for (const ByteView piece : request.body) sha256.update(piece);
    hash = sha256.finish().hex();
  }
  SigV4Request to_sign;
  to_sign.method = request.method;
  to_sign.canonical_path = request.path;
  to_sign.canonical_query = request.query;
  to_sign.payload_hash = hash;
  to_sign.time_ns = clock_.wall_ns();
  to_sign.headers = request.headers;
  std::string host = address_.host();
  transfer.url = address_.url(request.path, request.query);
  if (!request.redirect_url.empty()) {
    // Another host of the same store, for the same path.
    const std::optional<Endpoint> other = endpoint_of_url(request.redirect_url);
    if (!other) return Error{ErrorCode::kUnavailable, "the store redirects to what is no URL of http or https"};
    if (!address_.may_redirect_to(*other))
      return Error{ErrorCode::kDenied,
                   connection() + " is redirected to " + other->url() +
                       (other->https || !address_.https() ? ", outside the endpoint's domain" : ", without TLS") +
                       ": refused, and nothing was sent there; if that is where the bucket is, set --endpoint-url"};
    host = other->authority;
    transfer.url = other->url_to(request.path, request.query);
  }
  to_sign.headers.push_back({"Host", host});
  for (HttpHeader& header : signer_.sign(*credentials, to_sign)) transfer.headers.push_back(std::move(header));
  return Credentials(credentials);
}

Result<void> S3Protocol::refresh(const Credentials& refused) {
  const auto fresh = credentials_->refresh(std::static_pointer_cast<const AwsCredentials>(refused));
  return fresh.ok() ? Result<void>() : Result<void>(fresh.error());
}

Error S3Protocol::explain(const HttpTransfer& transfer, ErrorCode code, const std::string& advice) const {
  const auto told = parse_s3_error(as_bytes(transfer.text));
  std::string text =
      (address_.https() ? "https://" : "http://") + address_.host() + " answered " + std::to_string(transfer.status);
  if (told.ok()) text += " " + told->code + (told->message.empty() ? "" : ": " + told->message);
  if (!advice.empty()) text += "; " + advice;
  return {code, text};
}

// What to do about clocks that disagree too much for signatures; empty if they do not.
std::string S3Protocol::skew_advice(const HttpTransfer& transfer) const {
  const auto server_ns = parse_http_date(transfer.header("date"));
  if (!server_ns) return "";
  const std::int64_t skew_ns = clock_.wall_ns() - *server_ns;
  if (std::abs(skew_ns) < kSkewNsMax) return "";
  return "this machine's clock is " + std::to_string(std::abs(skew_ns) / 1'000'000'000) + " s " +
         (skew_ns < 0 ? "behind" : "ahead of") + " the store's: set it (and keep it right by NTP)";
}

// Who asked, or where, is wrong: what to do about it. Answers to HEAD come without a text that would say it.
Judgement S3Protocol::judge_refusal(const StoreRequest& request, const HttpTransfer& transfer,
                                    const std::string& code) const {
  const auto fail = [&](ErrorCode error, const std::string& advice) {
    return Judgement{Judgement::Kind::kFailure, explain(transfer, error, advice), {}, false, {}};
  };
  // Before all that a wrong clock may look like.
  if (const std::string advice = skew_advice(transfer); !advice.empty()) return fail(ErrorCode::kDenied, advice);
  if (code == "RequestTimeTooSkewed")
    return fail(ErrorCode::kDenied, "this machine's clock and the store's are too far apart: set it");
  const std::string action = request.what.substr(0, request.what.find(' '));
  if (is_one_of(code, kExpired) || code.empty()) {
    // Without a reason it may be that, too.
    Judgement judgement =
        fail(ErrorCode::kDenied, code.empty() ? "it does not say why; these credentials may not " + action +
                                                    " here, or are not valid any more: see `drstream policy s3`"
                                              : "the credentials have expired, and new ones do not work either");
    judgement.kind = Judgement::Kind::kRefresh;
    return judgement;
  }
  if (code == "InvalidAccessKeyId" || code == "SignatureDoesNotMatch")
    return fail(ErrorCode::kDenied, "the access key or its secret is wrong: check the credentials of this profile");
  if (code == "InvalidToken" || code == "InvalidTokenId")
    return fail(ErrorCode::kDenied, "the session token does not belong to the access key: get new credentials");
  if (code == "AccountProblem" || code == "AllAccessDisabled" || code == "NotSignedUp")
    return fail(ErrorCode::kDenied, "the account is blocked: ask the provider");
  return fail(ErrorCode::kDenied, "these credentials may not " + action + " here: see `drstream policy s3`");
}

// No answer of success, and nothing that passes.
Judgement S3Protocol::judge_failure(const StoreRequest& request, const HttpTransfer& transfer,
                                    const std::string& code) const {
  using Kind = Judgement::Kind;
  const int status = transfer.status;
  const auto fail = [&](ErrorCode error, const std::string& advice) {
    return Judgement{Kind::kFailure, explain(transfer, error, advice), {}, false, {}};
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
  if (code == "NoSuchBucket")
    return fail(ErrorCode::kNoRepository,
                "bucket " + address_.bucket() + " does not exist there: create it, or mend the name or the endpoint");
  if (lock_is_missing(code, told.ok() ? told->message : ""))
    return fail(ErrorCode::kUsage, "bucket " + address_.bucket() +
                                       " has no Object Lock, so --lock-days cannot be kept: make a bucket with Object "
                                       "Lock, or turn it on where versioning is on already");
  if (status == 404) return fail(ErrorCode::kNotFound, "");
  if (status == 412) return fail(ErrorCode::kAlreadyExists, "");
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
  const int status = transfer.status;
  const auto told = parse_s3_error(as_bytes(transfer.text));
  const std::string code = told.ok() ? told->code : "";
  const auto again = [&](Kind kind, bool doubtful) {
    return Judgement{kind,
                     explain(transfer, ErrorCode::kUnavailable, ""),
                     parse_retry_after(transfer, clock_.wall_ns()),
                     doubtful,
                     {}};
  };
  if (status >= 200 && status < 300) {
    // Some answers say 200 before they know that they will fail.
    return code.empty() ? Judgement{} : again(Kind::kRetry, true);
  }
  if (is_one_of(code, kTooFast) || status == 429) return again(Kind::kSlowDown, false);
  const bool full = is_one_of(code, kFull) || status == 507;
  // A 500 may come after the object was stored.
  if (status >= 500 && status != 501 && !full) return again(status == 503 ? Kind::kSlowDown : Kind::kRetry, true);
  if (is_one_of(code, kTemporary) || is_one_of(code, kDamagedOnTheWay) || status == 408)
    return again(Kind::kRetry, false);
  return judge_failure(request, transfer, code);
}

}  // namespace drs
