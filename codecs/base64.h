// Base64 (RFC 4648), for digests and tokens in HTTP headers and JSON.
#pragma once

#include <string>

#include "io/base/bytes.h"

namespace drs {

// The standard alphabet (RFC 4648, section 4) with padding.
std::string to_base64(ByteView bytes);
// The URL-safe alphabet (RFC 4648, section 5) without padding: for the parts of a JSON Web Token.
std::string to_base64_url(ByteView bytes);

}  // namespace drs
