// drstream unforget: makes a removed snapshot live again.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "engine/format/names.h"
#include "engine/pipeline/keeping/unforget.h"
#include "engine/repository/needs.h"
#include "engine/repository/put_hold.h"
#include "engine/repository/removed_snapshots.h"
#include "tools/cli/option_builder.h"
#include "tools/command.h"
#include "tools/commands/holding.h"
#include "tools/output/hold_text.h"
#include "tools/output/output.h"
#include "tools/output/snapshot_json.h"
#include "tools/output/summary_text.h"
#include "tools/repository/open_repository.h"
#include "tools/repository/seen_heads.h"

namespace drs {
namespace {

struct UnforgetCommand {
  std::string id;
  bool hold = false;
  HoldChoice choice;
};

// The snapshot that is live again.
struct BroughtBack {
  std::string manifest_name;
  Digest manifest_digest;
  ManifestHeader manifest;
  bool before = false;  // an earlier unforget has done it
  std::string head = {};
  std::uint64_t moved_blocks = 0;
};

std::string title_of(const ManifestHeader& manifest) {
  return fmt::format("{} #{} {}", manifest.stream, manifest.sequence, manifest.session.hex().substr(0, kIdDigitsShown));
}

// What an earlier unforget has made of the snapshot; nullptr if there is nothing.
Result<const Snapshot*> find_earlier(Repository& repository, const SnapshotCatalog& catalog, const Removal& removal) {
  SnapshotCatalog one;
  one.removed = {removal};
  DRS_ASSIGN_OR_RETURN(const std::vector<RemovedSnapshot> read, load_removed_snapshots(repository, one));
  return read.front().snapshot ? brought_back_as(catalog, read.front().snapshot->manifest) : nullptr;
}

Result<BroughtBack> bring_back(CommandContext& context, Repository& repository, SeenHeads& seen,
                               const SnapshotCatalog& catalog, const Removal& removal) {
  DRS_ASSIGN_OR_RETURN(const Snapshot* const earlier, find_earlier(repository, catalog, removal));
  if (earlier != nullptr) return BroughtBack{earlier->name, earlier->digest, earlier->manifest, true, {}, 0};
  UnforgetOptions options;
  DRS_ASSIGN_OR_RETURN(const std::size_t memory_bytes, context.options.memory_bytes());
  options.index_cache_bytes = memory_bytes / 8;
  ProgressCounters counters;
  auto done = unforget(repository, removal.manifest_name, options, {counters, context.cancel});
  if (!done.ok() && done.error().code == ErrorCode::kNotFound)
    return Error(ErrorCode::kNoSnapshot, std::move(done).error().message);
  if (!done.ok()) return std::move(done).error();
  context.effect = CommandEffect::kCommitted;
  for (const std::string& warning : done->warnings) context.log.warn("{}", warning);
  const Manifest& manifest = done->manifest;
  const Head head{
      manifest.stream, manifest.sequence, done->manifest_digest, done->manifest_name, manifest.finished_ns, {}, {}};
  seen.record_late(repository, head, manifest);
  return BroughtBack{done->manifest_name, done->manifest_digest, manifest, false,
                     format_head(head),   done->moved_blocks};
}

// Holds the snapshot as the command says, or else as the removed one was held; returns nothing if neither.
Result<std::optional<HoldReport>> hold_again(CommandContext& context, Repository& repository,
                                             const UnforgetCommand& command, HoldRequest request,
                                             const std::optional<HeldSnapshot>& old) {
  if (!command.hold && !old) return std::optional<HoldReport>();
  if (!command.hold) {
    request.until_ns = old->until_ns;
    request.reason = old->reason;
    request.too_long = HoldRequest::TooLong::kShorten;
  }
  auto report = put_hold(repository, request);
  if (!report.ok()) return std::move(report).error().with_context("it is live again, but it is not held");
  warn_of_shorter_hold(context, request, *report);
  return std::optional(*std::move(report));
}

// A hold of the removed snapshot would keep its data for ever.
void end_old_hold(CommandContext& context, Repository& repository, const Removal& removal, const std::string& now) {
  const auto released = release_hold(repository, {.manifest_name = removal.manifest_name,
                                                  .manifest_digest = removal.manifest_digest,
                                                  .until_ns = 0,
                                                  .reason = "passed on to " + now});
  if (!released.ok())
    context.log.warn("the hold of the removed snapshot stays, and keeps its data as well: {}",
                     released.error().message);
}

Result<ExitCode> run_unforget(CommandContext& context, const UnforgetCommand& command) {
  if (!command.hold && !(command.choice.until.empty() && command.choice.reason.empty()))
    return Error(ErrorCode::kUsage, "--until and --reason say how the snapshot is held: give --hold, too");
  const WallNs now_ns = context.clock.wall_ns();
  DRS_ASSIGN_OR_RETURN(HoldRequest request, hold_request(command.choice, now_ns));
  DRS_ASSIGN_OR_RETURN(const auto repository, open_repository(context));
  warn_of_other_owner(context);
  SeenHeads seen(context, *repository);
  DRS_ASSIGN_OR_RETURN(const SnapshotCatalog catalog, seen.load_snapshots(*repository));
  DRS_ASSIGN_OR_RETURN(const Removal* const removal, find_removed(catalog, command.id));
  DRS_ASSIGN_OR_RETURN(const Holds holds, load_holds(*repository, now_ns));
  DRS_ASSIGN_OR_RETURN(const BroughtBack back, bring_back(context, *repository, seen, catalog, *removal));
  context.output.remark(fmt::format("{} {}", title_of(back.manifest),
                                    back.before ? "was brought back before: it is live" : "is live again"));
  if (!back.head.empty()) context.output.remark("head " + back.head);
  for (const std::string& id : unmet_needs(catalog, back.manifest))
    context.log.warn("it needs {}, which is not live: `drstream unforget {}` brings that back while its data is there",
                     id, id);
  request.manifest_name = back.manifest_name;
  request.manifest_digest = back.manifest_digest;
  const auto old = holds.find(removal->manifest_name);
  DRS_ASSIGN_OR_RETURN(const std::optional<HoldReport> held,
                       hold_again(context, *repository, command, request,
                                  old == holds.end() ? std::nullopt : std::optional(old->second)));
  if (old != holds.end()) end_old_hold(context, *repository, *removal, request.manifest_name);
  if (held && held->held) context.output.remark("held " + hold_text(*held->held));
  nlohmann::ordered_json document = snapshot_json(back.manifest_name, back.manifest_digest, back.manifest);
  document["removed_id"] = parse_name(removal->manifest_name)->uuid.hex();
  document["was_live"] = back.before;
  document["moved_blocks"] = back.moved_blocks;
  set_text(document, "head", back.head);
  if (held && held->held) document["hold"] = hold_json(*held->held);
  context.output.document("drstream.unforget/1", static_cast<int>(ExitCode::kOk), document);
  return ExitCode::kOk;
}

}  // namespace

void add_unforget_command(CommandSet& commands) {
  const auto command = std::make_shared<UnforgetCommand>();
  CLI::App* const app = add_subcommand(commands.root(), "unforget", "Make a removed snapshot live again",
                                       "  drstream list --removed\n"
                                       "  drstream unforget 3f9c01d2\n"
                                       "  drstream unforget 3f9c01d2 --hold --reason 'ticket 4711'\n");
  app->add_option("ID", command->id,
                  "The id of the removed snapshot, or its first 8 or more digits; the snapshot gets a new id")
      ->required()
      ->type_name("");
  add_flag(*app, "--hold", command->hold, "Hold it as well, as `drstream hold` does");
  add_text(*app, "--until", command->choice.until, "TIME",
           "With --hold: until this time, or for a span such as 90d, 6m (months) or 1y (default: for ever)");
  add_text(*app, "--reason", command->choice.reason, "TEXT", "With --hold: why");
  commands.add(
      {app, CommandEffect::kChanges, [command](CommandContext& context) { return run_unforget(context, *command); }});
}

}  // namespace drs
