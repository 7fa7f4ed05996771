// Shares as people write them: "10%", "12.5 %". Read and printed in this one place.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "io/result.h"

namespace drs {

// "10%" is 0.10. The sign is required, so that 0.1 and 10 cannot be confused. Errors: kUsage, saying what is accepted.
Result<double> parse_percent(std::string_view text);

// "0 %", "7.3 %", "100 %"; "-" where the whole is 0.
std::string format_percent(std::uint64_t part, std::uint64_t whole);

}  // namespace drs
