#include "sinks/cloud/s3/s3_address.h"

#include <algorithm>

#include "sinks/cloud/s3/aws_endpoint.h"
#include "sinks/transport/uri_encoding.h"

namespace drs {
namespace {

constexpr std::size_t kBucketBytesMin = 3;
constexpr std::size_t kBucketBytesMax = 63;

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html, without the prefixes and suffixes that
// S3 reserves: names of access points have them.
bool is_bucket(std::string_view name) {
  return name.size() >= kBucketBytesMin && name.size() <= kBucketBytesMax &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_lower_or_digit(c) || c == '.' || c == '-'; }) &&
         is_lower_or_digit(name.front()) && is_lower_or_digit(name.back()) &&
         name.find("..") == std::string_view::npos && !is_ipv4_form(name);
}

constexpr BucketNaming kNaming = {
    "s3://", "S3", is_bucket,
    "3 to 63 of a-z, 0-9, '.' and '-', with a letter or digit at both ends, no two dots in a row, and not an IP "
    "address"};

bool is_aws_host(std::string_view host) {
  return host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn") || host.ends_with(".amazonaws.eu");
}

}  // namespace

Result<BucketLocation> parse_s3_location(std::string_view url) {
  return parse_bucket_location(url, kNaming);
}

Result<S3Address> S3Address::make(BucketLocation location, const S3AddressOptions& options) {
  DRS_RETURN_IF_ERROR(check_aws_region(options.region));
  Endpoint endpoint;
  if (options.endpoint.empty()) {
    endpoint.host = "s3." + options.region + '.' + std::string(aws_domain(options.region));
    endpoint.authority = endpoint.host;
  } else {
    DRS_ASSIGN_OR_RETURN(endpoint, parse_endpoint(options.endpoint, "the endpoint of S3"));
  }

  const bool aws = options.endpoint.empty() || is_aws_host(endpoint.host);
  const bool outside_certificate = endpoint.https && location.bucket.find('.') != std::string::npos;
  S3Address out;
  out.style_ = options.style.value_or(aws && !outside_certificate ? S3Style::kVirtualHosted : S3Style::kPath);
  out.region_ = options.region;
  out.store_host_ = endpoint.host;
  if (out.style_ == S3Style::kVirtualHosted) {
    if (endpoint.host.starts_with('[') || is_ipv4_form(endpoint.host))
      return Error(ErrorCode::kUsage, "virtual-hosted addresses need a host with a name, and '" + endpoint.host +
                                          "' is an IP address: use path style");
    out.bucket_path_ = endpoint.path.empty() ? "/" : endpoint.path;
    out.object_base_ = endpoint.path + '/';
    endpoint.authority.insert(0, location.bucket + '.');
  } else {
    out.bucket_path_ = endpoint.path + '/' + location.bucket;
    out.object_base_ = out.bucket_path_ + '/';
  }
  out.object_base_ += uri_encode_path(location.prefix);
  out.endpoint_ = std::move(endpoint);
  out.location_ = std::move(location);
  return out;
}

bool S3Address::may_redirect_to(const Endpoint& other) const {
  if (endpoint_.https && !other.https) return false;
  std::string_view host = other.host;
  const std::string bucket = location_.bucket + '.';
  if (is_aws_s3_host(store_host_)) {
    if (host.starts_with(bucket)) host.remove_prefix(bucket.size());
    return is_aws_s3_host(host);
  }
  if (host == store_host_) return true;
  const bool is_name = !store_host_.starts_with('[') && !is_ipv4_form(store_host_);
  return is_name && host.ends_with('.' + store_host_);
}

std::string S3Address::object_path(std::string_view key) const {
  return object_base_ + uri_encode_path(key);
}

std::string S3Address::name_for_messages() const {
  return bucket_location_text(location_, kNaming);
}

}  // namespace drs
