#include "sinks/s3/profile_credentials.h"

#include <optional>
#include <utility>

#include "sinks/s3/aws_settings.h"
#include "sinks/s3/web_identity.h"

namespace drs {
namespace {

Error usage(std::string text) {
  return Error{ErrorCode::kUsage, std::move(text)};
}

constexpr const char* kWayRound =
    " is not supported: set credential_process = aws configure export-credentials --profile NAME in another profile, "
    "and "
    "name that one in AWS_PROFILE";

Result<AwsCredentials> by_web_identity(const Surroundings& surroundings, const AwsProfile& profile,
                                       std::string_view token_file, const std::string& region) {
  const auto role_arn = profile.setting("role_arn");
  if (!role_arn) return usage("web_identity_token_file is set, but role_arn is not");
  WebIdentity identity;
  identity.token_file = token_file;
  identity.role_arn = *role_arn;
  identity.session_name = profile.setting("role_session_name").value_or("");
  identity.sts_endpoint = configured_aws_endpoint(surroundings, profile, "STS").value_or("");
  identity.region = region;
  return assume_role_with_web_identity(surroundings, identity);
}

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

Result<AwsCredentials> by_process(const Surroundings& surroundings, std::string_view command) {
  if (!surroundings.run_command) return usage("credential_process is not supported here");
  Result<SecretBytes> output = surroundings.run_command(std::string(command));
  if (!output.ok()) {
    // It was found and failed: it may be as passing a trouble as any.
    const ErrorCode code = output.error().code == ErrorCode::kUsage ? ErrorCode::kUsage : ErrorCode::kUnavailable;
    return Error{code, "credential_process: " + output.error().message, output.error().error_number};
  }
  Result<AwsCredentials> credentials = parse_credentials_json(output->view(), CredentialsDocument::kProcess);
  if (!credentials.ok()) return std::move(credentials).error().with_context("credential_process");
  return credentials;
}

CredentialsLookup found(AwsCredentials credentials) {
  return CredentialsLookup{std::move(credentials), {}};
}

}  // namespace

Result<CredentialsLookup> profile_credentials(const Surroundings& surroundings, const AwsProfile& profile,
                                              const std::string& region) {
  if (!profile.exists()) {
    if (profile.named()) return usage("there is no such profile");
    return CredentialsLookup{std::nullopt, "there is no such profile"};
  }
  if (const auto token_file = profile.setting("web_identity_token_file")) {
    DRS_ASSIGN_OR_RETURN(AwsCredentials credentials, by_web_identity(surroundings, profile, *token_file, region));
    return found(std::move(credentials));
  }
  if (profile.setting("role_arn")) return usage(std::string("role_arn without web_identity_token_file") + kWayRound);
  if (profile.setting("aws_access_key_id") || profile.setting("aws_secret_access_key")) {
    DRS_ASSIGN_OR_RETURN(AwsCredentials credentials, by_keys(profile));
    return found(std::move(credentials));
  }
  if (const auto command = profile.setting("credential_process")) {
    DRS_ASSIGN_OR_RETURN(AwsCredentials credentials, by_process(surroundings, *command));
    return found(std::move(credentials));
  }
  for (const char* name : {"sso_session", "sso_account_id", "login_session"})
    if (profile.setting(name)) return usage(std::string(name) + kWayRound);
  return CredentialsLookup{std::nullopt, "it sets neither keys, nor a role, nor credential_process"};
}

}  // namespace drs
