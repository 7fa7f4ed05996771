#include "sinks/s3/web_identity.h"

#include <optional>
#include <utility>

#include "sinks/endpoint.h"
#include "sinks/iso_time.h"
#include "sinks/retried_fetch.h"
#include "sinks/s3/aws_endpoint.h"
#include "sinks/s3/s3_xml.h"
#include "sinks/s3/xml_answer.h"
#include "sinks/uri_encoding.h"

namespace drs {
namespace {

constexpr std::string_view kAnswerName = "the answer of STS";

Result<Endpoint> sts_endpoint(const WebIdentity& identity) {
  if (!identity.sts_endpoint.empty()) return parse_endpoint(identity.sts_endpoint, "the endpoint of STS");
  DRS_RETURN_IF_ERROR(check_aws_region(identity.region));
  Endpoint out;
  out.host = "sts." + identity.region + '.' + std::string(aws_domain(identity.region));
  out.authority = out.host;
  return out;
}

void wipe_text(std::string& text) {
  wipe({reinterpret_cast<Byte*>(text.data()), text.size()});
}

// Without the white space around it, which is no part of a token.
ByteView trimmed(ByteView token) {
  const std::string_view text = as_text(token);
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return as_bytes(text.substr(first, text.find_last_not_of(kSpace) - first + 1));
}

SecretBytes form_of(const WebIdentity& identity, ByteView token, std::int64_t now_ns) {
  const std::string session_name =
      identity.session_name.empty() ? "drstream-" + std::to_string(now_ns / 1'000'000'000) : identity.session_name;
  std::string text = "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=" + uri_encode(identity.role_arn) +
                     "&RoleSessionName=" + uri_encode(session_name);
  constexpr std::string_view kToken = "&WebIdentityToken=";
  std::string encoded = uri_encode(as_text(token));
  text.reserve(text.size() + kToken.size() + encoded.size());  // so that no copy is left behind
  text += kToken;
  text += encoded;
  SecretBytes out = SecretBytes::copy_of(as_bytes(text));
  wipe_text(text);
  wipe_text(encoded);
  return out;
}

Error refusal(const HttpResponse& response) {
  std::string text = "STS answered with status " + std::to_string(response.status);
  bool passing = is_passing_status(response.status);
  if (const Result<S3ErrorBody> said = parse_s3_error(response.body.view()); said.ok()) {
    text += ", " + said->code + ": " + said->message;
    passing = passing || said->code == "IDPCommunicationError" || said->code == "Throttling";
  }
  return Error{passing ? ErrorCode::kUnavailable : ErrorCode::kDenied, std::move(text)};
}

SecretBytes secret_text(pugi::xml_node parent, const char* name) {
  std::string text = xml_text(parent, name).value_or("");
  SecretBytes out = SecretBytes::copy_of(as_bytes(text));
  wipe_text(text);
  return out;
}

Result<AwsCredentials> parse_answer(ByteView xml) {
  const auto error = [](std::string_view problem) {
    return Error{ErrorCode::kUnavailable, std::string(kAnswerName) + ' ' + std::string(problem)};
  };
  DRS_ASSIGN_OR_RETURN(const pugi::xml_document document, read_xml_answer(xml, kAnswerName));
  const pugi::xml_node given =
      document.child("AssumeRoleWithWebIdentityResponse").child("AssumeRoleWithWebIdentityResult").child("Credentials");
  if (!given) return error("holds no credentials");
  AwsCredentials out;
  out.access_key_id = xml_text(given, "AccessKeyId").value_or("");
  out.secret_access_key = secret_text(given, "SecretAccessKey");
  out.session_token = secret_text(given, "SessionToken");
  out.expires_ns = parse_iso_time(xml_text(given, "Expiration").value_or(""));
  if (out.session_token.empty()) return error("holds no session token");
  if (!out.expires_ns) return error("does not say when the credentials expire");
  if (Result<void> good = check_credentials(out); !good.ok())
    return error("is not as it should be: " + good.error().message);
  return out;
}

}  // namespace

Result<AwsCredentials> assume_role_with_web_identity(const Surroundings& surroundings, const WebIdentity& identity) {
  DRS_ASSIGN_OR_RETURN(const Endpoint endpoint, sts_endpoint(identity));
  Result<SecretBytes> file = surroundings.read_file(identity.token_file);
  if (!file.ok())
    return Error{ErrorCode::kUsage, "the token cannot be read: " + file.error().message, file.error().error_number};
  const ByteView token = trimmed(file->view());
  if (token.empty()) return Error{ErrorCode::kUsage, "the token in '" + identity.token_file + "' is empty"};

  HttpRequest request;
  request.method = "POST";
  request.url = endpoint.url() + '/';
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "text/xml"}};
  request.body = form_of(identity, token, surroundings.clock.wall_ns());
  DRS_ASSIGN_OR_RETURN(const HttpResponse response, fetch_with_retries(surroundings.fetch, request));
  if (response.status != 200) return refusal(response);
  return parse_answer(response.body.view());
}

}  // namespace drs
