// Percent-encoding as object stores require it (RFC 3986): A-Z a-z 0-9 - . _ ~ stand for themselves, every other byte
// is %XX in upper-case hex.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drs {

struct UriParameter {
  std::string name;
  std::string value;
};

std::string uri_encode(std::string_view text);
// The same, but '/' stands for itself. Nothing is normalised: S3 keeps empty, "." and ".." parts.
std::string uri_encode_path(std::string_view path);
// "a=1&b=": encoded, then sorted by name and value, which is the canonical query string that S3 signs. Send exactly
// this text.
std::string uri_encode_query(const std::vector<UriParameter>& parameters);
// Decodes "%XX" in either case, and '+', which is a space in the answers of S3. None if a '%' is not followed by two
// hex digits.
std::optional<std::string> uri_decode(std::string_view text);

}  // namespace drs
