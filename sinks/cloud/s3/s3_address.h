// S3Address: the bucket, prefix and host of a repository. Maps an object key to the path that is signed and sent, and a
// key that S3 lists back to the object key.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "io/base/result.h"
#include "sinks/cloud/bucket_location.h"
#include "sinks/transport/endpoint.h"

namespace drs {

// "s3://bucket/prefix": sinks/cloud/bucket_location.h. Errors: kUsage, saying what is accepted.
Result<BucketLocation> parse_s3_location(std::string_view url);

enum class S3Style : std::uint8_t {
  kVirtualHosted,  // https://bucket.host/key
  kPath,           // https://host/bucket/key
};

struct S3AddressOptions {
  std::string region;
  std::string endpoint;          // "https://host[:port][/path]"; empty: AWS's own of the region
  std::optional<S3Style> style;  // none: virtual-hosted for AWS, path for others and where TLS requires it
};

class S3Address {
 public:
  // The default style is kVirtualHosted for hosts of AWS, and kPath for every other host, which may not have a name for
  // each bucket. Over https a bucket with dots uses kPath, since the certificate for *.s3.region.amazonaws.com does not
  // cover it. Errors: kUsage (region, endpoint; a bucket name cannot precede an IP address).
  static Result<S3Address> make(BucketLocation location, const S3AddressOptions& options);

  [[nodiscard]] const std::string& host() const { return endpoint_.authority; }  // the value of the header Host
  [[nodiscard]] const std::string& bucket() const { return location_.bucket; }
  [[nodiscard]] const std::string& prefix() const { return location_.prefix; }
  [[nodiscard]] const std::string& region() const { return region_; }
  [[nodiscard]] S3Style style() const { return style_; }
  [[nodiscard]] bool https() const { return endpoint_.https; }

  // Encoded paths, as signed and sent, of requests to the bucket itself and to one object. `key` has no prefix.
  [[nodiscard]] const std::string& bucket_path() const { return bucket_path_; }
  [[nodiscard]] std::string object_path(std::string_view key) const;
  // scheme://host, then one of the two paths above, then '?' and `query` (of uri_encode_query) unless it is empty.
  [[nodiscard]] std::string url(std::string_view path, std::string_view query = {}) const {
    return endpoint_.url_to(path, query);
  }

  // Whether the store may redirect requests for this bucket, signed and with their bodies, to that URL: to the host of
  // the endpoint or one below it, on any port; from AWS to another host of S3; never from https to http.
  [[nodiscard]] bool may_redirect_to(const Endpoint& other) const;

  // The name of an object in the bucket, not encoded: for lists and removals.
  [[nodiscard]] std::string full_key(std::string_view key) const { return location_.prefix + std::string(key); }
  // The inverse; none for a name outside the prefix. A view into `full_key`.
  [[nodiscard]] std::optional<std::string_view> own_key(std::string_view full_key) const {
    return drs::own_key(location_, full_key);
  }
  // "s3://bucket/prefix", for messages.
  [[nodiscard]] std::string name_for_messages() const;

 private:
  S3Address() = default;

  BucketLocation location_;
  std::string region_;
  S3Style style_ = S3Style::kPath;
  std::string store_host_;   // the endpoint's, without the bucket
  Endpoint endpoint_;        // with kVirtualHosted, its authority begins with the bucket
  std::string bucket_path_;  // "/", or "/path/bucket"
  std::string object_base_;  // the path before an encoded key
};

}  // namespace drs
