// Holds on the command line: `hold`, `push --hold`, `unforget --hold`.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "engine/repository/put_hold.h"
#include "tools/command.h"

namespace drs {

struct HoldChoice {
  std::string until;  // a time or a duration; empty: for ever
  std::string reason;
};

// A time as of parse_time, at the end of the minute or day that it names, or a duration from now on ("90d").
// Errors: kUsage, saying what is accepted; the time has passed.
Result<WallNs> parse_hold_until(std::string_view text, WallNs now_ns);

// For a snapshot that is yet unknown. Errors: kUsage (the time, the reason).
Result<HoldRequest> hold_request(const HoldChoice& choice, WallNs now_ns);

// Warns if the hold ends before the time that was requested.
void warn_of_shorter_hold(const CommandContext& context, const HoldRequest& request, const HoldReport& report);

}  // namespace drs
