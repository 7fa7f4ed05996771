#include "sinks/cloud/s3/credentials_chain.h"

#include <utility>

#include "sinks/cloud/s3/aws_profile.h"
#include "sinks/cloud/s3/aws_settings.h"
#include "sinks/cloud/s3/container_credentials.h"
#include "sinks/cloud/s3/environment_credentials.h"
#include "sinks/cloud/s3/instance_metadata.h"
#include "sinks/cloud/s3/profile_credentials.h"
#include "sinks/cloud/s3/web_identity.h"

namespace drs {
namespace {

constexpr CredentialsPlace kOrder[] = {CredentialsPlace::kEnvironment, CredentialsPlace::kWebIdentity,
                                       CredentialsPlace::kProfile, CredentialsPlace::kContainer,
                                       CredentialsPlace::kInstanceMetadata};

CredentialsLookup nothing(std::string because) {
  return CredentialsLookup{std::nullopt, std::move(because)};
}

Result<CredentialsLookup> web_identity_credentials(const Environment& environment, const AwsProfile& profile,
                                                   const std::string& region) {
  const auto token_file = environment.variable("AWS_WEB_IDENTITY_TOKEN_FILE");
  if (!token_file) return nothing("AWS_WEB_IDENTITY_TOKEN_FILE is not set");
  const auto role_arn = environment.variable("AWS_ROLE_ARN");
  if (!role_arn) return Error(ErrorCode::kUsage, "AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not");
  WebIdentity identity;
  identity.token_file = *token_file;
  identity.role.role_arn = *role_arn;
  identity.role.session_name = environment.variable("AWS_ROLE_SESSION_NAME").value_or("");
  identity.sts = {configured_aws_endpoint(environment, profile, "STS").value_or(""), region};
  DRS_ASSIGN_OR_RETURN(AwsCredentials credentials, assume_role_with_web_identity(environment, identity));
  return CredentialsLookup{std::move(credentials), {}};
}

std::string name_of(CredentialsPlace place, const AwsProfile& profile) {
  switch (place) {
    case CredentialsPlace::kEnvironment: return "the environment";
    case CredentialsPlace::kWebIdentity: return "web identity";
    case CredentialsPlace::kProfile: return profile.description();
    case CredentialsPlace::kContainer: return "the container";
    case CredentialsPlace::kInstanceMetadata: return "instance metadata";
  }
  return "?";
}

}  // namespace

Result<AwsCredentials> CredentialsChain::fetch() {
  Result<AwsProfile> loaded = AwsProfile::load(environment_);
  if (!loaded.ok()) return std::move(loaded).error().with_context("the settings of AWS");
  const AwsProfile& profile = *loaded;
  const std::string region =
      resolve_aws_region(environment_, profile, {.explicit_region = options_.region, .instance_region = {}});
  const auto look = [&](CredentialsPlace place) -> Result<CredentialsLookup> {
    switch (place) {
      case CredentialsPlace::kEnvironment: return environment_credentials(environment_);
      case CredentialsPlace::kWebIdentity: return web_identity_credentials(environment_, profile, region);
      case CredentialsPlace::kProfile: return profile_credentials(environment_, profile, region);
      case CredentialsPlace::kContainer: return container_credentials(environment_);
      case CredentialsPlace::kInstanceMetadata: return instance_metadata_credentials(environment_, profile);
    }
    return Error(ErrorCode::kInternal, "no such place");
  };

  std::string looked_at;
  const auto note = [&](CredentialsPlace place, const std::string& why) {
    if (!looked_at.empty()) looked_at += "; ";
    looked_at += name_of(place, profile) + ": " + why;
  };
  for (const CredentialsPlace place : kOrder) {
    if (settled_ && place != *settled_) continue;
    if (options_.profile_named && place < CredentialsPlace::kProfile) continue;
    Result<CredentialsLookup> result = look(place);
    if (!result.ok()) {
      const Error& error = result.error();
      note(place, error.message);
      return Error(error.code, "no credentials for S3: " + looked_at, error.error_number);
    }
    if (result->credentials) {
      settled_ = place;
      result->credentials->place = place;
      result->credentials->origin = name_of(place, profile);
      return *std::move(result->credentials);
    }
    note(place, result->nothing_because);
  }
  return Error(settled_ ? ErrorCode::kUnavailable : ErrorCode::kUsage, "no credentials for S3: " + looked_at);
}

}  // namespace drs
