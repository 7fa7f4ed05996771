// Text that a server sent, made fit for a message to the operator: without what would prove to others who we are, and
// without what a terminal would obey.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "io/bytes.h"
#include "sinks/http_message.h"

namespace drs {

// What of a request an answer must not show: signature, session token, bearer token, and in a form (of STS, of OAuth)
// assertions, tokens and secrets. Views into what is passed.
std::vector<std::string_view> secrets_sent(const std::vector<HttpHeader>& headers, const std::vector<ByteView>& body);

// `text` with "[removed]" in place of every piece of a secret that is 8 bytes or longer: an echo may be cut short, or
// have some characters written in another way.
std::string without_secrets(std::string_view text, const std::vector<std::string_view>& secrets);

// One line of printable ASCII: every other byte becomes '?', a run of white space one space, and what is longer than
// `bytes_max` ends in "...". A server cannot send escape codes to a terminal, nor fill a log.
std::string foreign_text(std::string_view text, std::size_t bytes_max);

}  // namespace drs
