// Text that a server sent, made fit for a message to the operator.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace drs {

// One line of printable ASCII: every other byte becomes '?', a run of white space one space, and what is longer than
// `bytes_max` ends in "...". A server cannot send escape codes to a terminal, nor fill a log.
std::string foreign_text(std::string_view text, std::size_t bytes_max);

}  // namespace drs
