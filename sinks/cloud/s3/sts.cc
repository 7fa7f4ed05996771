#include "sinks/cloud/s3/sts.h"

#include <optional>
#include <utility>

#include "codecs/sha256.h"
#include "sinks/cloud/s3/aws_endpoint.h"
#include "sinks/cloud/s3/s3_xml.h"
#include "sinks/cloud/s3/sigv4.h"
#include "sinks/cloud/s3/xml_answer.h"
#include "sinks/transport/endpoint.h"
#include "sinks/transport/iso_time.h"
#include "sinks/transport/retried_fetch.h"
#include "sinks/transport/uri_encoding.h"

namespace drs {
namespace {

constexpr std::string_view kAnswerName = "the answer of STS";

Result<Endpoint> sts_endpoint(const StsPlace& place) {
  if (!place.endpoint.empty()) return parse_endpoint(place.endpoint, "the endpoint of STS");
  DRS_RETURN_IF_ERROR(check_aws_region(place.region));
  Endpoint out;
  out.host = "sts." + place.region + '.' + std::string(aws_domain(place.region));
  out.authority = out.host;
  return out;
}

Error refusal(const HttpResponse& response) {
  std::string text = "STS answered with status " + std::to_string(response.status);
  bool passing = is_passing_status(response.status);
  if (const Result<S3ErrorBody> said = parse_s3_error(response.body.view()); said.ok()) {
    text += ", " + said->code + ": " + said->message;
    passing = passing || said->code == "IDPCommunicationError" || said->code == "Throttling";
  }
  return Error(passing ? ErrorCode::kUnavailable : ErrorCode::kDenied, std::move(text));
}

SecretBytes secret_text(pugi::xml_node parent, const char* name) {
  std::string text = xml_text(parent, name).value_or("");
  SecretBytes out = SecretBytes::copy_of(as_bytes(text));
  wipe({reinterpret_cast<Byte*>(text.data()), text.size()});
  return out;
}

Result<AwsCredentials> parse_answer(ByteView xml, std::string_view action) {
  const auto error = [](std::string_view problem) {
    return Error(ErrorCode::kUnavailable, std::string(kAnswerName) + ' ' + std::string(problem));
  };
  DRS_ASSIGN_OR_RETURN(const pugi::xml_document document, read_xml_answer(xml, kAnswerName));
  const std::string name(action);
  const pugi::xml_node given =
      document.child((name + "Response").c_str()).child((name + "Result").c_str()).child("Credentials");
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

std::string sts_form(std::string_view action, const StsRole& role, std::int64_t now_ns) {
  const std::string session_name =
      role.session_name.empty() ? "drstream-" + std::to_string(now_ns / 1'000'000'000) : role.session_name;
  return "Action=" + std::string(action) + "&Version=2011-06-15&RoleArn=" + uri_encode(role.role_arn) +
         "&RoleSessionName=" + uri_encode(session_name);
}

Result<AwsCredentials> ask_sts(const Environment& environment, const StsPlace& place, StsQuestion question) {
  DRS_ASSIGN_OR_RETURN(const Endpoint endpoint, sts_endpoint(place));
  const std::string path = endpoint.path + '/';
  HttpRequest request;
  request.method = "POST";
  request.url = endpoint.url_to(path, "");
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "text/xml"}};
  if (question.signer != nullptr) {
    SigV4Request to_sign;
    to_sign.method = request.method;
    to_sign.canonical_path = path;
    to_sign.headers = {{"Host", endpoint.authority}, request.headers.front()};
    const std::string hash = sha256(question.form.view()).hex();
    to_sign.payload_hash = hash;
    to_sign.time_ns = environment.clock.wall_ns();
    SigV4Signer signer({.region = place.region, .service = "sts"});
    for (HttpHeader& header : signer.sign(*question.signer, to_sign)) request.headers.push_back(std::move(header));
  }
  request.body = std::move(question.form);
  DRS_ASSIGN_OR_RETURN(const HttpResponse response, fetch_with_retries(environment.fetch, request));
  if (response.status != 200) return refusal(response);
  return parse_answer(response.body.view(), question.action);
}

}  // namespace drs
