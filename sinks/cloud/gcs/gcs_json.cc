#include "sinks/cloud/gcs/gcs_json.h"

#include <array>
#include <charconv>
#include <utility>

#include "codecs/base64.h"
#include "sinks/transport/foreign_text.h"
#include "sinks/transport/iso_time.h"
#include "sinks/transport/json_answer.h"

namespace drs {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kReasonBytesMax = 64;
constexpr std::size_t kMessageBytesMax = 500;

Error not_understood(const std::string& problem) {
  return {ErrorCode::kUnavailable, "the store's answer cannot be understood: " + problem};
}

Result<GcsObject> object_of(const Json& item) {
  GcsObject out;
  out.name = json_text_or(item, "name");
  if (out.name.empty()) return not_understood("an object without a name");
  const std::string size = json_text_or(item, "size");  // 64 bits do not fit JSON's numbers
  const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), out.size_bytes);
  if (error != std::errc{} || end != size.data() + size.size())
    return not_understood("no size of the object " + foreign_text(out.name, kMessageBytesMax));
  out.created_ns = parse_iso_time(json_text_or(item, "timeCreated")).value_or(0);
  out.crc32c = json_text_or(item, "crc32c");
  out.storage_class = json_text_or(item, "storageClass");
  return out;
}

}  // namespace

Result<GcsObject> parse_gcs_object(ByteView json) {
  const std::optional<Json> document = read_json_object(json);
  if (!document) return not_understood("no JSON of an object");
  return object_of(*document);
}

Result<GcsListPage> parse_gcs_list(ByteView json) {
  const std::optional<Json> document = read_json_object(json);
  if (!document) return not_understood("no JSON of a list");
  if (document->contains("error")) return not_understood("an error in place of a list");
  GcsListPage out;
  // An empty list has no member "items".
  if (const auto items = document->find("items"); items != document->end()) {
    if (!items->is_array()) return not_understood("a list whose items are none");
    out.objects.reserve(items->size());
    for (const Json& item : *items) {
      DRS_ASSIGN_OR_RETURN(GcsObject object, object_of(item));
      out.objects.push_back(std::move(object));
    }
  }
  if (const auto token = document->find("nextPageToken"); token != document->end()) {
    if (!token->is_string()) return not_understood("a list that does not say how it goes on");
    out.next_page_token = token->get<std::string>();
  }
  return out;
}

GcsError parse_gcs_error(ByteView body) {
  GcsError out;
  const std::optional<Json> document = read_json_object(body);
  const Json* const error = document ? json_part(*document, "error") : nullptr;
  if (error != nullptr && error->is_object()) {
    out.of_the_api = true;
    out.message = foreign_text(json_text_or(*error, "message"), kMessageBytesMax);
    const Json* const details = json_part(*error, "errors");
    if (details != nullptr && details->is_array() && !details->empty())
      out.reason = foreign_text(json_text_or(details->front(), "reason"), kReasonBytesMax);
    if (out.reason.empty()) out.reason = foreign_text(json_text_or(*error, "status"), kReasonBytesMax);
    return out;
  }
  // Errors of downloads are plain text; a load balancer sends a page.
  std::string text = foreign_text(as_text(body), kMessageBytesMax);
  if (!text.starts_with('<')) out.message = std::move(text);
  return out;
}

std::string gcs_crc32c_text(std::uint32_t crc32c) {
  const std::array<Byte, 4> bytes = {static_cast<Byte>(crc32c >> 24), static_cast<Byte>(crc32c >> 16),
                                     static_cast<Byte>(crc32c >> 8), static_cast<Byte>(crc32c)};
  return to_base64(bytes);
}

}  // namespace drs
