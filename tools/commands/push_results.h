// The end of the pushes of one command: records the heads, prints the summary and the JSON document, decides the exit
// code.
#pragma once

#include <vector>

#include "engine/pipeline/push/push.h"
#include "tools/command.h"
#include "tools/commands/push_destinations.h"

namespace drs {

// `results`: one for each destination. `with_stats`: also prints where the time went. The document is that of the first
// destination, or an error if that failed; with several destinations, its last member "repositories" has the result of
// each. Errors: the worst of the failures; logs the others itself.
Result<ExitCode> report_push_results(CommandContext& context, const std::vector<PushDestination>& destinations,
                                     const std::vector<Result<PushReport>>& results, bool with_stats);

}  // namespace drs
