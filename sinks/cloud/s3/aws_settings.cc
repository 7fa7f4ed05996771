#include "sinks/cloud/s3/aws_settings.h"

namespace drs {

std::string resolve_aws_region(const Environment& environment, const AwsProfile& profile,
                               const RegionOptions& options) {
  if (!options.explicit_region.empty()) return std::string(options.explicit_region);
  for (const char* name : {"AWS_REGION", "AWS_DEFAULT_REGION"})
    if (const auto region = environment.variable(name)) return std::string(*region);
  if (const auto region = profile.setting("region")) return std::string(*region);
  return std::string(options.instance_region.empty() ? kDefaultAwsRegion : options.instance_region);
}

std::string resolve_aws_ca_file(const Environment& environment, const AwsProfile& profile,
                                std::string_view explicit_file) {
  if (!explicit_file.empty()) return std::string(explicit_file);
  const auto variable = environment.variable("AWS_CA_BUNDLE");
  return std::string((variable ? variable : profile.setting("ca_bundle")).value_or(""));
}

bool is_aws_true(std::optional<std::string_view> value) {
  return value && (*value == "true" || *value == "True" || *value == "TRUE");
}

std::optional<std::string> configured_aws_endpoint(const Environment& environment, const AwsProfile& profile,
                                                   std::string_view service) {
  const auto ignored = environment.variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
  if (is_aws_true(ignored ? ignored : profile.setting("ignore_configured_endpoint_urls"))) return std::nullopt;
  const std::string own = "AWS_ENDPOINT_URL_" + std::string(service);
  for (const char* name : {own.c_str(), "AWS_ENDPOINT_URL"})
    if (const auto url = environment.variable(name)) return std::string(*url);
  if (const auto url = profile.service_setting(service, "endpoint_url")) return std::string(*url);
  if (const auto url = profile.setting("endpoint_url")) return std::string(*url);
  return std::nullopt;
}

}  // namespace drs
