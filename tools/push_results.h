// How the pushes of one command ended: the heads recorded, the summary, the JSON document, the exit code.
#pragma once

#include <vector>

#include "engine/pipeline/push.h"
#include "tools/command.h"
#include "tools/push_destinations.h"

namespace drs {

// `results`: one for each destination. `with_stats`: print where the time went, too. The document is the first
// destination's, an error's where that failed; where there are several destinations, "repositories" stands last in it,
// with the document of each. Errors: the worst of the failures; tells the others itself.
Result<ExitCode> tell_push_results(CommandContext& context, const std::vector<PushDestination>& destinations,
                                   const std::vector<Result<PushReport>>& results, bool with_stats);

}  // namespace drs
