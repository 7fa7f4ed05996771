// Which region and which endpoints: AWS's own order of places.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "io/result.h"
#include "sinks/s3/aws_profile.h"
#include "sinks/surroundings.h"

namespace drs {

inline constexpr std::string_view kDefaultAwsRegion = "us-east-1";

// `explicit_region` unless it is empty, AWS_REGION, AWS_DEFAULT_REGION, the profile's `region`, `instance_region` (of
// the instance metadata; empty where the credentials are not from there), else kDefaultAwsRegion. Not checked: whoever
// makes a host name of it does that.
struct RegionOptions {
  std::string_view explicit_region;
  std::string_view instance_region;
};
std::string resolve_aws_region(const Surroundings& surroundings, const AwsProfile& profile,
                               const RegionOptions& options);

// Whether a variable or setting of AWS means yes.
bool is_aws_true(std::optional<std::string_view> value);

// The file of certificates to trust instead of the system's: `explicit_file` unless it is empty, AWS_CA_BUNDLE, the
// profile's `ca_bundle`; else empty.
std::string resolve_aws_ca_file(const Surroundings& surroundings, const AwsProfile& profile,
                                std::string_view explicit_file);

// The endpoint that is set for a service ("S3", "STS"), if any: AWS_ENDPOINT_URL_<service>, AWS_ENDPOINT_URL, the
// endpoint_url of the service in the profile's `services`, the profile's endpoint_url. None at all where
// AWS_IGNORE_CONFIGURED_ENDPOINT_URLS or the profile's ignore_configured_endpoint_urls is true.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
std::optional<std::string> configured_aws_endpoint(const Surroundings& surroundings, const AwsProfile& profile,
                                                   std::string_view service);

}  // namespace drs
