// S3Address: which bucket, below which prefix, under which host. It turns an object key into the path that is signed
// and sent, and a key that S3 lists back into ours.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "io/result.h"
#include "sinks/bucket_location.h"
#include "sinks/endpoint.h"

namespace drs {

// "s3://bucket/prefix": sinks/bucket_location.h. Errors: kUsage, saying what is accepted.
Result<BucketLocation> parse_s3_location(std::string_view url);

enum class S3Style : std::uint8_t {
  kVirtualHosted,  // https://bucket.host/key
  kPath,           // https://host/bucket/key
};

struct S3AddressOptions {
  std::string region;
  std::string endpoint;          // "https://host[:port][/path]"; empty: AWS's own of the region
  std::optional<S3Style> style;  // none: virtual-hosted with AWS, path with others and where TLS needs it
};

class S3Address {
 public:
  // The default style is kVirtualHosted for hosts of AWS, kPath for every other host, which may not have a name per
  // bucket. Over https a bucket with dots takes kPath, since the certificate for *.s3.region.amazonaws.com does not
  // cover it. Errors: kUsage (region, endpoint; a bucket cannot stand before an IP address).
  static Result<S3Address> make(BucketLocation location, const S3AddressOptions& options);

  [[nodiscard]] const std::string& host() const { return endpoint_.authority; }  // what the header Host says
  [[nodiscard]] const std::string& bucket() const { return location_.bucket; }
  [[nodiscard]] const std::string& prefix() const { return location_.prefix; }
  [[nodiscard]] const std::string& region() const { return region_; }
  [[nodiscard]] S3Style style() const { return style_; }
  [[nodiscard]] bool https() const { return endpoint_.https; }

  // Encoded paths, as signed and sent: of requests to the bucket itself, and to one object. `key` is ours, without the
  // prefix.
  [[nodiscard]] const std::string& bucket_path() const { return bucket_path_; }
  [[nodiscard]] std::string object_path(std::string_view key) const;
  // scheme://host, then `path` of the two above, then '?' and `query` (of uri_encode_query) unless it is empty.
  [[nodiscard]] std::string url(std::string_view path, std::string_view query = {}) const {
    return endpoint_.url_to(path, query);
  }

  // Whether requests for this bucket may be sent on, signed and with their bodies, to where the store redirects: to the
  // endpoint's own host or one below it, of whatever port; from AWS to another host of S3; never from https to http.
  [[nodiscard]] bool may_redirect_to(const Endpoint& other) const;

  // A key as S3 knows it, not encoded: for lists and deletes.
  [[nodiscard]] std::string full_key(std::string_view key) const { return location_.prefix + std::string(key); }
  // The way back; none for a key outside the prefix. A view into `full_key`.
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
  Endpoint endpoint_;        // its authority begins with the bucket where the style is kVirtualHosted
  std::string bucket_path_;  // "/", or "/path/bucket"
  std::string object_base_;  // what comes before an encoded key
};

}  // namespace drs
