// drstream scrub: proof without any key, by the digests that every object carries.
#include "verify/scrub.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "tools/cli/option_builder.h"
#include "tools/command.h"
#include "tools/commands/findings.h"
#include "tools/output/quantity_text.h"
#include "tools/output/summary_text.h"
#include "tools/repository/open_repository.h"

namespace drs {
namespace {

struct ScrubCommand {
  bool read_only = false;
};

nlohmann::ordered_json scrub_json(const ScrubReport& report) {
  nlohmann::ordered_json out;
  out["findings"] = findings_json(report.findings);
  out["objects_read"] = report.objects;
  out["read_bytes"] = report.bytes;
  out["names_unknown"] = report.unknown_names;
  out["packs_marked"] = report.marked;
  out["packs_unmarked"] = report.unmarked;
  out["seconds"] = report.elapsed.count();
  return out;
}

// Whether the config or a key slot is damaged, without which no command can open the repository.
bool may_not_open(const std::vector<Finding>& findings) {
  return std::ranges::any_of(findings, [](const Finding& finding) {
    return finding.severity == Finding::Severity::kDamage &&
           (finding.object.starts_with("config/") || finding.object.starts_with("keys/"));
  });
}

std::string_view verdict(ExitCode code, const std::vector<Finding>& findings) {
  if (code == ExitCode::kFormatTooNew) return too_new_verdict();
  if (code != ExitCode::kDamage)
    return "no damage found; only `drstream verify`, with the key, can find missing objects";
  if (may_not_open(findings))
    return "DAMAGE FOUND: first put back the damaged objects below config/ and keys/, from a replica of the repository "
           "or a backup of the two; then `drstream verify`, with the key, shows which snapshots are affected";
  return "DAMAGE FOUND: `drstream verify`, with the key, shows which snapshots are affected";
}

std::string summary(const ScrubReport& report, ExitCode code, bool on_terminal) {
  std::string out = on_terminal ? scrubbed_text(report)
                                : fmt::format("scrubbed {} objects, {}", report.objects, format_size(report.bytes));
  out += code == ExitCode::kOk ? ", all of what is there\n" : ", which is all that could be read whole\n";
  if (report.unknown_names > 0) out += fmt::format("{} names are not drstream's\n", report.unknown_names);
  if (report.marked > 0)
    out += fmt::format("marked {} as damaged: pushes store their chunks anew\n", counted(report.marked, "pack"));
  if (report.unmarked > 0)
    out += fmt::format("took back the damage marks of {}, now whole\n", counted(report.unmarked, "pack"));
  return out;
}

Result<ExitCode> run_scrub(CommandContext& context, const ScrubCommand& command) {
  DRS_ASSIGN_OR_RETURN(const auto store, open_store(context));
  ScrubOptions options;
  options.read_only = command.read_only;
  DRS_ASSIGN_OR_RETURN(options.memory_bytes, context.options.memory_bytes());
  options.threads = context.options.thread_count();
  ProgressCounters counters;
  auto report = [&] {
    const ProgressReporter reporter(progress_options(context, "scrub"), counters, context.console, context.clock);
    return scrub(*store, context.clock, options, counters, context.cancel);
  }();
  if (!report.ok()) return std::move(report).error();
  if (report->marked > 0) warn_of_other_owner(context);
  const ExitCode code = exit_code_of(report->findings, WarningPolicy::kPass);
  context.output.document("drstream.scrub/1", static_cast<int>(code), scrub_json(*report));
  if (context.options.log.quiet && report->findings.empty()) return code;
  context.output.text(findings_text(report->findings, RangeDetail::kCounted) +
                      summary(*report, code, context.output.on_terminal()));
  context.output.text(verdict(code, report->findings), verdict_tone(code));
  return code;
}

}  // namespace

void add_scrub_command(CommandSet& commands) {
  const auto command = std::make_shared<ScrubCommand>();
  CLI::App* const app =
      add_subcommand(commands.root(), "scrub", "Check every stored object against its digest; needs no key",
                     "  drstream scrub -r /var/backups/drs\n"
                     "  drstream scrub -r /mnt/copy --read-only --json\n");
  add_flag(*app, "--read-only", command->read_only, "Record no marks of damage in the repository");
  commands.add({
      .app = app,
      .effect = CommandEffect::kProves,
      .run = [command](CommandContext& context) { return run_scrub(context, *command); },
      .metrics = add_run_metrics(*app, "scrub"),
      .reports = add_reports(*app),
  });
}

}  // namespace drs
