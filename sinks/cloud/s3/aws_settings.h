// Which region and which endpoints: AWS's own order of places.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "io/base/result.h"
#include "sinks/cloud/s3/aws_profile.h"
#include "sinks/transport/environment.h"

namespace drs {

inline constexpr std::string_view kDefaultAwsRegion = "us-east-1";

// The first that is set of `explicit_region`, AWS_REGION, AWS_DEFAULT_REGION, `region` of the profile,
// `instance_region` (from the instance metadata; empty if the credentials are not from there); else kDefaultAwsRegion.
// Does not check the name: the code that makes a host name of it does.
struct RegionOptions {
  std::string_view explicit_region;
  std::string_view instance_region;
};
std::string resolve_aws_region(const Environment& environment, const AwsProfile& profile, const RegionOptions& options);

// Whether the value of a variable or setting means yes.
bool is_aws_true(std::optional<std::string_view> value);

// The file of certificates to trust instead of those of the system: the first that is set of `explicit_file`,
// AWS_CA_BUNDLE, `ca_bundle` of the profile; else empty.
std::string resolve_aws_ca_file(const Environment& environment, const AwsProfile& profile,
                                std::string_view explicit_file);

// The endpoint that is set for a service ("S3", "STS"), if any: AWS_ENDPOINT_URL_<service>, AWS_ENDPOINT_URL, the
// endpoint_url of the service in the profile's `services`, the profile's endpoint_url. None at all where
// AWS_IGNORE_CONFIGURED_ENDPOINT_URLS or the profile's ignore_configured_endpoint_urls is true.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
std::optional<std::string> configured_aws_endpoint(const Environment& environment, const AwsProfile& profile,
                                                   std::string_view service);

}  // namespace drs
