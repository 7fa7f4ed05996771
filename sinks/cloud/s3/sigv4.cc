#include "sinks/cloud/s3/sigv4.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "codecs/hmac_sha256.h"
#include "codecs/sha256.h"
#include "io/base/ascii.h"
#include "sinks/transport/iso_time.h"

namespace drs {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view kTerminator = "aws4_request";
constexpr std::size_t kDayLength = 8;

// Without surrounding spaces, and with one space in place of several.
std::string canonical_value(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\t';
    if (space && (out.empty() || out.back() == ' ')) continue;
    out += space ? ' ' : c;
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

// Names in lower case, sorted, each once; the values of a repeated name joined in their order.
std::vector<HttpHeader> canonical_headers(const std::vector<HttpHeader>& headers) {
  std::vector<HttpHeader> sorted;
  sorted.reserve(headers.size());
  for (const HttpHeader& header : headers) sorted.push_back({ascii_lower(header.name), canonical_value(header.value)});
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const HttpHeader& a, const HttpHeader& b) { return a.name < b.name; });
  std::vector<HttpHeader> out;
  for (HttpHeader& header : sorted) {
    if (!out.empty() && out.back().name == header.name) {
      out.back().value += ',' + header.value;
    } else {
      out.push_back(std::move(header));
    }
  }
  return out;
}

std::string signed_names(const std::vector<HttpHeader>& canonical) {
  std::string out;
  for (const HttpHeader& header : canonical) {
    if (!out.empty()) out += ';';
    out += header.name;
  }
  return out;
}

std::string canonical_request(const SigV4Request& request, const std::vector<HttpHeader>& canonical,
                              const std::string& names) {
  std::string out(request.method);
  out += '\n';
  out += request.canonical_path;
  out += '\n';
  out += request.canonical_query;
  out += '\n';
  for (const HttpHeader& header : canonical) out += header.name + ':' + header.value + '\n';
  out += '\n' + names + '\n';
  out += request.payload_hash;
  return out;
}

}  // namespace

std::vector<HttpHeader> SigV4Signer::sign(const AwsCredentials& credentials, const SigV4Request& request) {
  const std::string date = format_basic_iso_time(request.time_ns);
  const std::string_view day = std::string_view(date).substr(0, kDayLength);
  std::vector<HttpHeader> added{{"x-amz-date", date}};
  if (scope_.service == "s3") added.push_back({"x-amz-content-sha256", std::string(request.payload_hash)});
  if (!credentials.session_token.empty())
    added.push_back({"x-amz-security-token", std::string(as_text(credentials.session_token.view()))});

  std::vector<HttpHeader> all = request.headers;
  all.insert(all.end(), added.begin(), added.end());
  const std::vector<HttpHeader> canonical = canonical_headers(all);
  DRS_ASSERT(std::any_of(canonical.begin(), canonical.end(), [](const HttpHeader& h) { return h.name == "host"; }),
             "a request is signed without its Host header");
  const std::string names = signed_names(canonical);
  const std::string scope =
      std::string(day) + '/' + scope_.region + '/' + scope_.service + '/' + std::string(kTerminator);
  const std::string to_sign = std::string(kAlgorithm) + '\n' + date + '\n' + scope + '\n' +
                              sha256(as_bytes(canonical_request(request, canonical, names))).hex();
  const Digest signature = hmac_sha256(signing_key(credentials.secret_access_key, day), as_bytes(to_sign));

  added.push_back({"Authorization", std::string(kAlgorithm) + " Credential=" + credentials.access_key_id + '/' + scope +
                                        ", SignedHeaders=" + names + ", Signature=" + signature.hex()});
  return added;
}

ByteView SigV4Signer::signing_key(const SecretBytes& secret, std::string_view day) {
  if (key_day_ == day && equal_constant_time(key_secret_.view(), secret.view())) return key_.view();
  constexpr std::string_view kPrefix = "AWS4";
  SecretBytes start(kPrefix.size() + secret.size());
  std::memcpy(start.mutable_view().data(), kPrefix.data(), kPrefix.size());
  std::copy(secret.view().begin(), secret.view().end(),
            start.mutable_view().begin() + static_cast<std::ptrdiff_t>(kPrefix.size()));
  SecretBytes key = std::move(start);
  for (const std::string_view step :
       {day, std::string_view(scope_.region), std::string_view(scope_.service), kTerminator}) {
    Digest derived = hmac_sha256(key.view(), as_bytes(step));
    key = SecretBytes::copy_of(derived.view());
    wipe(derived.mutable_view());
  }
  key_ = std::move(key);
  key_day_ = day;
  key_secret_ = SecretBytes::copy_of(secret.view());
  ++keys_derived_count_;
  return key_.view();
}

}  // namespace drs
