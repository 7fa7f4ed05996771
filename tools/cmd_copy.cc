// drstream copy: snapshots from one repository into another.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "engine/pipeline/copy.h"
#include "engine/pipeline/same_place.h"
#include "engine/repository/snapshots.h"
#include "tools/command.h"
#include "tools/findings.h"
#include "tools/from_repository.h"
#include "tools/host_name.h"
#include "tools/open_repository.h"
#include "tools/option_builder.h"
#include "tools/printable.h"
#include "tools/seen_heads.h"
#include "tools/selector_text.h"
#include "tools/size_text.h"
#include "tools/summary_text.h"
#include "tools/time_text.h"
#include "tools/version.h"
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

// What was asked for: snapshots in the order of the catalog, oldest first within a stream, and manifests and marks of
// removal that cannot be read and may be among them.
struct Choice {
  static bool is_too_new(const BrokenManifest* manifest) { return manifest->error.code == ErrorCode::kFormatTooNew; }
  std::vector<const Snapshot*> snapshots;
  std::vector<const BrokenManifest*> broken;

  [[nodiscard]] std::size_t too_new() const {
    return static_cast<std::size_t>(std::ranges::count_if(broken, is_too_new));
  }
  [[nodiscard]] std::size_t damaged() const { return broken.size() - too_new(); }
};

Result<Choice> choose(const CopyCommand& command, const SeenHeads& seen, const SnapshotCatalog& catalog) {
  const bool all = command.selectors.empty() && command.streams.empty();
  std::set<const Snapshot*> named;
  for (const std::string& selector : command.selectors) {
    DRS_ASSIGN_OR_RETURN(const Snapshot* const snapshot, seen.find(catalog, selector));
    named.insert(snapshot);
  }
  const std::set<std::string> streams(command.streams.begin(), command.streams.end());
  for (const std::string& stream : streams) {
    DRS_RETURN_IF_ERROR(check_stream_name(stream));
    const bool known = std::any_of(catalog.broken.begin(), catalog.broken.end(),
                                   [&](const BrokenManifest& broken) { return broken.stream == stream; });
    // For its near matches.
    if (!known && catalog.latest(stream) == nullptr) DRS_RETURN_IF_ERROR(seen.find(catalog, stream + "@latest"));
  }
  Choice choice;
  for (const Snapshot& snapshot : catalog.live)
    if (all || named.contains(&snapshot) || streams.contains(snapshot.manifest.stream))
      choice.snapshots.push_back(&snapshot);
  for (const BrokenManifest& broken : catalog.broken)
    if (all || streams.contains(broken.stream)) choice.broken.push_back(&broken);
  return choice;
}

