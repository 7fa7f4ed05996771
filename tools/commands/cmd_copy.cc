// drstream copy: snapshots from one repository into another.
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "engine/pipeline/copy/copy.h"
#include "engine/pipeline/copy/same_place.h"
#include "engine/repository/snapshots.h"
#include "io/base/error_class.h"
#include "tools/cli/identity.h"
#include "tools/cli/option_builder.h"
#include "tools/command.h"
#include "tools/commands/findings.h"
#include "tools/commands/from_repository.h"
#include "tools/output/printable.h"
#include "tools/output/quantity_text.h"
#include "tools/output/summary_text.h"
#include "tools/output/time_text.h"
#include "tools/repository/open_repository.h"
#include "tools/repository/seen_heads.h"
#include "tools/repository/selector_text.h"
#include "verify/verify.h"

namespace drs {
namespace {

using Outcome = SnapshotCopy::Outcome;

struct CopyCommand {
  FromOptions from;
  std::vector<std::string> selectors;
  std::vector<std::string> streams;
  bool mirror = false;
  CompressionChoice compression;
};

// The selection: snapshots in the order of the catalog, oldest first within a stream, and manifests and removal marks
// that cannot be read and may belong to it.
struct Choice {
  static bool is_too_new(const BrokenManifest* manifest) { return drs::is_too_new(manifest->error); }
  std::vector<const Snapshot*> snapshots;
  std::vector<const BrokenManifest*> broken;
  std::set<const Snapshot*> by_id;  // named by their ids
  std::vector<Error> refused;       // of streams that a pattern matches: why their latest cannot be told
  std::size_t lost = 0;             // snapshots of the chosen streams that are missing in the source

