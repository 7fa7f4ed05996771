// Base64 (RFC 4648), as HTTP headers and JSON carry digests and tokens.
#pragma once

#include <string>

#include "io/bytes.h"

namespace drs {

// With padding, section 4.
std::string to_base64(ByteView bytes);
// With the alphabet that is safe in URLs, section 5, without padding: the parts of a JSON Web Token.
std::string to_base64_url(ByteView bytes);

}  // namespace drs
