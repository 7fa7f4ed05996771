#include "sinks/cloud/s3/s3_protocol.h"

#include <charconv>

#include "codecs/base64.h"
#include "codecs/md5.h"
#include "codecs/sha256.h"
#include "sinks/cloud/billed_days.h"
#include "sinks/cloud/s3/s3_xml.h"
#include "sinks/transport/endpoint.h"
#include "sinks/transport/iso_time.h"
#include "sinks/transport/uri_encoding.h"

namespace drs {
namespace {

constexpr std::size_t kListKeysMax = 1000;

}  // namespace

S3Protocol::S3Protocol(S3Address address, std::shared_ptr<AwsCredentialsProvider> credentials, const Clock& clock,
                       S3ProtocolOptions options, std::shared_ptr<S3ServerTraits> server)
    : address_(std::move(address)),
      credentials_(std::move(credentials)),
      clock_(clock),
      options_(std::move(options)),
      server_(server ? std::move(server) : std::make_shared<S3ServerTraits>()),
      signer_({.region = address_.region(), .service = "s3"}) {}

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
  request.headers.push_back({std::string(kS3ChecksumHeader), to_base64(digest.view())});
  if (!options_.single_writer) request.headers.push_back({"If-None-Match", "*"});
  for (HttpHeader& header : put_headers(options_.put, operation.key, clock_.wall_ns()))
    request.headers.push_back(std::move(header));
  return request;
}

bool S3Protocol::shows_stored(const StoreRequest& /*put*/, const HttpTransfer& answer) const {
  return !answer.header(kS3ChecksumHeader).empty();  // compared by judge_success
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
    return Error(ErrorCode::kUnavailable, "stat " + key + ": the store does not say how large it is");
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
  request.headers.push_back({std::string(kS3ChecksumHeader), to_base64(digest.view())});  // required by S3
  return request;
}

Result<void> S3Protocol::parse_remove_several(const HttpTransfer& answer) {
  DRS_ASSIGN_OR_RETURN(const S3DeleteResult result, parse_delete_result(as_bytes(answer.text)));
  std::optional<Error> refused;
  for (const S3DeleteFailure& failure : result.failed) {
    const std::string& code = failure.code;
    if (code == "NoSuchKey" || code == "NoSuchVersion") continue;
    const bool passes = s3_error_passes(code);
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
      out.objects.push_back(
          {ObjectKey(*key), object.size_bytes, object.modified_ns, billed_days_of(object.storage_class)});
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

// S3 shows the date only to credentials with s3:GetObjectRetention.
bool S3Protocol::locked_long_enough(const HttpTransfer& stat_answer) const {
  const auto until = parse_iso_time(stat_answer.header("x-amz-object-lock-retain-until-date"));
  constexpr std::chrono::hours kUntilCommit(1);  // the lock is checked now and has to last from the commit on
  const std::chrono::nanoseconds period = options_.put.lock->days + kUntilCommit;
  return until && *until >= clock_.wall_ns() + period.count();
}

StoreRequest S3Protocol::lock(const ObjectKey& key) {
  const S3Lock& lock = *options_.put.lock;
  const std::chrono::nanoseconds period = lock.days + lock.slack();
  StoreRequest request = to_object("PUT", key);
  request.query = "retention=";
  request.preamble = retention_body(lock.mode, clock_.wall_ns() + period.count());
  const Digest digest = sha256(as_bytes(request.preamble));
  request.body_sha256 = digest.hex();
  // S3 requires a checksum for a retention.
  request.headers.push_back({std::string(kS3ChecksumHeader), to_base64(digest.view())});
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
  const auto is_checksum = [](const HttpHeader& header) { return header.name == kS3ChecksumHeader; };
  if (server_->refuses_checksums && std::erase_if(transfer.headers, is_checksum) > 0) {
    if (const auto digest = md5(transfer.body)) transfer.headers.push_back({"Content-MD5", to_base64(*digest)});
    to_sign.headers = transfer.headers;
  }
  std::string host = address_.host();
  transfer.url = address_.url(request.path, request.query);
  if (!request.redirect_url.empty()) {
    // Another host of the same store, with the same path.
    const std::optional<Endpoint> other = endpoint_of_url(request.redirect_url);
    if (!other)
      return Error(ErrorCode::kUnavailable, "the store redirects to something that is not an http or https URL");
    if (!address_.may_redirect_to(*other))
      return Error(ErrorCode::kDenied,
                   connection() + " is redirected to " + other->url() +
                       (other->https || !address_.https() ? ", outside the endpoint's domain" : ", without TLS") +
                       ": refused, and nothing was sent there; if that is where the bucket is, set --endpoint-url");
    host = other->authority;
    transfer.url = other->url_to(request.path, request.query);
  }
  to_sign.headers.push_back({"Host", host});
  for (HttpHeader& header : signer_.sign(*credentials, to_sign)) transfer.headers.push_back(std::move(header));
  return Credentials(credentials);
}

std::optional<StoreRequest> S3Protocol::second_look(const StoreRequest& request) {
  if (request.method != "HEAD") return std::nullopt;
  StoreRequest look;
  look.kind = request.kind;
  look.method = "GET";
  look.path = request.path;
  look.headers = {{"Range", "bytes=0-0"}};
  look.what = request.what;
  return look;
}

Result<void> S3Protocol::refresh(const Credentials& refused) {
  const auto fresh = credentials_->refresh(std::static_pointer_cast<const AwsCredentials>(refused));
  return fresh.ok() ? Result<void>() : Result<void>(fresh.error());
}

}  // namespace drs
