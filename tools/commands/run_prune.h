// Runs a prune and prints its result: for `drstream prune` and `drstream forget --prune`.
#pragma once

#include <CLI/CLI.hpp>

#include "engine/pipeline/keeping/prune.h"
#include "engine/repository/repository.h"
#include "tools/command.h"

namespace drs {

// The options that both commands have. `options` must outlive the parsing.
void add_prune_options(CLI::App& app, PruneOptions& options);

// Returns the report of the prune, after it has printed its problems and its result as text.
Result<PruneReport> prune_and_print(CommandContext& context, Repository& repository, const PruneOptions& options);
// kOk, also if something waits; kDamage if something that cannot be read keeps data from being deleted.
ExitCode exit_code_of(const PruneReport& report);

// The same with the JSON document and the metrics of `drstream prune`.
Result<ExitCode> run_prune(CommandContext& context, Repository& repository, const PruneOptions& options,
                           RunMetrics& metrics);

}  // namespace drs
