#include "sinks/cloud/s3/profile_credentials.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "sinks/cloud/s3/assume_role.h"
#include "sinks/cloud/s3/aws_settings.h"
#include "sinks/cloud/s3/container_credentials.h"
#include "sinks/cloud/s3/environment_credentials.h"
#include "sinks/cloud/s3/instance_metadata.h"
#include "sinks/cloud/s3/web_identity.h"

namespace drs {
namespace {

Error usage(std::string text) {
  return Error(ErrorCode::kUsage, std::move(text));
}

constexpr const char* kWayRound =
    " is not supported: set credential_process = aws configure export-credentials --profile NAME in another profile, "
    "and "
    "name that one in AWS_PROFILE";

Result<AwsCredentials> by_keys(const AwsProfile& profile) {
  const auto id = profile.setting("aws_access_key_id");
  const auto secret = profile.setting("aws_secret_access_key");
  if (!id) return usage("aws_secret_access_key is set, but aws_access_key_id is not");
  if (!secret) return usage("aws_access_key_id is set, but aws_secret_access_key is not");
  AwsCredentials out;
  out.access_key_id = *id;
  out.secret_access_key = SecretBytes::copy_of(as_bytes(*secret));
  if (const auto token = profile.setting("aws_session_token"))
    out.session_token = SecretBytes::copy_of(as_bytes(*token));
  DRS_RETURN_IF_ERROR(check_credentials(out));
  return out;
}

Result<AwsCredentials> by_process(const Environment& environment, std::string_view command) {
  if (!environment.run_command) return usage("credential_process is not supported here");
  Result<SecretBytes> output = environment.run_command(std::string(command));
  if (!output.ok()) {
    const Error& error = output.error();
    // The command exists and failed; the cause may be temporary.
    const bool passing = error.code != ErrorCode::kUsage && error.code != ErrorCode::kCancelled;
    return Error(passing ? ErrorCode::kUnavailable : error.code, "credential_process: " + error.message,
                 error.error_number);
  }
  Result<AwsCredentials> credentials = parse_credentials_json(output->view(), CredentialsDocument::kProcess);
  if (!credentials.ok()) return std::move(credentials).error().with_context("credential_process");
  return credentials;
}

bool has_keys(const AwsProfile& profile) {
  return profile.setting("aws_access_key_id") || profile.setting("aws_secret_access_key");
}

Result<std::optional<std::chrono::seconds>> role_duration(const AwsProfile& profile) {
  const auto text = profile.setting("duration_seconds");
  if (!text) return std::optional<std::chrono::seconds>();
  std::chrono::seconds::rep seconds = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), seconds);
  const bool number = error == std::errc() && end == text->data() + text->size();
  if (!number || seconds < kRoleDurationMin.count() || seconds > kRoleDurationMax.count())
    return usage("duration_seconds is no number from " + std::to_string(kRoleDurationMin.count()) + " to " +
                 std::to_string(kRoleDurationMax.count()));
  return std::optional(std::chrono::seconds(seconds));
}

// Resolves one profile, and those that it refers to.
class Search {
 public:
  Search(const Environment& environment, StsPlace sts) : environment_(environment), sts_(std::move(sts)) {}

  Result<CredentialsLookup> look(const AwsProfile& profile) {
    if (!profile.exists()) {
      if (profile.named()) return usage("there is no such profile");
      return CredentialsLookup{std::nullopt, "there is no such profile"};
    }
    if (const auto token_file = profile.setting("web_identity_token_file"))
      return found(by_web_identity(profile, *token_file));
    if (profile.setting("role_arn")) return found(by_role(profile));
    if (has_keys(profile)) return found(by_keys(profile));
    if (const auto command = profile.setting("credential_process")) return found(by_process(environment_, *command));
    for (const char* name : {"sso_session", "sso_account_id", "login_session"})
      if (profile.setting(name)) return usage(std::string(name) + kWayRound);
    return CredentialsLookup{std::nullopt, "it sets neither keys, nor a role, nor credential_process"};
  }

 private:
  static Result<CredentialsLookup> found(Result<AwsCredentials> credentials) {
    if (!credentials.ok()) return std::move(credentials).error();
    return CredentialsLookup{*std::move(credentials), {}};
  }

