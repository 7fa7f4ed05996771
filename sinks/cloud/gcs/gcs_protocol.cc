#include "sinks/cloud/gcs/gcs_protocol.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "codecs/crc32c.h"
#include "codecs/random.h"
#include "io/base/byte_pieces.h"
#include "sinks/cloud/billed_days.h"
#include "sinks/cloud/gcs/gcs_json.h"
#include "sinks/transport/foreign_text.h"
#include "sinks/transport/uri_encoding.h"

namespace drs {
namespace {

constexpr std::size_t kListKeysMax = 1000;
constexpr const char* kStatQuery = "fields=name%2Csize%2CtimeCreated";
constexpr std::size_t kNameBytesMax = 200;  // of a name from the server, in a message
constexpr std::size_t kBoundaryBytes = 16;  // random, so it does not occur in a body

// https://cloud.google.com/storage/docs/json_api/v1/status-codes
constexpr std::array<std::string_view, 3> kTooFast = {"rateLimitExceeded", "userRateLimitExceeded",
                                                      "RESOURCE_EXHAUSTED"};
constexpr std::array<std::string_view, 2> kOverQuota = {"quotaExceeded", "dailyLimitExceeded"};
constexpr std::array<std::string_view, 2> kRetained = {"retentionPolicyNotMet", "objectUnderActiveHold"};
constexpr std::array<std::string_view, 2> kApiIsOff = {"accessNotConfigured", "SERVICE_DISABLED"};
constexpr std::array<std::string_view, 2> kBilling = {"accountDisabled", "userProjectAccountProblem"};

bool is_one_of(std::string_view reason, const auto& reasons) {
  return std::find(reasons.begin(), reasons.end(), reason) != reasons.end();
}

std::string_view permission_for(StoreRequest::Kind kind) {
  switch (kind) {
    case StoreRequest::Kind::kPut: return "storage.objects.create";
    case StoreRequest::Kind::kList: return "storage.objects.list";
    case StoreRequest::Kind::kRemove: return "storage.objects.delete";
    case StoreRequest::Kind::kGet:
    case StoreRequest::Kind::kStat:
    case StoreRequest::Kind::kRetain:
    case StoreRequest::Kind::kOther: break;
  }
  return "storage.objects.get";
}

// The CRC-32C of the whole object, from "crc32c=n03x6A==,md5=..."; the header may occur several times.
std::string_view told_crc32c(const HttpTransfer& transfer) {
  constexpr std::string_view kName = "crc32c=";
  for (const HttpHeader& header : transfer.answer_headers) {
    if (header.name != "x-goog-hash") continue;
    for (std::string_view left = header.value; !left.empty();) {
      const std::string_view hash = left.substr(0, left.find(','));
      left.remove_prefix(std::min(hash.size() + 1, left.size()));
      const std::string_view trimmed = hash.substr(std::min(hash.find_first_not_of(' '), hash.size()));
      if (trimmed.starts_with(kName)) return trimmed.substr(kName.size());
    }
  }
  return {};
}

// Whether the answer holds the whole object: "bytes 0-1023/1024", and as many bytes received.
bool is_whole(const HttpTransfer& transfer) {
  const std::string bytes = std::to_string(transfer.received_bytes);
  if (transfer.status == 200) return transfer.header("content-length") == bytes;
  return transfer.received_bytes > 0 &&
         transfer.header("content-range") == "bytes 0-" + std::to_string(transfer.received_bytes - 1) + "/" + bytes;
}

// Whether the answer to a put is about its object: the name in the metadata sent, and the number of bytes.
bool names_what_was_sent(const StoreRequest& put, const GcsObject& stored) {
  return stored.size_bytes == total_bytes(put.body) &&
         put.preamble.find("\"name\":" + nlohmann::json(stored.name).dump()) != std::string::npos;
}

Judgement again(Error error, Judgement::Effect effect) {
  return {.kind = Judgement::Kind::kRetry, .error = std::move(error), .effect = effect};
}

}  // namespace

GcsProtocol::GcsProtocol(GcsAddress address, std::shared_ptr<GoogleTokenProvider> tokens, const Clock& clock)
    : address_(std::move(address)), tokens_(std::move(tokens)), clock_(clock) {}

std::string GcsProtocol::connection() const {
  return std::string(address_.endpoint().https ? "HTTPS" : "HTTP") + " to " + address_.endpoint().authority;
}

StoreRequest GcsProtocol::put(const PutOperation& operation) {
  std::uint32_t sum = 0;
  for (const ByteView piece : operation.body) sum = crc32c(piece, sum);
  FixedBytes<kBoundaryBytes> boundary;
  random_bytes(boundary.data);
  const std::string line = "--" + boundary.hex();

  StoreRequest request;
  request.method = "POST";
  request.path = address_.upload_path();
  request.query =
      uri_encode_query({{"uploadType", "multipart"}, {"ifGenerationMatch", "0"}, {"fields", "name,size,crc32c"}});
  request.headers = {{"Content-Type", "multipart/related; boundary=" + boundary.hex()}};
  request.body_crc32c = gcs_crc32c_text(sum);
  const nlohmann::json metadata = {{"name", address_.full_key(operation.key)},
                                   {"contentType", "application/octet-stream"},
                                   {"crc32c", request.body_crc32c}};
  request.preamble = line + "\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n" + metadata.dump() + "\r\n" +
                     line + "\r\nContent-Type: application/octet-stream\r\n\r\n";
  request.trailer = "\r\n" + line + "--\r\n";
  return request;
}

StoreRequest GcsProtocol::get(const ObjectKey& key, std::uint64_t offset_bytes, std::size_t bytes) {
  StoreRequest request;
  request.method = "GET";
  request.path = address_.download_path(key);
  request.query = "alt=media";
  request.headers = {
      {"Range", "bytes=" + std::to_string(offset_bytes) + "-" + std::to_string(offset_bytes + bytes - 1)}};
  return request;
}

StoreRequest GcsProtocol::stat(const ObjectKey& key) {
  StoreRequest request;
  request.method = "GET";
  request.path = address_.object_path(key);
  request.query = kStatQuery;
  return request;
}

Result<ObjectInfo> GcsProtocol::parse_stat(const ObjectKey& key, const HttpTransfer& answer) {
  DRS_ASSIGN_OR_RETURN(const GcsObject object, parse_gcs_object(as_bytes(answer.text)));
  return ObjectInfo{key, object.size_bytes, object.created_ns};
}

StoreRequest GcsProtocol::remove(const ObjectKey& key) {
  StoreRequest request;
  request.method = "DELETE";
  request.path = address_.object_path(key);
  return request;
}

StoreRequest GcsProtocol::list(std::string_view prefix, const std::string& continuation) {
  StoreRequest request;
  request.method = "GET";
  request.path = address_.list_path();
  std::vector<UriParameter> parameters = {{"fields", "nextPageToken,items(name,size,timeCreated,storageClass)"},
                                          {"maxResults", std::to_string(kListKeysMax)},
                                          {"prefix", address_.full_key(prefix)}};
  if (!continuation.empty()) parameters.push_back({"pageToken", continuation});
  request.query = uri_encode_query(parameters);
  return request;
}

Result<CloudListPage> GcsProtocol::parse_list(const HttpTransfer& answer) {
  DRS_ASSIGN_OR_RETURN(GcsListPage page, parse_gcs_list(as_bytes(answer.text)));
  CloudListPage out;
  for (const GcsObject& object : page.objects) {
    const auto key = address_.own_key(object.name);
    if (key && is_valid_object_key(*key))
      out.objects.push_back(
          {ObjectKey(*key), object.size_bytes, object.created_ns, billed_days_of(object.storage_class)});
  }
  out.continuation = std::move(page.next_page_token);
  return out;
}

Result<StoreProtocol::Credentials> GcsProtocol::authorise(const StoreRequest& request, HttpTransfer& transfer) {
  transfer.url = address_.url(request.path, request.query);
  if (tokens_ == nullptr) return Credentials();
  DRS_ASSIGN_OR_RETURN(used_, tokens_->get());
  transfer.headers.push_back({"Authorization", "Bearer " + std::string(as_text(used_->text.view()))});
  return Credentials(used_);
}

Result<void> GcsProtocol::refresh(const Credentials& refused) {
  DRS_ASSIGN_OR_RETURN(used_, tokens_->refresh(std::static_pointer_cast<const GoogleToken>(refused)));
  return {};
}

std::optional<StoreRequest> GcsProtocol::second_look(const StoreRequest& request) {
  if (request.kind != StoreRequest::Kind::kGet) return std::nullopt;
  StoreRequest look;
  look.kind = StoreRequest::Kind::kStat;
  look.method = "GET";
  look.path = address_.object_path_of(request.path);
  look.query = kStatQuery;
  look.what = request.what;
  return look;
}

Error GcsProtocol::missing_permission(const StoreRequest& request) const {
  const std::string who = used_ == nullptr ? "requests without credentials" : "the credentials from " + used_->origin;
  return {ErrorCode::kDenied, who + " lack the permission " + std::string(permission_for(request.kind)) +
                                  " on bucket " + address_.bucket() +
                                  ": grant a role that holds it, such as roles/storage.objectUser"};
}

Judgement GcsProtocol::judge_success(const StoreRequest& request, const HttpTransfer& transfer) const {
  using Kind = Judgement::Kind;
  using Effect = Judgement::Effect;
  const ByteView text = as_bytes(transfer.text);
  switch (request.kind) {
    case StoreRequest::Kind::kPut: {
      // The answer does not prove that our bytes are stored. The repeated put finds the name taken, and its caller
      // compares the object (sinks/settled_put.h).
      const Result<GcsObject> stored = parse_gcs_object(text);
      if (!stored.ok()) return again(stored.error(), Effect::kPossible);
      if (!names_what_was_sent(request, *stored))
        return again({ErrorCode::kUnavailable, "the store says that it has stored another object than the one sent: " +
                                                   foreign_text(stored->name, kNameBytesMax) + " of " +
                                                   std::to_string(stored->size_bytes) + " bytes"},
                     Effect::kPossible);
      if (stored->crc32c == request.body_crc32c) return {};
      return again({ErrorCode::kUnavailable, "the store says it holds bytes of CRC-32C " + stored->crc32c +
                                                 ", but those that were sent have " + request.body_crc32c},
                   Effect::kPossible);
    }
    case StoreRequest::Kind::kGet: {
      const std::string_view told = told_crc32c(transfer);
      if (told.empty() || !is_whole(transfer)) return {};
      if (told == gcs_crc32c_text(crc32c(request.destination.first(transfer.received_bytes)))) return {};
      // If the bytes were damaged in transit, the second answer is right. If they are stored like this, the reader
      // checks the bytes and reports more.
      return {.kind = Kind::kOnceMore};
    }
    case StoreRequest::Kind::kStat:
      if (auto object = parse_gcs_object(text); !object.ok()) return again(std::move(object).error(), Effect::kNone);
      return {};
    case StoreRequest::Kind::kList:
      if (auto page = parse_gcs_list(text); !page.ok()) return again(std::move(page).error(), Effect::kNone);
      return {};
    case StoreRequest::Kind::kRemove:
    case StoreRequest::Kind::kRetain:
    case StoreRequest::Kind::kOther: break;
  }
  return {};
}

// Status 404.
Judgement GcsProtocol::judge_absence(const StoreRequest& request, const HttpTransfer& transfer,
                                     const std::string& answered) const {
  using Kind = Judgement::Kind;
  const GcsError told = parse_gcs_error(as_bytes(transfer.text));
  if (told.of_the_api && told.reason == "notFound") {
    const bool of_bucket = request.kind == StoreRequest::Kind::kPut || request.kind == StoreRequest::Kind::kList ||
                           told.message.find("bucket does not exist") != std::string::npos;
    if (!of_bucket) return {.kind = Kind::kGone, .error = Error(ErrorCode::kNotFound, answered)};
    return {.kind = Kind::kGone,
            .error = Error(ErrorCode::kNoRepository, answered + "; bucket " + address_.bucket() +
                                                         " does not exist: create it, or correct its name")};
  }
  if (request.kind == StoreRequest::Kind::kGet)
    return {.kind = Kind::kSaidGone, .error = Error(ErrorCode::kUnavailable, answered), .stranger = true};
  return {.kind = Kind::kRetry,
          .error = Error(ErrorCode::kUnavailable, answered + "; that is no answer of the JSON API: is " +
                                                      address_.endpoint().url() +
                                                      " the right endpoint, and does it pass requests on to Google?"),
          .effect = Judgement::Effect::kPossible,
          .stranger = true};
}

Judgement GcsProtocol::judge(const StoreRequest& request, const HttpTransfer& transfer) {
  using Kind = Judgement::Kind;
  using Effect = Judgement::Effect;
  const int status = transfer.status;
  if (status >= 200 && status < 300) return judge_success(request, transfer);

  const GcsError told = parse_gcs_error(as_bytes(transfer.text));
  std::string answered = address_.endpoint().host + " answered " + std::to_string(status);
  if (!told.reason.empty()) answered += " " + told.reason;
  if (!told.message.empty()) answered += ": " + told.message;
  const auto fail = [&](ErrorCode code, const std::string& advice) {
    return Judgement{.kind = Kind::kFailure, .error = Error(code, answered + (advice.empty() ? "" : "; " + advice))};
  };
  const auto later = [&](Kind kind, Effect effect) {
    return Judgement{.kind = kind,
                     .error = Error(ErrorCode::kUnavailable, answered),
                     .retry_after = parse_retry_after(transfer, clock_.wall_ns()),
                     .effect = effect};
  };

  if (status == 429 || is_one_of(told.reason, kTooFast)) return later(Kind::kSlowDown, Effect::kNone);
  if (is_one_of(told.reason, kOverQuota))
    return fail(ErrorCode::kNoSpace, "the project's quota is used up: raise it, or wait until it is renewed");
  // A proxy may have lost the reply of a server that carried out the request.
  if (status == 503) return later(Kind::kSlowDown, Effect::kPossible);
  if (status == 408 || (status >= 500 && status != 501)) return later(Kind::kRetry, Effect::kPossible);
  if (status == 409) return later(Kind::kRetry, Effect::kNone);
  if (status == 400 && told.message.find("CRC32C") != std::string::npos)
    return later(Kind::kRetry, Effect::kNone);  // damaged in transit; nothing was stored
  if (status == 401) {
    if (tokens_ == nullptr)
      return fail(ErrorCode::kDenied,
                  "the server wants credentials, and none are sent where STORAGE_EMULATOR_HOST is set: unset it, or "
                  "give the server as --endpoint-url");
    Judgement judgement = fail(ErrorCode::kDenied, "the token is refused, and so is a new one");
    judgement.kind = Kind::kRefresh;
    return judgement;
  }
  if (told.message.find("requester pays") != std::string::npos)
    return fail(ErrorCode::kUsage,
                "buckets whose requester pays are not supported: switch that off for bucket " + address_.bucket());
  if (is_one_of(told.reason, kRetained))
    return fail(ErrorCode::kDenied, "a retention policy or a hold on the object forbids it until it ends");
  if (is_one_of(told.reason, kApiIsOff)) return fail(ErrorCode::kUsage, "enable the Cloud Storage API in the project");
  if (is_one_of(told.reason, kBilling))
    return fail(ErrorCode::kDenied,
                "the project's billing account is closed or missing: restore it; the data is still there");
  if (status == 403) return fail(ErrorCode::kDenied, missing_permission(request).message);
  if (status == 404) return judge_absence(request, transfer, answered);
  if (status == 412) {
    if (request.kind == StoreRequest::Kind::kPut && told.reason != "orgPolicyConstraintFailed")
      return fail(ErrorCode::kAlreadyExists, "");
    return fail(ErrorCode::kDenied, "a policy of the organisation forbids it");
  }
  if (status == 413)
    return fail(ErrorCode::kIo,
                "the object is too large for the server or a proxy before it: make packs smaller with a "
                "lower --memory");
  if (status >= 300 && status < 400)
    return fail(ErrorCode::kUsage,
                "the server sends elsewhere (" + std::string(transfer.header("location")) + "): set --endpoint-url");
  if (status == 405 || status == 501)
    return fail(ErrorCode::kUsage, "the server does not know this request: is " + address_.endpoint().url() +
                                       " the JSON API of Google Cloud Storage?");
  return fail(ErrorCode::kIo, "");
}

}  // namespace drs
