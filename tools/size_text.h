// Sizes as people write them: the one place where they are read and printed.
//
// Read: digits, an optional fraction, an optional unit. K, M, G, T, P (and KiB, MiB, ...) count in 1024; KB, MB, GB,
// TB, PB in 1000; B or nothing is bytes. Upper and lower case are equal. "64MiB", "64m", "1.5G", "1000000".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "io/result.h"

namespace drs {

// Errors: kUsage, saying what is accepted.
Result<std::uint64_t> parse_size(std::string_view text);

// At most four significant digits, binary units: "0 B", "999 B", "1.5 KiB", "64 MiB", "3.42 GiB".
std::string format_size(std::uint64_t bytes);

}  // namespace drs
