// drstream hold: keeps a snapshot from every rule, command and prune.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "engine/format/names.h"
#include "engine/repository/put_hold.h"
#include "engine/repository/removed_snapshots.h"
#include "tools/cli/option_builder.h"
#include "tools/command.h"
#include "tools/commands/holding.h"
#include "tools/output/hold_text.h"
#include "tools/output/summary_text.h"
#include "tools/repository/open_repository.h"
#include "tools/repository/seen_heads.h"

namespace drs {
namespace {

struct HoldCommand {
  std::string selector;
  HoldChoice choice;
  bool release = false;
};

// The snapshot that a hold concerns.
struct HeldTarget {
  std::string manifest_name;
  Digest manifest_digest;
  std::string stream;
  std::uint64_t sequence = 0;
  [[nodiscard]] std::string id() const { return parse_name(manifest_name)->uuid.hex(); }
  [[nodiscard]] std::string title() const {
    if (stream.empty()) return manifest_name;  // damaged, or gone
    return fmt::format("{} #{} {}", stream, sequence, id().substr(0, kIdDigitsShown));
  }
};

// The one hold whose manifest has this id or name, whatever became of the manifest.
Result<std::optional<HeldTarget>> target_by_hold(Repository& repository, const std::string& selector) {
  DRS_ASSIGN_OR_RETURN(const Holds holds, load_holds(repository, 0));
  std::optional<HeldTarget> found;
  for (const auto& [manifest, hold] : holds) {
    const bool by_id = selector.size() >= kIdDigitsShown && parse_name(manifest)->uuid.hex().starts_with(selector);
    if (!by_id && manifest != selector) continue;
    if (found) return std::optional<HeldTarget>();
    found = HeldTarget{manifest, {}, "", 0};
  }
  return found;
}

// A live snapshot; for a release also a removed one, whose data a hold keeps, and one that is damaged or gone.
Result<HeldTarget> target_of(const HoldCommand& command, Repository& repository, const SeenHeads& seen,
                             const SnapshotCatalog& catalog) {
  const auto found = seen.find(catalog, command.selector);
  if (found.ok())
    return HeldTarget{(*found)->name, (*found)->digest, (*found)->manifest.stream, (*found)->manifest.sequence};
  const auto removed = find_removed(catalog, command.selector);
  if (command.release && !removed.ok()) {
    DRS_ASSIGN_OR_RETURN(auto held, target_by_hold(repository, command.selector));
    if (held) return *std::move(held);
  }
  if (found.error().code != ErrorCode::kNoSnapshot || !removed.ok()) return found.error();
  const Removal& removal = **removed;
  const HeldTarget target{removal.manifest_name, removal.manifest_digest, removal.stream, removal.sequence};
  if (command.release) return target;
  return Error(ErrorCode::kNoSnapshot,
               fmt::format("{} is removed: `drstream unforget {} --hold` brings it back and holds it", target.title(),
                           target.id()));
}

nlohmann::ordered_json hold_document(const HeldTarget& target, const HoldReport& report) {
  nlohmann::ordered_json document;
  document["id"] = target.id();
  if (!target.stream.empty()) {
    document["stream"] = target.stream;
    document["sequence"] = target.sequence;
  }
  document["manifest"] = target.manifest_name;
  if (report.held) document["hold"] = hold_json(*report.held);
  set_text(document, "stored", report.object_name);
  return document;
}

Result<ExitCode> run_release(CommandContext& context, Repository& repository, const HeldTarget& target,
                             HoldRequest request) {
  DRS_ASSIGN_OR_RETURN(const HoldReport report, release_hold(repository, request));
  const ExitCode code = report.held ? ExitCode::kConflict : ExitCode::kOk;
  if (report.held)
    context.log.error("{} is still held {}; another hold was stored at the same time: run the command again",
                      target.title(), hold_text(*report.held));
  context.output.document("drstream.hold/1", static_cast<int>(code), hold_document(target, report));
  if (code == ExitCode::kOk)
    context.output.remark(report.object_name.empty() ? target.title() + " was not held" : "released " + target.title());
  return code;
}

Result<ExitCode> run_hold(CommandContext& context, const HoldCommand& command) {
  if (command.release && !command.choice.until.empty())
    return Error(ErrorCode::kUsage, "--release ends the hold now: it takes no --until");
  DRS_ASSIGN_OR_RETURN(HoldRequest request, hold_request(command.choice, context.clock.wall_ns()));
  Listing listing;
  DRS_ASSIGN_OR_RETURN(const auto repository, open_repository(context, Reads::kSnapshots, &listing));
  warn_of_other_owner(context);
  const SeenHeads seen(context, *repository);
  DRS_ASSIGN_OR_RETURN(const SnapshotCatalog catalog, seen.load_snapshots(*repository, listing));
  DRS_ASSIGN_OR_RETURN(const HeldTarget target, target_of(command, *repository, seen, catalog));
  request.manifest_name = target.manifest_name;
  request.manifest_digest = target.manifest_digest;
  if (command.release) return run_release(context, *repository, target, std::move(request));
  DRS_ASSIGN_OR_RETURN(const HoldReport report, put_hold(*repository, request));
  warn_of_shorter_hold(context, request, report);
  context.output.document("drstream.hold/1", static_cast<int>(ExitCode::kOk), hold_document(target, report));
  context.output.remark(fmt::format("held {} {}", target.title(), hold_text(*report.held)));
  return ExitCode::kOk;
}

}  // namespace

void add_hold_command(CommandSet& commands) {
  const auto command = std::make_shared<HoldCommand>();
  CLI::App* const app = add_subcommand(commands.root(), "hold", "Keep a snapshot, whatever rules and commands say",
                                       "  drstream hold 3f9c01d2 --reason 'before the migration'\n"
                                       "  drstream hold pg/app@latest --until 2027-06-30\n"
                                       "  drstream hold pg/app --until 90d\n"
                                       "  drstream hold --release 3f9c01d2\n");
  app->add_option("SNAPSHOT", command->selector,
                  "A stream or stream@latest (what was pushed to it last), stream@TIME, an id or its first 8 or more "
                  "digits")
      ->required()
      ->type_name("");
  add_text(*app, "--until", command->choice.until, "TIME",
           "Until this time, or for a span such as 90d, 6m (months) or 1y (default: for ever). Credentials of a writer "
           "hold for at "
           "most a year");
  add_text(*app, "--reason", command->choice.reason, "TEXT", "Why; `list` and `show` print it");
  add_flag(
      *app, "--release", command->release,
      "End all holds of the snapshot, also where its manifest is damaged or lost; only a pruner's credentials may");
  commands.add(
      {app, CommandEffect::kChanges, [command](CommandContext& context) { return run_hold(context, *command); }});
}

}  // namespace drs