  Result<AwsCredentials> by_web_identity(const AwsProfile& profile, std::string_view token_file) {
    const auto role_arn = profile.setting("role_arn");
    if (!role_arn) return usage("web_identity_token_file is set, but role_arn is not");
    WebIdentity identity;
    identity.token_file = token_file;
    identity.role = role_of(profile);
    identity.sts = sts_;
    return assume_role_with_web_identity(environment_, identity);
  }

  static StsRole role_of(const AwsProfile& profile) {
    return {std::string(profile.setting("role_arn").value_or("")),
            std::string(profile.setting("role_session_name").value_or(""))};
  }

  Result<AwsCredentials> by_role(const AwsProfile& profile) {
    if (profile.setting("mfa_serial")) return usage(std::string("mfa_serial") + kWayRound);
    const auto from_profile = profile.setting("source_profile");
    const auto from_place = profile.setting("credential_source");
    if (from_profile && from_place) return usage("role_arn with both source_profile and credential_source: set one");
    if (!from_profile && !from_place)
      return usage("role_arn is set, but none of web_identity_token_file, source_profile and credential_source");
    RoleToAssume role;
    role.role = role_of(profile);
    role.external_id = profile.setting("external_id").value_or("");
    role.sts = sts_;
    DRS_ASSIGN_OR_RETURN(role.duration, role_duration(profile));
    Result<AwsCredentials> source =
        from_profile ? of_source_profile(profile, *from_profile) : of_place(profile, *from_place);
    if (!source.ok()) return source;
    Result<AwsCredentials> given = assume_role(environment_, role, *source);
    if (!given.ok()) return std::move(given).error().with_context("role " + role.role.role_arn);
    return given;
  }

  Result<AwsCredentials> of_source_profile(const AwsProfile& profile, std::string_view name) {
    const std::string what = "source_profile '" + std::string(name) + "'";
    visited_.push_back(profile.name());
    if (name == profile.name() && has_keys(profile)) return by_keys(profile);
    if (std::find(visited_.begin(), visited_.end(), name) != visited_.end())
      return usage(what + ": the profiles lead in a circle");
    if (visited_.size() >= kProfilesInARowMax)
      return usage(what + ": more than " + std::to_string(kProfilesInARowMax) + " profiles lead to each other");
    Result<AwsProfile> source = AwsProfile::load_named(environment_, name);
    if (!source.ok()) return std::move(source).error().with_context(what);
    const bool keys = has_keys(*source) && !source->setting("web_identity_token_file");
    Result<CredentialsLookup> looked = keys ? found(by_keys(*source)) : look(*source);
    if (!looked.ok()) return std::move(looked).error().with_context(what);
    if (!looked->credentials) return usage(what + ": " + looked->nothing_because);
    return *std::move(looked->credentials);
  }

  Result<AwsCredentials> of_place(const AwsProfile& profile, std::string_view name) {
    const std::string what = "credential_source " + std::string(name);
    const bool instance = name == "Ec2InstanceMetadata";
    Result<CredentialsLookup> looked = usage("Environment, Ec2InstanceMetadata and EcsContainer are known");
    if (name == "Environment") looked = environment_credentials(environment_);
    if (name == "EcsContainer") looked = container_credentials(environment_);
    if (instance) looked = instance_metadata_credentials(environment_, profile);
    if (!looked.ok()) return std::move(looked).error().with_context(what);
    // The metadata service may recover.
    if (!looked->credentials)
      return Error(instance ? ErrorCode::kUnavailable : ErrorCode::kUsage, what + ": " + looked->nothing_because);
    return *std::move(looked->credentials);
  }

  const Environment& environment_;
  const StsPlace sts_;
  std::vector<std::string> visited_;  // profiles whose roles are being assumed, the first first
};

}  // namespace

Result<CredentialsLookup> profile_credentials(const Environment& environment, const AwsProfile& profile,
                                              const std::string& region) {
  return Search(environment, {configured_aws_endpoint(environment, profile, "STS").value_or(""), region}).look(profile);
}

}  // namespace drs