// The copies, read back from the target as any later command will see them.
Result<VerifyReport> verify_copies(CommandContext& context, Repository& target, const CopyReport& report) {
  DRS_ASSIGN_OR_RETURN(SnapshotCatalog catalog, load_snapshots(target));
  std::set<std::string> wanted;
  for (const SnapshotCopy& copy : report.snapshots)
    if (copy.outcome == Outcome::kCopied || copy.outcome == Outcome::kHealed) wanted.insert(copy.target_name);
  std::erase_if(catalog.live, [&](const Snapshot& snapshot) { return wanted.erase(snapshot.name) == 0; });
  VerifyOptions options;
  options.memory_bytes = static_cast<std::size_t>(context.options.memory_bytes);
  options.threads = 1;
  ProgressCounters counters;
  DRS_ASSIGN_OR_RETURN(VerifyReport verified, verify_snapshots(target, catalog, options, counters, context.cancel));
  for (const std::string& name : wanted) {
    Finding finding;
    finding.object = name;
    finding.problem = "was there or just stored, and is no live snapshot of the target";
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

// Snapshots that one side of a mirror shows and the other does not.
Result<void> check_mirror(Repository& source, const SnapshotCatalog& catalog, Repository& target) {
  DRS_ASSIGN_OR_RETURN(const SnapshotCatalog mirrored, load_snapshots(target));
  std::set<std::string> extra;
  std::set<std::string> missing;
  for (const Snapshot& snapshot : mirrored.live) extra.insert(snapshot.name);
  for (const Snapshot& snapshot : catalog.live)
    if (extra.erase(snapshot.name) == 0) missing.insert(snapshot.name);
  if (!extra.empty()) {
    // Another run may have copied what was pushed into the source since this one began.
    DRS_ASSIGN_OR_RETURN(const SnapshotCatalog now, load_snapshots(source));
    for (const Snapshot& snapshot : now.live) extra.erase(snapshot.name);
    for (const RemovedMark& mark : now.removed) extra.erase(mark.manifest_name);
  }
  const std::string mirror = target.store().name_for_messages();
  if (!extra.empty())
    return Error{ErrorCode::kRollback,
                 fmt::format("the mirror {} has {} snapshots that {} does not have, nor marks of their removal ({}): "
                             "they were lost there, or pushed into the mirror",
                             mirror, extra.size(), source.store().name_for_messages(), list_of(extra))};
  if (!missing.empty())
    return Error{ErrorCode::kConflict,
                 fmt::format("{} snapshots are removed in the mirror {} alone ({}): what a mirror shows is decided in "
                             "its source",
                             missing.size(), mirror, list_of(missing))};
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

nlohmann::ordered_json copy_json(const CopyReport& report, const VerifyReport& verified, const Choice& choice,
                                 ExitCode code) {
  nlohmann::ordered_json out;
  out["exit_code"] = static_cast<int>(code);
  out["replica"] = report.replica;
  out["snapshots"] = nlohmann::ordered_json::array();
  for (const SnapshotCopy& copy : report.snapshots) {
    const ManifestHeader& manifest = copy.source->manifest;
    nlohmann::ordered_json entry;
    entry["outcome"] = outcome_name(copy.outcome);
    entry["id"] = copy.source->id();
    entry["stream"] = manifest.stream;
    entry["time"] = format_time_utc(manifest.snapshot_ns);
    entry["bytes"] = manifest.bytes;
    entry["target_manifest"] = copy.target_name;
    if (copy.outcome == Outcome::kHealed) entry["packs_copied_again"] = copy.healed_packs;
    if (!copy.problem.empty()) entry["problem"] = copy.problem;
    out["snapshots"].push_back(std::move(entry));
  }
  out["broken_manifests"] = nlohmann::ordered_json::array();
  for (const BrokenManifest* const broken : choice.broken)
    out["broken_manifests"].push_back({{"name", broken->name}, {"problem", broken->error.message}});
  out["copied"] = report.count(Outcome::kCopied);
  out["present"] = report.count(Outcome::kPresent);
  out["healed"] = report.count(Outcome::kHealed);
  out["removed"] = report.count(Outcome::kRemoved);
  out["damaged"] = report.count(Outcome::kDamaged) + choice.damaged();
  out["damaged_there"] = report.count(Outcome::kDamagedThere);
  out["too_new"] = choice.too_new();
  out["skipped"] = report.count(Outcome::kSkipped);
  out["fenced"] = report.count(Outcome::kFenced);
  out["packs"] = report.packs;
  out["packs_present"] = report.packs_present;
  out["index_objects"] = report.index_objects;
  out["removal_marks"] = report.removal_marks;
  out["read_bytes"] = report.read_bytes;
  out["stored_bytes"] = report.stored_bytes;
  out["verified"] = {{"snapshots", verified.snapshots},
                     {"recipe_parts", verified.recipe_parts},
                     {"blocks_referenced", verified.blocks_referenced},
                     {"findings", findings_json(verified.findings)}};
  out["warnings"] = report.warnings;
  out["seconds"] = report.seconds;
  return out;
}

// The counts in the form that scripts know.
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
             report.replica ? fmt::format("; {} marks of removal", report.removal_marks) : "") +
         fmt::format("read {}, stored {} in {} packs, {:.2f} seconds\n", format_size(report.read_bytes),
                     format_size(report.stored_bytes), report.packs, report.seconds);
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
  out += findings_text(verified.findings, false) + damaged_snapshots_text(verified) +
         (on_terminal ? "there: " + verified_text(verified)
                      : fmt::format("verified there: {} snapshots, {} blocks referenced", verified.snapshots,
                                    verified.blocks_referenced));
  return out;
}

Result<ExitCode> run_copy(CommandContext& context, const CopyCommand& command) {
  if (command.mirror && (!command.selectors.empty() || !command.streams.empty()))
    return Error{ErrorCode::kUsage, "--mirror copies everything: it takes no snapshots and no --stream"};
  if (command.from.place.empty())
    return Error{ErrorCode::kUsage,
                 "--from-repository is required: the place to copy from, a directory, s3://bucket/prefix, "
                 "gs://bucket/prefix or @NAME (or set DRSTREAM_FROM_REPOSITORY)"};
  DRS_ASSIGN_OR_RETURN(const RepositoryPlace from, parse_repository_place(command.from.place, context.options));
  DRS_ASSIGN_OR_RETURN(const RepositoryPlace to, repository_place(context.options));
  DRS_ASSIGN_OR_RETURN(std::optional<Secret> given, read_from_secret(context, from, command.from));
  DRS_ASSIGN_OR_RETURN(const Secret secret, take_secret(context, to));
  Secret other = from_secret(std::move(given), secret);
  // What is proven there at the end must come from there.
  DRS_ASSIGN_OR_RETURN(const auto target, open_repository(context, to, secret, Reads::kStored));
  DRS_ASSIGN_OR_RETURN(const auto source, open_from_repository(context, from, command.from, other));
  DRS_ASSIGN_OR_RETURN(const bool same, is_same_place(*target, *source, {.stream = "copy", .host = host_name()}));
  if (same)
    return Error{ErrorCode::kUsage, fmt::format("--from-repository {}: it and {} are the same place; a copy of a "
                                                "repository onto itself is no second copy",
                                                command.from.place, to.name)};
  warn_of_other_owner(context, to);
  clean_leftovers(context, to);
  const SeenHeads seen(context, *source, from);
  DRS_ASSIGN_OR_RETURN(const SnapshotCatalog catalog, seen.load_snapshots(*source));
  DRS_ASSIGN_OR_RETURN(const Choice choice, choose(command, seen, catalog));

  CopyOptions options;
  options.compression = command.compression;
  options.mirror = command.mirror;
  options.look_through_present = !command.selectors.empty();
  options.memory_bytes = static_cast<std::size_t>(context.options.memory_bytes);
  options.threads = context.options.thread_count();
  options.host = host_name();
  options.tool_version = version_line();
  ProgressCounters counters;
  const auto report = [&] {
    const ProgressReporter reporter(progress_options(context, "copy"), counters, context.console, context.clock);
    return copy_snapshots(*source, catalog, choice.snapshots, *target, options, counters, context.cancel);
  }();
  if (!report.ok()) return report.error();
  if (!report->notice.empty()) context.log.info("{}", report->notice);
  for (const std::string& warning : report->warnings) context.log.warn("{}", warning);
  DRS_ASSIGN_OR_RETURN(const VerifyReport verified, verify_copies(context, *target, *report));

  const bool damaged =
      report->count(Outcome::kDamaged) > 0 || report->count(Outcome::kDamagedThere) > 0 || choice.damaged() > 0;
  const bool fenced = report->count(Outcome::kFenced) > 0;
  const auto skipped = std::ranges::find(report->snapshots, Outcome::kSkipped, &SnapshotCopy::outcome);
  const ExitCode found = exit_code_of(verified.findings, false);
  const ExitCode code = damaged                              ? ExitCode::kDamage
                        : found != ExitCode::kOk             ? found
                        : choice.too_new() > 0               ? ExitCode::kFormatTooNew
                        : skipped != report->snapshots.end() ? exit_code_of(Error{skipped->reason, skipped->problem})
                        : fenced                             ? ExitCode::kConflict
                                                             : ExitCode::kOk;
  if (command.mirror && code == ExitCode::kOk) DRS_RETURN_IF_ERROR(check_mirror(*source, catalog, *target));
  context.output.document("drstream.copy/1", copy_json(*report, verified, choice, code));
  context.output.text(lines_of(*report, verified, choice, context.output.on_terminal()));
  return code;
}

}  // namespace

