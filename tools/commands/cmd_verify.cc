// drstream verify: proof, with the key, that what is stored can be restored.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "engine/pipeline/memory_plan.h"
#include "tools/cli/option_builder.h"
#include "tools/command.h"
#include "tools/commands/findings.h"
#include "tools/output/quantity_text.h"
#include "tools/output/summary_text.h"
#include "tools/repository/heads.h"
#include "tools/repository/open_repository.h"
#include "tools/repository/seen_heads.h"
#include "verify/verify.h"

namespace drs {
namespace {

// The value that CLI11 gives for an --expect-head without one.
constexpr std::string_view kAllHeads = "all";

struct VerifyCommand {
  std::vector<std::string> selectors;
  bool read_data = false;
  bool read_only = false;
  bool warn_exit = false;
  std::vector<std::string> expect_head;
};

struct Expectations {
  bool asked = false;         // --expect-head was given: then having nothing to compare with is a finding, too
  bool asked_of_all = false;  // ... without a value: the recorded heads are then needed
  HeadDirectory::Recorded recorded;
};

// An --expect-head takes a selector that follows it as its value: a value that is not STREAM=SEQ:DIGEST is a selector.
Result<Expectations> expectations(const SeenHeads& seen, const VerifyCommand& command,
                                  std::vector<std::string>& selectors) {
  Expectations out;
  out.asked = !command.expect_head.empty();
  for (const std::string& text : command.expect_head) {
    if (text.find('=') == std::string::npos) {
      if (text != kAllHeads) selectors.push_back(text);
      out.asked_of_all = true;
      continue;
    }
    DRS_ASSIGN_OR_RETURN(Head head, parse_head(text));
    out.recorded.heads.push_back(std::move(head));
  }
  auto recorded = seen.directory().load_all();
  if (out.asked_of_all) {
    // A missing permission on this machine is no sign of an intrusion.
    const auto refuse = [](const Error& error) {
      return error.with_context("--expect-head cannot compare: the recorded heads of this machine cannot be read");
    };
    if (!recorded.ok()) return refuse(recorded.error());
    for (const Error& error : recorded->unreadable)
      if (error.code != ErrorCode::kCorrupt) return refuse(error);
  }
  if (!recorded.ok()) {
    out.recorded.unreadable.push_back(std::move(recorded).error());
    return out;
  }
  out.recorded.unreadable = std::move(recorded->unreadable);
  out.recorded.elsewhere = std::move(recorded->elsewhere);
  out.recorded.heads.insert(out.recorded.heads.end(), recorded->heads.begin(), recorded->heads.end());
  return out;
}

Finding finding_of(Finding::Severity severity, std::string object, std::string problem) {
  Finding finding;
  finding.severity = severity;
  finding.object = std::move(object);
  finding.problem = std::move(problem);
  return finding;
}

// A comparison that was asked for and cannot be made is as severe as one that failed.
void compare_heads(const CommandContext& context, const HeadDirectory& directory, const Expectations& expected,
                   const SnapshotCatalog& catalog, std::vector<Finding>& findings) {
  using Severity = Finding::Severity;
  for (const LostSnapshot& lost : directory.lost_snapshots(expected.recorded.heads, catalog))
    findings.push_back(finding_of(
        Severity::kDeletion, lost.manifest_name.empty() ? "head of " + lost.stream : lost.manifest_name, lost.problem));
  for (const Head& head : expected.recorded.elsewhere)
    if (const auto problem = check_head(head, catalog))
      findings.push_back(finding_of(Severity::kWarning, head.manifest_name, elsewhere_text(head, *problem)));
  for (const Error& error : expected.recorded.unreadable) {
    // A head that is given on the command line can be compared without those that this machine may not read.
    const bool needed = expected.asked_of_all || (expected.asked && error.code == ErrorCode::kCorrupt);
    findings.push_back(finding_of(needed ? Severity::kDeletion : Severity::kWarning, "heads", error.message));
  }
  if (expected.asked && expected.recorded.heads.empty() && expected.recorded.unreadable.empty())
    findings.push_back(finding_of(Severity::kDeletion, "heads",
                                  "--expect-head has nothing to compare with: --state-dir " +
                                      context.options.state_dir +
                                      " holds no head of this repository at this place; give one as push printed it"));
}

std::string verdict(ExitCode code, const std::vector<Finding>& findings) {
  switch (code) {
    case ExitCode::kDamage: return damage_verdict(findings);
    case ExitCode::kRollback: return std::string(deletion_verdict());
    case ExitCode::kFormatTooNew: return std::string(too_new_verdict());
    case ExitCode::kWarnings: return "verified, with warnings";
    default: return "no damage found";
  }
}

std::string summary(const VerifyReport& report, const VerifyCommand& command, bool on_terminal) {
  std::string out =
      on_terminal ? verified_text(report) + '\n'
                  : fmt::format("verified {} snapshots, {} recipe parts, {} blocks referenced, {} packs with {}\n",
                                report.snapshots, report.recipe_parts, report.blocks_referenced, report.packs,
                                format_size(report.packs_bytes));
  if (command.read_data)
    out += fmt::format("read {} of {} ({}) in {} packs: {} blocks decoded, {} chunks checked, {} of plaintext\n",
                       format_size(report.bytes_read), format_size(report.packs_bytes),
                       format_percent(report.bytes_read, report.packs_bytes), report.packs_read, report.blocks_decoded,
                       report.chunks_checked, format_size(report.decoded_bytes));
  else
    out += report.packs_read == 0 ? "read 0 % of the stored data: structure alone was checked (--read-data reads all)\n"
                                  : fmt::format(
                                        "read {}, marked as damaged, and of the rest the structure alone "
                                        "(--read-data reads all)\n",
                                        counted(report.packs_read, "pack"));
  if (report.records_checked > 0)
    out += fmt::format("compared {} of topics with their digests\n", counted(report.records_checked, "record"));
  if (report.snapshots_rebuilt > 0)
    out += fmt::format("rebuilt {}, {}\n", counted(report.snapshots_rebuilt, "snapshot"),
                       format_size(report.rebuilt_bytes));
  if (report.marked > 0)
    out += fmt::format("marked {} as damaged: pushes store their chunks anew\n", counted(report.marked, "pack"));
  if (report.unmarked > 0)
    out += fmt::format("took back the damage marks of {}, now whole\n", counted(report.unmarked, "pack"));
  return out;
}

std::size_t count_cut_short(const SnapshotCatalog& catalog) {
  return static_cast<std::size_t>(std::ranges::count_if(
      catalog.live, [](const Snapshot& snapshot) { return may_be_cut_short(snapshot.manifest); }));
}

std::string cut_short_text(const SnapshotCatalog& catalog) {
  const std::size_t count = count_cut_short(catalog);
  if (count == 0) return "";
  return fmt::format(
      "producer unseen of {} of {} snapshots: the bytes from their pipes are proven, not that they were complete\n",
      count, catalog.live.size());
}

nlohmann::ordered_json verify_json(const VerifyReport& report) {
  nlohmann::ordered_json out;
  out["findings"] = findings_json(report.findings);
  out.update(damaged_snapshots_json(report));
  out["snapshots_checked"] = report.snapshots;
  out["recipe_parts"] = report.recipe_parts;
  out["blocks_referenced"] = report.blocks_referenced;
  out["packs"] = report.packs;
  out["packs_bytes"] = report.packs_bytes;
  out["packs_read"] = report.packs_read;
  out["read_bytes"] = report.bytes_read;
  out["blocks_decoded"] = report.blocks_decoded;
  out["chunks_checked"] = report.chunks_checked;
  out["decoded_bytes"] = report.decoded_bytes;
  out["records_checked"] = report.records_checked;
  out["snapshots_rebuilt"] = report.snapshots_rebuilt;
  out["rebuilt_bytes"] = report.rebuilt_bytes;
  out["packs_marked"] = report.marked;
  out["packs_unmarked"] = report.unmarked;
  out["seconds"] = report.elapsed.count();
  return out;
}

Result<ExitCode> run_verify(CommandContext& context, const VerifyCommand& command) {
  VerifyOptions options;
  options.read_data = command.read_data;
  options.read_only = command.read_only;
  DRS_ASSIGN_OR_RETURN(options.memory_bytes, context.options.memory_bytes());
  options.threads = context.options.thread_count();
  DRS_ASSIGN_OR_RETURN(const PullMemory memory,
                       plan_pull({.memory_bytes = options.memory_bytes, .threads = options.threads}));  // the floor
  if (!memory.notice.empty()) context.log.info("{}", memory.notice);
  DRS_ASSIGN_OR_RETURN(const auto repository, open_repository(context, Reads::kStored));
  const SeenHeads seen(context, *repository);
  std::vector<std::string> selectors = command.selectors;
  DRS_ASSIGN_OR_RETURN(const Expectations expected, expectations(seen, command, selectors));
  DRS_ASSIGN_OR_RETURN(const SnapshotCatalog catalog, seen.load_snapshots(*repository));
  std::set<const Snapshot*> rebuild;
  for (const std::string& selector : selectors) {
    DRS_ASSIGN_OR_RETURN(const Snapshot* const snapshot, seen.find(catalog, selector));
    if (rebuild.insert(snapshot).second) options.rebuild.push_back(snapshot);
  }

  ProgressCounters counters;
  auto report = [&] {
    const ProgressReporter reporter(progress_options(context, "verify"), counters, context.console, context.clock);
    return verify(*repository, catalog, options, counters, context.cancel);
  }();
  if (!report.ok()) return std::move(report).error();
  if (report->marked > 0) warn_of_other_owner(context);
  compare_heads(context, seen.directory(), expected, catalog, report->findings);
  const ExitCode code = exit_code_of(report->findings, command.warn_exit ? WarningPolicy::kFail : WarningPolicy::kPass);
  nlohmann::ordered_json document = verify_json(*report);
  document["producer_unseen"] = count_cut_short(catalog);
  context.output.document("drstream.verify/1", static_cast<int>(code), document);
  const std::string cut_short = cut_short_text(catalog);
  if (context.options.log.quiet && report->findings.empty() && cut_short.empty()) return code;
  const auto ranges = context.options.log.verbosity > 0 ? RangeDetail::kListed : RangeDetail::kCounted;
  context.output.text(findings_text(report->findings, ranges) + damaged_snapshots_text(*report) +
                      hit_streams_text(*report) + summary(*report, command, context.output.on_terminal()) + cut_short);
  context.output.text(verdict(code, report->findings), verdict_tone(code));
  return code;
}

}  // namespace

void add_verify_command(CommandSet& commands) {
  const auto command = std::make_shared<VerifyCommand>();
  CLI::App* const app = add_subcommand(commands.root(), "verify", "Prove that snapshots can be restored",
                                       "  drstream verify\n"
                                       "  drstream verify --read-data --expect-head\n"
                                       "  drstream verify pg/app@latest --expect-head pg/app=12:3fa0...\n");
  app->add_option("SNAPSHOT", command->selectors, "Rebuild these snapshots too and compare their SHA-256")
      ->type_name("");
  add_flag(*app, "--read-data", command->read_data, "Read and decode every stored block");
  add_flag(*app, "--read-only", command->read_only, "Record no marks of damage in the repository");
  app->add_option(
         "--expect-head", command->expect_head,
         "Compare with this head, STREAM=SEQUENCE:DIGEST as push printed it; exit 13 also if there is no head to "
         "compare with. Without a value: those of this repository in --state-dir, which are always compared")
      ->type_name("[HEAD]")
      ->expected(0, 1)
      ->allow_extra_args(false)
      ->default_str(std::string(kAllHeads))
      ->take_all();
  add_flag(*app, "--warn-exit", command->warn_exit, "Exit 9 where there are only warnings");
  commands.add({
      .app = app,
      .effect = CommandEffect::kProves,
      .run = [command](CommandContext& context) { return run_verify(context, *command); },
      .metrics = add_run_metrics(*app, "verify"),
      .reports = add_reports(*app),
  });
}

}  // namespace drs
