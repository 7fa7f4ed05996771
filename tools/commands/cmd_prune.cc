// drstream prune: gives back the space of what no snapshot needs.
#include <memory>

#include "tools/cli/option_builder.h"
#include "tools/command.h"
#include "tools/commands/run_prune.h"
#include "tools/output/quantity_text.h"
#include "tools/repository/open_repository.h"
#include "tools/repository/repository_location.h"
#include "tools/repository/seen_heads.h"

namespace drs {
namespace {

// One that opens the repository for itself.
Result<ExitCode> run_prune_command(CommandContext& context, PruneOptions options, RunMetrics& metrics) {
  if (options.dry_run) metrics.drop();
  if (options.force && !options.exclusive)
    return Error(ErrorCode::kUsage, "--force needs --exclusive: a prune without it waits for running pushes");
  DRS_ASSIGN_OR_RETURN(const RepositoryLocation place, repository_location(context.options));
  options.single_writer = place.cloud.single_writer && place.kind != RepositoryLocation::Kind::kLocal;
  DRS_ASSIGN_OR_RETURN(const auto repository, open_repository(context));
  warn_of_other_owner(context);
  const SeenHeads seen(context, *repository);
  options.remembered = seen.lost_finder();
  return run_prune(context, *repository, options, metrics);
}

}  // namespace

void add_prune_command(CommandSet& commands) {
  const auto options = std::make_shared<PruneOptions>();
  CLI::App* const app =
      add_subcommand(commands.root(), "prune", "Give back the space of what no snapshot needs",
                     "  drstream prune --dry-run\n"
                     "  drstream prune\n"
                     "  drstream prune --exclusive --undo 0    # a full disk: give space back at once\n");
  add_flag(*app, "--dry-run", options->dry_run, "Change nothing; print what would be done");
  add_prune_options(*app, *options);
  add_parsed(*app, "--budget", options->move_bytes_max, parse_size, "SIZE",
             "Move at most this much live data out of mostly dead packs (default: no limit)");
  add_flag(*app, "--exclusive", options->exclusive,
           "Delete at once: end every push and copy under way, without grace or least age; the undo time stays");
  add_flag(*app, "--force", options->force, "With --exclusive: even if a session is younger than two hours");
  const auto metrics = add_run_metrics(*app, "prune");
  commands.add({
      .app = app,
      .effect = CommandEffect::kChanges,
      .run = [options, metrics](CommandContext& context) { return run_prune_command(context, *options, *metrics); },
      .metrics = metrics,
      .reports = add_reports(*app),
  });
}

}  // namespace drs