  [[nodiscard]] std::size_t too_new() const {
    return static_cast<std::size_t>(std::ranges::count_if(broken, is_too_new));
  }
  [[nodiscard]] std::size_t damaged() const { return broken.size() - too_new(); }
};

// Chooses the latest of each stream that matches `pattern`. A stream whose latest cannot be told does not hold up the
// others: it is warned of in the end.
Result<void> choose_latest(const SeenHeads& seen, const SnapshotCatalog& catalog, const std::string& pattern,
                           std::set<const Snapshot*>& named, Choice& choice) {
  DRS_ASSIGN_OR_RETURN(const std::set<std::string> streams, seen.match(catalog, pattern));
  for (const std::string& stream : streams) {
    auto found = seen.find(catalog, stream + "@latest");
    if (found.ok())
      named.insert(*found);
    else if (found.error().code != ErrorCode::kNoSnapshot)
      choice.refused.push_back(std::move(found).error());
  }
  return {};
}

Result<Choice> choose(const CopyCommand& command, const SeenHeads& seen, const SnapshotCatalog& catalog) {
  const bool all = command.selectors.empty() && command.streams.empty();
  Choice choice;
  std::set<const Snapshot*> named;
  for (const std::string& selector : command.selectors) {
    if (is_stream_pattern(selector)) {
      DRS_RETURN_IF_ERROR(choose_latest(seen, catalog, selector, named, choice));
      continue;
    }
    DRS_ASSIGN_OR_RETURN(const Snapshot* const snapshot, seen.find(catalog, selector));
    named.insert(snapshot);
    if (!selects_by_stream(selector, *snapshot)) choice.by_id.insert(snapshot);
  }
  std::set<std::string> streams;
  for (const std::string& stream : command.streams) {
    if (is_stream_pattern(stream)) {
      DRS_ASSIGN_OR_RETURN(std::set<std::string> matching, seen.match(catalog, stream));
      streams.merge(std::move(matching));
      continue;
    }
    streams.insert(stream);
    DRS_RETURN_IF_ERROR(check_stream_name(stream));
    const bool known = std::any_of(catalog.broken.begin(), catalog.broken.end(),
                                   [&](const BrokenManifest& broken) { return broken.stream == stream; });
    // For the near matches in its message.
    if (!known && catalog.latest(stream) == nullptr) DRS_RETURN_IF_ERROR(seen.find(catalog, stream + "@latest"));
  }
  for (const Snapshot& snapshot : catalog.live)
    if (all || named.contains(&snapshot) || streams.contains(snapshot.manifest.stream))
      choice.snapshots.push_back(&snapshot);
  for (const BrokenManifest& broken : catalog.broken)
    if (all || streams.contains(broken.stream)) choice.broken.push_back(&broken);
  if (all || !streams.empty())
    choice.lost = seen.warn_of_lost(catalog, [&](const std::string& stream) { return all || streams.contains(stream); })
                      .snapshots;
  return choice;
}

// Verifies the copies, read back from the target as any later command will see them.
Result<VerifyReport> verify_copies(CommandContext& context, Repository& target, const CopyReport& report) {
  DRS_ASSIGN_OR_RETURN(SnapshotCatalog catalog, load_snapshots(target));
  std::set<std::string> wanted;
  for (const SnapshotCopy& copy : report.snapshots)
    if (copy.outcome == Outcome::kCopied || copy.outcome == Outcome::kHealed) wanted.insert(copy.target_name);
  std::erase_if(catalog.live, [&](const Snapshot& snapshot) { return wanted.erase(snapshot.name) == 0; });
  VerifyOptions options;
  DRS_ASSIGN_OR_RETURN(options.memory_bytes, context.options.memory_bytes());
  options.threads = 1;
  ProgressCounters counters;
  DRS_ASSIGN_OR_RETURN(VerifyReport verified, verify_snapshots(target, catalog, options, counters, context.cancel));
  for (const std::string& name : wanted) {
    Finding finding;
    finding.object = name;
    finding.problem = "was present or just stored, and is not a live snapshot of the target";
    verified.findings.push_back(std::move(finding));
  }
  return verified;
}

// "a, b, c, ..."
std::string list_of(const std::set<std::string>& names) {
  std::string out;
  std::size_t count = 0;
  for (const std::string& name : names) {
    if (++count > 3) return out + ", ...";
    out += (out.empty() ? "" : ", ") + name;
  }
  return out;
}

// Fails if one side of a mirror shows snapshots that the other does not.
Result<void> check_mirror(Repository& source, const SnapshotCatalog& catalog, Repository& target) {
  DRS_ASSIGN_OR_RETURN(const SnapshotCatalog mirrored, load_snapshots(target));
  std::set<std::string> extra;
  std::set<std::string> missing;
  for (const Snapshot& snapshot : mirrored.live) extra.insert(snapshot.name);
  for (const Snapshot& snapshot : catalog.live)
    if (extra.erase(snapshot.name) == 0) missing.insert(snapshot.name);
  if (!extra.empty()) {
    // Another run may have copied snapshots that were pushed into the source since this one began.
    DRS_ASSIGN_OR_RETURN(const SnapshotCatalog now, load_snapshots(source));
    for (const Snapshot& snapshot : now.live) extra.erase(snapshot.name);
    for (const RemovedMark& mark : now.removed) extra.erase(mark.manifest_name);
  }
  const std::string mirror = target.store().name_for_messages();
  if (!extra.empty())
    return Error(ErrorCode::kRollback,
                 fmt::format("the mirror {} has {} snapshots of which {} has neither manifests nor removal marks ({}): "
                             "they were lost there, or pushed into the mirror",
                             mirror, extra.size(), source.store().name_for_messages(), list_of(extra)));
  if (!missing.empty())
    return Error(
        ErrorCode::kConflict,
        fmt::format("{} snapshots are removed only in the mirror {} ({}): remove them in the source, too (`drstream "
                    "forget ID`); to have one back instead, `drstream unforget` it in the mirror, copy from the mirror "
                    "into the source, and forget its old id in the source",
                    missing.size(), mirror, list_of(missing)));
  return {};
}

std::string_view outcome_name(Outcome outcome) {
  switch (outcome) {
    case Outcome::kCopied: return "copied";
    case Outcome::kPresent: return "present";
    case Outcome::kHealed: return "healed";
    case Outcome::kRemoved: return "removed";
    case Outcome::kDamaged: return "damaged";
    case Outcome::kDamagedThere: return "damaged there";
    case Outcome::kSkipped: return "skipped";
    case Outcome::kFenced: return "fenced";
  }
  return "damaged";
}

nlohmann::ordered_json copy_json(const CopyReport& report, const VerifyReport& verified, const Choice& choice) {
  nlohmann::ordered_json out;
  out["replica"] = report.replica;
  out["snapshots"] = nlohmann::ordered_json::array();
  for (const SnapshotCopy& copy : report.snapshots) {
    const ManifestHeader& manifest = copy.source->manifest;
    nlohmann::ordered_json entry;
    entry["outcome"] = json_word(outcome_name(copy.outcome));
    entry["id"] = copy.source->id();
    entry["stream"] = manifest.stream;
    entry["time"] = format_time_utc(manifest.snapshot_ns);
    entry["bytes"] = manifest.bytes;
    set_text(entry, "target_manifest", copy.target_name);
    if (copy.outcome == Outcome::kHealed) entry["packs_copied_again"] = copy.healed_packs;
    set_text(entry, "problem", copy.problem);
    out["snapshots"].push_back(std::move(entry));
  }
  out["broken_manifests"] = nlohmann::ordered_json::array();
  for (const BrokenManifest* const broken : choice.broken)
    out["broken_manifests"].push_back({{"manifest", broken->name}, {"problem", broken->error.message}});
  out["copied"] = report.count(Outcome::kCopied);
  out["present"] = report.count(Outcome::kPresent);
  out["healed"] = report.count(Outcome::kHealed);
  out["removed"] = report.count(Outcome::kRemoved);
  out["damaged"] = report.count(Outcome::kDamaged) + choice.damaged();
  out["damaged_there"] = report.count(Outcome::kDamagedThere);
  out["too_new"] = choice.too_new();
  out["skipped"] = report.count(Outcome::kSkipped);
  out["lost"] = choice.lost;
  out["fenced"] = report.count(Outcome::kFenced);
  out["packs_written"] = report.packs;
  out["packs_present"] = report.packs_present;
  out["index_objects_written"] = report.index_objects;
  out["removal_marks_written"] = report.removal_marks;
  out["holds_written"] = report.holds;
  out["read_bytes"] = report.read_bytes;
  out["written_bytes"] = report.stored_bytes;
  out["verified"] = {{"snapshots_checked", verified.snapshots},
                     {"recipe_parts", verified.recipe_parts},
                     {"blocks_referenced", verified.blocks_referenced},
                     {"findings", findings_json(verified.findings)}};
  out["warnings"] = report.warnings;
  out["seconds"] = report.elapsed.count();
  return out;
}

// The counts in the form that scripts parse.
std::string count_lines(const CopyReport& report, const Choice& choice) {
  const std::uint64_t skipped = report.count(Outcome::kSkipped);
  const std::uint64_t present = report.count(Outcome::kPresent);
  const std::uint64_t healed = report.count(Outcome::kHealed);
  return fmt::format(
             "{} snapshots copied, {} were there{}, {}{} are removed there, {} are damaged here, {} are damaged "
             "there{}{}\n",
             report.count(Outcome::kCopied), present,
             present > 0 ? " (not read; `drstream verify` of the target proves them)" : "",
             healed > 0 ? fmt::format("{} were there and are healed, ", healed) : "", report.count(Outcome::kRemoved),
             report.count(Outcome::kDamaged) + choice.damaged(), report.count(Outcome::kDamagedThere),
             skipped > 0 ? fmt::format(", {} were skipped", skipped) : "",
             (report.replica ? fmt::format("; {} marks of removal", report.removal_marks) : "") +
                 (report.holds > 0 ? fmt::format("; {} are held there as well", report.holds) : "")) +
         fmt::format("read {}, stored {} in {} packs, {:.2f} seconds\n", format_size(report.read_bytes),
                     format_size(report.stored_bytes), report.packs, report.elapsed.count());
}

std::string lines_of(const CopyReport& report, const VerifyReport& verified, const Choice& choice, bool on_terminal) {
  std::string out;
  for (const SnapshotCopy& copy : report.snapshots) {
    if (copy.outcome == Outcome::kPresent) continue;
    const ManifestHeader& manifest = copy.source->manifest;
    out += fmt::format("{} {} of {} from {}{}\n", outcome_name(copy.outcome), copy.source->id(), manifest.stream,
                       format_time_local(manifest.snapshot_ns),
                       copy.outcome == Outcome::kHealed
                           ? fmt::format(": {} packs that were lost there were copied again", copy.healed_packs)
                       : copy.problem.empty() ? ""
                                              : ": " + printable_value(copy.problem));
  }
  for (const BrokenManifest* const broken : choice.broken)
    out +=
        fmt::format("{} {}: {}\n", Choice::is_too_new(broken) ? "written by a newer drstream, not copied:" : "damaged",
                    broken->name, printable_value(broken->error.message));
  out += on_terminal ? copied_text(report, report.count(Outcome::kDamaged) + choice.damaged()) + '\n'
                     : count_lines(report, choice);
  out += findings_text(verified.findings, RangeDetail::kCounted) + damaged_snapshots_text(verified) +
         (on_terminal ? "there: " + verified_text(verified)
                      : fmt::format("verified there: {} snapshots, {} blocks referenced", verified.snapshots,
                                    verified.blocks_referenced));
  return out;
}

// The worst of what was found decides (tools/output/exit_code.h).
ExitCode exit_code_of_copy(const CopyReport& report, const VerifyReport& verified, const Choice& choice) {
  const auto refused = [&](ExitCode code) {
    return std::ranges::any_of(choice.refused, [&](const Error& error) { return exit_code_of(error) == code; });
  };
  if (report.count(Outcome::kDamaged) > 0 || report.count(Outcome::kDamagedThere) > 0 || choice.damaged() > 0 ||
      refused(ExitCode::kDamage))
    return ExitCode::kDamage;
  if (const ExitCode found = exit_code_of(verified.findings, WarningPolicy::kPass); found != ExitCode::kOk)
    return found;
  if (choice.lost > 0 || refused(ExitCode::kRollback)) return ExitCode::kRollback;
  if (choice.too_new() > 0 || refused(ExitCode::kFormatTooNew)) return ExitCode::kFormatTooNew;
  const auto skipped = std::ranges::find_if(
      report.snapshots, [](const SnapshotCopy& copy) { return copy.outcome == Outcome::kSkipped && !copy.is_older; });
  if (skipped != report.snapshots.end()) return exit_code_of(Error(skipped->reason, skipped->problem));
  if (report.count(Outcome::kFenced) > 0) return ExitCode::kConflict;
  const bool older = std::ranges::any_of(report.snapshots, &SnapshotCopy::is_older);
  return older ? ExitCode::kWarnings : ExitCode::kOk;
}

Result<ExitCode> run_copy(CommandContext& context, const CopyCommand& command) {
  DRS_RETURN_IF_ERROR(check_clock(std::time(nullptr)));
  if (command.mirror && (!command.selectors.empty() || !command.streams.empty()))
    return Error(ErrorCode::kUsage, "--mirror copies everything: it takes no snapshots and no --stream");
  if (command.from.place.empty())
    return Error(ErrorCode::kUsage,
                 "--from-repository is required: the place to copy from, a directory, s3://bucket/prefix, "
                 "gs://bucket/prefix or @NAME (or set DRSTREAM_FROM_REPOSITORY)");
  DRS_ASSIGN_OR_RETURN(const RepositoryLocation from, parse_repository_location(command.from.place, context.options));
  DRS_ASSIGN_OR_RETURN(const RepositoryLocation to, repository_location(context.options, {&command.from.place, 1}));
  DRS_ASSIGN_OR_RETURN(std::optional<Secret> given, read_from_secret(context, from, command.from));
  DRS_ASSIGN_OR_RETURN(const Secret secret, take_secret(context, to));
  DRS_ASSIGN_OR_RETURN(const Secret other, from_secret(context, std::move(given), to, secret));
  // The final check must read the store, not the cache.
  DRS_ASSIGN_OR_RETURN(const auto target, open_repository(context, to, secret, Reads::kStored));
  DRS_ASSIGN_OR_RETURN(const auto source, open_from_repository(context, from, command.from, other));
  DRS_ASSIGN_OR_RETURN(const bool same, is_same_place(*target, *source, {.stream = "copy", .host = host_name()}));
  if (same)
    return Error(
        ErrorCode::kUsage,
        fmt::format(
            "--from-repository {} and {} are the same place; copying a repository onto itself makes no second copy",
            command.from.place, to.name));
  warn_of_other_owner(context, to);
  clean_leftovers(context, to);
  const SeenHeads seen(context, *source, from);
  DRS_ASSIGN_OR_RETURN(const SnapshotCatalog catalog, seen.load_snapshots(*source));
  DRS_ASSIGN_OR_RETURN(const Choice choice, choose(command, seen, catalog));

  CopyOptions options;
  options.compression = command.compression;
  options.mirror = command.mirror;
  options.in_any_order = choice.by_id;
  options.look_through_present = !command.selectors.empty();
  DRS_ASSIGN_OR_RETURN(options.memory_bytes, context.options.memory_bytes());
  options.threads = context.options.thread_count();
  options.host = host_name();
  options.tool_version = version_line();
  ProgressCounters counters;
  const auto report = [&] {
    const ProgressReporter reporter(progress_options(context, "copy"), counters, context.console, context.clock);
    return copy_snapshots({*source, catalog}, choice.snapshots, *target, options, {counters, context.cancel});
  }();
  if (!report.ok()) {
    context.next_step = next_step_of_denied(report.error(), to);
    if (context.next_step.empty()) context.next_step = next_step_of_denied(report.error(), from);
    return report.error();
  }
  if (!report->notice.empty()) context.log.info("{}", report->notice);
  for (const std::string& warning : report->warnings) context.log.warn("{}", warning);
  DRS_ASSIGN_OR_RETURN(const VerifyReport verified, verify_copies(context, *target, *report));

  for (const Error& error : choice.refused) context.log.warn("not copied: {}", error.message);
  const ExitCode code = exit_code_of_copy(*report, verified, choice);
  if (command.mirror && code == ExitCode::kOk) DRS_RETURN_IF_ERROR(check_mirror(*source, catalog, *target));
  context.output.document("drstream.copy/1", static_cast<int>(code), copy_json(*report, verified, choice));
  if (context.options.log.quiet && code == ExitCode::kOk) return code;
  context.output.text(lines_of(*report, verified, choice, context.output.on_terminal()));
  return code;
}

}  // namespace

void add_copy_command(CommandSet& commands) {
  const auto command = std::make_shared<CopyCommand>();
  CLI::App* const app =
      add_subcommand(commands.root(), "copy", "Copy snapshots from another repository into this one",
                     "  drstream copy --from-repository /var/backups/drs -r s3://bucket/drs\n"
                     "  drstream copy pg/app@latest --from-repository /var/backups/drs -r /mnt/usb/drs\n"
                     "  drstream copy --stream pg/app --from-repository /var/backups/drs \\\n"
                     "    --from-key-file old.key -r /mnt/new\n"
                     "  drstream init --replica-of /var/backups/drs -r s3://bucket/drs\n"
                     "  drstream copy --mirror --from-repository /var/backups/drs -r s3://bucket/drs\n");
  app->add_option(
         "SNAPSHOT", command->selectors,
         "What to copy: streams or stream@latest (what was pushed to them last), stream@TIME (the newest at or "
         "before the end of that second, minute or day), ids or their first 8 or more digits; pg/ or a pattern, as of "
         "`list`: the latest of each such stream (default: every snapshot)")
      ->type_name("");
  add_texts(*app, "--stream", command->streams, "STREAM",
            "Copy every snapshot of this stream, or of those that match pg/ or a pattern; may be given several times");
  as_setting(add_text(*app, "--from-repository", command->from.place, "PLACE", "The repository to copy from"));
  add_flag(
      *app, "--mirror", command->mirror,
      "Copy everything into a replica, removals included: snapshots that were removed in the source are removed here");
  as_setting(
      add_parsed(*app, "--compression", command->compression, parse_compression, "CODEC",
                 "Compression of blocks that are written again (default zstd:1); a replica takes them as they are"));
  declare_from_key_options(*app, command->from);
  commands.add({
      .app = app,
      .effect = CommandEffect::kCopies,
      .run = [command](CommandContext& context) { return run_copy(context, *command); },
      .metrics = add_run_metrics(*app, "copy"),
      .reports = add_reports(*app),
  });
}

}  // namespace drs
