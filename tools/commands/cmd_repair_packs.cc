// drstream repair packs: heals damaged and missing packs.
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "engine/pipeline/copy/same_place.h"
#include "engine/pipeline/repair/repair_packs.h"
#include "tools/cli/identity.h"
#include "tools/cli/option_builder.h"
#include "tools/commands/from_repository.h"
#include "tools/commands/repair_commands.h"
#include "tools/commands/repair_packs_results.h"
#include "tools/repository/open_repository.h"
#include "tools/repository/repository_location.h"

namespace drs {
namespace {

struct RepairPacksCommand {
  FromOptions from;
  bool dry_run = false;
};

// The repository that is repaired, and the one that heals it, if one is named.
struct Opened {
  std::unique_ptr<Repository> damaged, other;
};

Result<Opened> open_both(CommandContext& context, const RepairPacksCommand& command, const RepositoryLocation& place) {
  Opened opened;
  if (command.from.place.empty()) {
    DRS_ASSIGN_OR_RETURN(opened.damaged, open_repository(context, Reads::kStored));
    return opened;
  }
  DRS_ASSIGN_OR_RETURN(const RepositoryLocation from, parse_repository_location(command.from.place, context.options));
  DRS_ASSIGN_OR_RETURN(std::optional<Secret> given, read_from_secret(context, from, command.from));
  DRS_ASSIGN_OR_RETURN(const Secret secret, take_secret(context, place));
  DRS_ASSIGN_OR_RETURN(const Secret other, from_secret(context, std::move(given), place, secret));
  DRS_ASSIGN_OR_RETURN(opened.damaged, open_repository(context, place, secret, Reads::kStored));
  DRS_ASSIGN_OR_RETURN(opened.other, open_from_repository(context, from, command.from, other));
  // A dry run writes nothing, and what it finds is then only of no use.
  if (command.dry_run) return opened;
  DRS_ASSIGN_OR_RETURN(const bool same,
                       is_same_place(*opened.damaged, *opened.other, {.stream = "repair packs", .host = host_name()}));
  if (same)
    return Error(ErrorCode::kUsage, fmt::format("--from-repository {} and {} are the same place: a repository cannot "
                                                "heal itself; leave the option out to use its other copies",
                                                command.from.place, place.name));
  return opened;
}

// A part for the index of each: two of the damaged one at once, one of the other.
std::size_t index_cache_bytes(std::size_t memory_bytes) {
  return std::max<std::size_t>(memory_bytes / 16, 4 * kMiB);
}

Result<ExitCode> run_repair_packs(CommandContext& context, const RepairPacksCommand& command) {
  DRS_RETURN_IF_ERROR(check_clock(std::time(nullptr)));
  const std::span<const std::string> others =
      command.from.place.empty() ? std::span<const std::string>() : std::span(&command.from.place, 1);
  DRS_ASSIGN_OR_RETURN(const RepositoryLocation place, repository_location(context.options, others));
  DRS_ASSIGN_OR_RETURN(const Opened opened, open_both(context, command, place));
  if (!command.dry_run) warn_of_other_owner(context, place);
  DRS_ASSIGN_OR_RETURN(const std::size_t memory_bytes, context.options.memory_bytes());
  RepairPacksOptions options;
  options.host = host_name();
  options.dry_run = command.dry_run;
  options.index_cache_bytes = index_cache_bytes(memory_bytes);
  std::unique_ptr<OtherRepository> other;
  if (opened.other != nullptr) {
    DRS_ASSIGN_OR_RETURN(other, OtherRepository::open(*opened.other, *opened.damaged, options.index_cache_bytes));
  }
  ProgressCounters counters;
  const auto report = [&] {
    const ProgressReporter reporter(progress_options(context, "repair packs"), counters, context.console,
                                    context.clock);
    return repair_packs(*opened.damaged, other.get(), options, {counters, context.cancel});
  }();
  if (!report.ok()) {
    context.next_step = next_step_of_denied(report.error(), place);
    return report.error();
  }
  for (const std::string& warning : report->warnings) context.log.warn("{}", warning);
  for (const std::string& manifest : report->unreadable)
    context.log.warn("{}; what it needs is not known, and not healed", manifest);
  const ExitCode code = report->is_whole() ? ExitCode::kOk : ExitCode::kDamage;
  const RepairPacksMode mode{.dry_run = command.dry_run, .with_other = other != nullptr};
  context.output.document("drstream.repair-packs/1", static_cast<int>(code), repair_packs_json(*report, mode));
  if (!context.options.log.quiet || command.dry_run || code != ExitCode::kOk)
    context.output.text(repair_packs_text(*report, mode));
  return code;
}

}  // namespace

void add_repair_packs_command(CommandSet& commands, CLI::App& repair) {
  const auto command = std::make_shared<RepairPacksCommand>();
  CLI::App* const app = add_subcommand(
      repair, "packs", "Heal damaged and missing packs from good copies of their blocks",
      "  drstream repair packs --from-repository /mnt/replica/drs --dry-run\n"
      "  drstream repair packs --from-repository /mnt/replica/drs --from-key-file /etc/drstream/replica-key\n"
      "  drstream repair packs                    # after a push has stored the lost data again\n");
  as_setting(add_text(*app, "--from-repository", command->from.place, "PLACE",
                      "A replica, or another repository that has the same streams (default: only other copies in this "
                      "repository)"));
  add_flag(*app, "--dry-run", command->dry_run,
           "Change nothing; read and prove the same, and print what would be done");
  declare_from_key_options(*app, command->from);
  commands.add({
      .app = app,
      .effect = CommandEffect::kRepairs,
      .run = [command](CommandContext& context) { return run_repair_packs(context, *command); },
      .metrics = add_run_metrics(*app, "repair_packs"),
      .reports = add_reports(*app),
  });
}

}  // namespace drs
