// drstream repair, and repair index: rebuilds the index from packs.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "engine/repository/repair_index.h"
#include "tools/cli/option_builder.h"
#include "tools/command.h"
#include "tools/commands/repair_commands.h"
#include "tools/repository/open_repository.h"

namespace drs {
namespace {

Result<ExitCode> run_repair_index(CommandContext& context, const RepairIndexOptions& options) {
  DRS_ASSIGN_OR_RETURN(const auto repository, open_repository(context, Reads::kStored));
  warn_of_other_owner(context);
  ProgressCounters counters;
  auto report = [&] {
    const ProgressReporter reporter(progress_options(context, "repair index"), counters, context.console,
                                    context.clock);
    return repair_index(*repository, options, counters, context.cancel);
  }();
  if (!report.ok()) return std::move(report).error();
  for (const std::string& problem : report->problems) context.log.warn("{}", problem);
  const ExitCode code = report->packs_unreadable > 0 ? ExitCode::kDamage : ExitCode::kOk;
  nlohmann::ordered_json out;
  out["packs_read"] = report->packs_read;
  out["packs_unreadable"] = report->packs_unreadable;
  out["index_objects_written"] = report->index_objects_written;
  out["index_objects_removed"] = report->index_objects_removed;
  out["problems"] = report->problems;
  context.output.document("drstream.repair-index/1", static_cast<int>(code), out);
  context.output.remark(fmt::format("read the tables of {} packs, wrote {} index objects, removed {}",
                                    report->packs_read, report->index_objects_written, report->index_objects_removed));
  if (code != ExitCode::kOk)
    context.log.warn("{} packs could not be read; `drstream verify --read-data` shows what they affect",
                     report->packs_unreadable);
  return code;
}

}  // namespace

void add_repair_command(CommandSet& commands) {
  const auto options = std::make_shared<RepairIndexOptions>();
  CLI::App* const repair = add_subcommand(commands.root(), "repair", "Repair parts of the repository", "");
  repair->require_subcommand(0, 1);
  CLI::App* const app = add_subcommand(*repair, "index", "Rebuild the index from packs",
                                       "  drstream repair index\n"
                                       "  drstream repair index --all\n");
  add_flag(*app, "--all", options->all, "Read every pack again, and replace every index object");
  commands.add({app, CommandEffect::kRepairs,
                [options](CommandContext& context) { return run_repair_index(context, *options); }});
  add_repair_packs_command(commands, *repair);
}

}  // namespace drs