void add_copy_command(CommandSet& commands) {
  const auto command = std::make_shared<CopyCommand>();
  CLI::App* const app = add_subcommand(
      commands.root(), "copy", "Copy snapshots from another repository into this one",
      "  drstream copy --from-repository /var/backups/drs -r s3://bucket/drs\n"
      "  drstream copy pg/app@latest --from-repository /var/backups/drs -r /mnt/usb/drs\n"
      "  drstream copy --stream pg/app --from-repository /var/backups/drs --from-key-file old.key -r /mnt/new\n"
      "  drstream init --replica-of /var/backups/drs -r s3://bucket/drs\n"
      "  drstream copy --mirror --from-repository /var/backups/drs -r s3://bucket/drs\n");
  app->add_option(
         "SNAPSHOT", command->selectors,
         "What to copy: streams or stream@latest (what was pushed to them last), stream@TIME (the newest at or "
         "before the end of that second, minute or day), ids or their first 8 or more digits (default: every snapshot)")
      ->type_name("");
  add_texts(*app, "--stream", command->streams, "STREAM",
            "Copy every snapshot of this stream; may be given several times");
  as_setting(add_text(*app, "--from-repository", command->from.place, "PLACE", "The repository to copy from"));
  add_flag(*app, "--mirror", command->mirror,
           "Copy everything into a replica, and let removals follow: what was removed in the source is removed here");
  as_setting(add_parsed(
      *app, "--compression", command->compression, parse_compression, "CODEC",
      "How blocks are compressed where they are made anew (default zstd:1); in a replica they stay as they are"));
  declare_from_key_options(*app, command->from);
  commands.add(
      {app, CommandEffect::kCopies, false, [command](CommandContext& context) { return run_copy(context, *command); }});
}

}  // namespace drs
