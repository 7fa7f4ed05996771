#include "sinks/cloud/s3/s3_xml.h"

#include <charconv>
#include <optional>
#include <utility>

#include "sinks/cloud/s3/aws_endpoint.h"
#include "sinks/cloud/s3/xml_answer.h"
#include "sinks/transport/endpoint.h"
#include "sinks/transport/foreign_text.h"
#include "sinks/transport/iso_time.h"
#include "sinks/transport/uri_encoding.h"

namespace drs {
namespace {

constexpr std::size_t kCodeBytesMax = 64;
constexpr std::size_t kTextBytesMax = 500;

constexpr std::string_view kListName = "the list of objects";
constexpr std::string_view kErrorName = "the error";
constexpr std::string_view kDeleteName = "the answer to the deletion";

Error answer_error(std::string_view what, std::string_view problem) {
  return Error(ErrorCode::kUnavailable, std::string(what) + ' ' + std::string(problem));
}

// The code and message of an <Error> that came with status 200.
std::string error_text(pugi::xml_node error) {
  return foreign_text(xml_text(error, "Code").value_or("an error without a code"), kCodeBytesMax) + ": " +
         foreign_text(xml_text(error, "Message").value_or(""), kTextBytesMax);
}

Error wrong_root(std::string_view what, const pugi::xml_document& document) {
  if (const pugi::xml_node error = document.child("Error"))
    return answer_error(what, "is an error instead: " + error_text(error));
  return answer_error(what, "is about something else");
}

std::optional<std::uint64_t> number(const std::optional<std::string>& text) {
  std::uint64_t value = 0;
  if (!text || text->empty()) return std::nullopt;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return value;
}

Result<S3ListedObject> listed_object(pugi::xml_node contents, bool url_encoded) {
  S3ListedObject out;
  std::optional<std::string> key = xml_text(contents, "Key");
  if (key && url_encoded) key = uri_decode(*key);
  if (!key || key->empty()) return answer_error(kListName, "has an entry without a readable key");
  out.key = *std::move(key);
  const std::optional<std::uint64_t> size_bytes = number(xml_text(contents, "Size"));
  if (!size_bytes) return answer_error(kListName, "has an entry without a size");
  out.size_bytes = *size_bytes;
  if (contents.child("LastModified")) {
    const std::optional<std::int64_t> modified_ns = parse_iso_time(xml_text(contents, "LastModified").value_or(""));
    if (!modified_ns) return answer_error(kListName, "has an entry whose time cannot be read");
    out.modified_ns = *modified_ns;
  }
  out.storage_class = xml_text(contents, "StorageClass").value_or("");
  return out;
}

}  // namespace

Result<S3ListPage> parse_list_objects(ByteView xml) {
  DRS_ASSIGN_OR_RETURN(const pugi::xml_document document, read_xml_answer(xml, kListName));
  const pugi::xml_node root = document.child("ListBucketResult");
  if (!root) return wrong_root(kListName, document);

  S3ListPage page;
  const std::optional<std::string> truncated = xml_text(root, "IsTruncated");
  if (truncated != "true" && truncated != "false") return answer_error(kListName, "does not say whether it is all");
  page.truncated = truncated == "true";
  if (page.truncated) {
    page.continuation_token = xml_text(root, "NextContinuationToken").value_or("");
    if (page.continuation_token.empty()) return answer_error(kListName, "goes on, but does not say where");
  }
  const std::optional<std::string> encoding = xml_text(root, "EncodingType");
  const bool url_encoded = encoding == "url";
  if (encoding && !encoding->empty() && !url_encoded) return answer_error(kListName, "has an unknown encoding");
  for (const pugi::xml_node contents : root.children("Contents")) {
    DRS_ASSIGN_OR_RETURN(S3ListedObject object, listed_object(contents, url_encoded));
    page.objects.push_back(std::move(object));
  }
  return page;
}

Result<S3ErrorBody> parse_s3_error(ByteView xml) {
  DRS_ASSIGN_OR_RETURN(const pugi::xml_document document, read_xml_answer(xml, kErrorName));
  pugi::xml_node error = document.child("Error");
  const pugi::xml_node wrapper = document.child("ErrorResponse");  // STS
  if (!error) error = wrapper.child("Error");
  const auto text = [&](const char* name, std::size_t bytes_max) {
    return foreign_text(xml_text(error, name).value_or(""), bytes_max);
  };
  S3ErrorBody out;
  out.code = text("Code", kCodeBytesMax);
  if (out.code.empty()) return answer_error(kErrorName, "has no code");
  out.message = text("Message", kTextBytesMax);
  out.resource = text("Resource", kTextBytesMax);
  out.request_id = text("RequestId", kTextBytesMax);
  if (out.request_id.empty()) out.request_id = foreign_text(xml_text(wrapper, "RequestId").value_or(""), kTextBytesMax);
  for (const char* name : {"Region", "ExpectedRegion"})
    if (std::string region = text(name, kTextBytesMax); out.region.empty() && check_aws_region(region).ok())
      out.region = std::move(region);
  out.endpoint = text("Endpoint", kTextBytesMax);
  return out;
}

std::string delete_objects_body(std::span<const std::string> keys) {
  DRS_ASSERT(!keys.empty() && keys.size() <= kS3DeleteKeysMax, "a deletion of no keys, or of more than S3 takes");
  std::string out =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  for (const std::string& key : keys) out += "<Object><Key>" + xml_escape(key) + "</Key></Object>";
  out += "</Delete>";
  return out;
}

Result<S3DeleteResult> parse_delete_result(ByteView xml) {
  DRS_ASSIGN_OR_RETURN(const pugi::xml_document document, read_xml_answer(xml, kDeleteName));
  const pugi::xml_node root = document.child("DeleteResult");
  if (!root) return wrong_root(kDeleteName, document);
  S3DeleteResult out;
  for (const pugi::xml_node entry : root.children()) {
    const std::string_view kind = entry.name();
    if (kind != "Deleted" && kind != "Error") continue;
    std::optional<std::string> key = xml_text(entry, "Key");
    if (!key || key->empty()) return answer_error(kDeleteName, "has an entry without a key");
    if (kind == "Deleted") {
      out.deleted.push_back(*std::move(key));
    } else {
      out.failed.push_back({*std::move(key), foreign_text(xml_text(entry, "Code").value_or(""), kCodeBytesMax),
                            foreign_text(xml_text(entry, "Message").value_or(""), kTextBytesMax)});
    }
  }
  return out;
}

Result<bool> parse_versioning(ByteView xml) {
  DRS_ASSIGN_OR_RETURN(const pugi::xml_document document, read_xml_answer(xml, "the versioning of the bucket"));
  const pugi::xml_node root = document.child("VersioningConfiguration");
  if (!root) return wrong_root("the versioning of the bucket", document);
  return xml_text(root, "Status").value_or("") == "Enabled";
}

Result<S3ObjectLockState> parse_object_lock(ByteView xml) {
  DRS_ASSIGN_OR_RETURN(const pugi::xml_document document, read_xml_answer(xml, "the Object Lock of the bucket"));
  const pugi::xml_node root = document.child("ObjectLockConfiguration");
  if (!root) return wrong_root("the Object Lock of the bucket", document);
  S3ObjectLockState state;
  state.enabled = xml_text(root, "ObjectLockEnabled").value_or("") == "Enabled";
  const pugi::xml_node retention = root.child("Rule").child("DefaultRetention");
  const auto days = number(xml_text(retention, "Days"));
  const auto years = number(xml_text(retention, "Years"));
  if (days || years)
    state.default_period = foreign_text(xml_text(retention, "Mode").value_or(""), kCodeBytesMax) + ' ' +
                           std::to_string(days ? *days : *years) + (days ? " days" : " years");
  return state;
}

}  // namespace drs
