// Makes text from a server fit for a message to the operator: without credentials, and without control characters that
// a terminal would obey.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "io/base/bytes.h"
#include "sinks/transport/http_message.h"

namespace drs {

// The secrets of a request that an answer must not show: signature, session token, bearer token, and in a form (of STS
// or OAuth) assertions, tokens and secrets. Views into the arguments.
std::vector<std::string_view> secrets_sent(const std::vector<HttpHeader>& headers, const std::vector<ByteView>& body);

// `text` with "[removed]" in place of every part of a secret that is 8 bytes or longer: an echo may be truncated, or
// encode some characters differently.
std::string without_secrets(std::string_view text, const std::vector<std::string_view>& secrets);

// One line of printable ASCII: every other byte becomes '?', a run of white space one space, and text longer than
// `bytes_max` ends in "...". So a server cannot send escape codes to a terminal or fill a log.
std::string foreign_text(std::string_view text, std::size_t bytes_max);

}  // namespace drs
