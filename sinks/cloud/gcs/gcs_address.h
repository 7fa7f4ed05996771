// GcsAddress: the bucket, prefix and host of a repository in Google Cloud Storage. Maps an object key to its path in
// the JSON API, and a name that the API lists back to the object key.
// https://cloud.google.com/storage/docs/request-endpoints
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "io/base/result.h"
#include "sinks/cloud/bucket_location.h"
#include "sinks/transport/endpoint.h"

namespace drs {

inline constexpr std::string_view kGcsEndpoint = "https://storage.googleapis.com";

// "gs://bucket/prefix": sinks/cloud/bucket_location.h. Errors: kUsage, saying what is accepted.
Result<BucketLocation> parse_gcs_location(std::string_view url);

class GcsAddress {
 public:
  // `endpoint`: "https://host[:port][/path]"; empty: kGcsEndpoint. Errors: kUsage.
  static Result<GcsAddress> make(BucketLocation location, std::string_view endpoint);

  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }
  [[nodiscard]] const std::string& bucket() const { return location_.bucket; }

  // Encoded paths. `key` has no prefix.
  [[nodiscard]] std::string object_path(std::string_view key) const;    // its metadata
  [[nodiscard]] std::string download_path(std::string_view key) const;  // its bytes
  [[nodiscard]] std::string object_path_of(std::string_view download_path) const;
  [[nodiscard]] std::string list_path() const;
  [[nodiscard]] std::string upload_path() const;
  // scheme://host, then one of the paths above, then '?' and `query` unless it is empty.
  [[nodiscard]] std::string url(std::string_view path, std::string_view query) const {
    return endpoint_.url_to(path, query);
  }

  // The name of an object in the bucket, not encoded.
  [[nodiscard]] std::string full_key(std::string_view key) const { return location_.prefix + std::string(key); }
  // The inverse; none for an object outside the prefix. A view into `full_key`.
  [[nodiscard]] std::optional<std::string_view> own_key(std::string_view full_key) const {
    return drs::own_key(location_, full_key);
  }
  // "gs://bucket/prefix", for messages.
  [[nodiscard]] std::string name_for_messages() const;

 private:
  GcsAddress() = default;

  BucketLocation location_;
  Endpoint endpoint_;
};

}  // namespace drs
