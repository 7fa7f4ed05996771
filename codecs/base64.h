// Base64 with padding (RFC 4648, section 4), as HTTP headers carry digests.
#pragma once

#include <string>

#include "io/bytes.h"

namespace drs {

std::string to_base64(ByteView bytes);

}  // namespace drs
