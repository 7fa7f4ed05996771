#include "sinks/cloud/gcs/gcs_address.h"

#include <algorithm>

#include "sinks/transport/uri_encoding.h"

namespace drs {
namespace {

constexpr std::size_t kBucketBytesMin = 3;
constexpr std::size_t kBucketPartBytesMax = 63;  // between dots
constexpr std::size_t kBucketBytesMax = 222;

// https://cloud.google.com/storage/docs/buckets#naming, without the words that Google keeps for itself.
bool is_bucket(std::string_view name) {
  if (name.size() < kBucketBytesMin || name.size() > kBucketBytesMax || is_ipv4_form(name)) return false;
  if (!is_lower_or_digit(name.front()) || !is_lower_or_digit(name.back())) return false;
  std::size_t part_bytes = 0;
  for (const char c : name) {
    if (c == '.') {
      if (part_bytes == 0) return false;
      part_bytes = 0;
    } else if (!is_lower_or_digit(c) && c != '-' && c != '_') {
      return false;
    } else if (++part_bytes > kBucketPartBytesMax) {
      return false;
    }
  }
  return true;
}

constexpr std::string_view kDownload = "/download";

constexpr BucketNaming kNaming = {"gs://", "Google Cloud Storage", is_bucket,
                                  "3 to 63 of a-z, 0-9, '-' and '_', or such parts joined by dots, with a letter or "
                                  "digit at both ends, and not an IP "
                                  "address"};

}  // namespace

Result<BucketLocation> parse_gcs_location(std::string_view url) {
  return parse_bucket_location(url, kNaming);
}

Result<GcsAddress> GcsAddress::make(BucketLocation location, std::string_view endpoint) {
  GcsAddress out;
  DRS_ASSIGN_OR_RETURN(out.endpoint_, parse_endpoint(endpoint.empty() ? kGcsEndpoint : endpoint,
                                                     "the endpoint of Google Cloud Storage"));
  out.location_ = std::move(location);
  return out;
}

std::string GcsAddress::list_path() const {
  return endpoint_.path + "/storage/v1/b/" + location_.bucket + "/o";
}
std::string GcsAddress::object_path(std::string_view key) const {
  return list_path() + '/' + uri_encode(full_key(key));
}
std::string GcsAddress::object_path_of(std::string_view download_path) const {
  return endpoint_.path + std::string(download_path.substr(endpoint_.path.size() + kDownload.size()));
}
std::string GcsAddress::download_path(std::string_view key) const {
  return endpoint_.path + std::string(kDownload) + "/storage/v1/b/" + location_.bucket + "/o/" +
         uri_encode(full_key(key));
}
std::string GcsAddress::upload_path() const {
  return endpoint_.path + "/upload/storage/v1/b/" + location_.bucket + "/o";
}

std::string GcsAddress::name_for_messages() const {
  return bucket_location_text(location_, kNaming);
}

}  // namespace drs
