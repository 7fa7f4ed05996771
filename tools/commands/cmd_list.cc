// drstream list: the snapshots of a repository.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <vector>

#include "engine/repository/holds.h"
#include "engine/repository/snapshot_selection.h"
#include "tools/cli/option_builder.h"
#include "tools/command.h"
#include "tools/commands/removed_list.h"
#include "tools/output/hold_text.h"
#include "tools/output/quantity_text.h"
#include "tools/output/snapshot_json.h"
#include "tools/output/summary_text.h"
#include "tools/output/text_table.h"
#include "tools/output/time_text.h"
#include "tools/repository/open_repository.h"
#include "tools/repository/seen_heads.h"
#include "tools/repository/selector_text.h"

namespace drs {
namespace {

struct ListCommand {
  std::string stream;
  std::vector<std::string> tags;
  std::string since;
  std::uint64_t limit = 0;  // 0: all
  bool removed = false;
};

// Oldest first. Errors: those of find_snapshot (no such stream, or one whose snapshots are damaged or gone); kUsage (a
// tag or time that cannot be read).
Result<std::vector<const Snapshot*>> choose(const SeenHeads& seen, const SnapshotCatalog& catalog,
                                            const ListCommand& command, WallNs now_ns) {
  DRS_ASSIGN_OR_RETURN(const auto tags, parse_tag_filter(command.tags));
  std::optional<WallNs> since_ns;
  if (!command.since.empty()) {
    DRS_ASSIGN_OR_RETURN(since_ns, parse_time(command.since, now_ns, TimeEdge::kBegin));
  }
  if (is_stream_pattern(command.stream)) {
    DRS_RETURN_IF_ERROR(seen.match(catalog, command.stream));
  } else if (!command.stream.empty() && catalog.latest(command.stream) == nullptr) {
    DRS_RETURN_IF_ERROR(check_stream_name(command.stream));
    const auto found = seen.find(catalog, command.stream + "@latest");
    if (!found.ok()) return found.error();
  }
  std::vector<const Snapshot*> chosen;
  for (const DatedSnapshot& dated : oldest_first(catalog)) {
    const ManifestHeader& manifest = dated.snapshot->manifest;
    if (!command.stream.empty() && !stream_matches(command.stream, manifest.stream)) continue;
    if (since_ns && dated.made_ns < *since_ns) continue;
    if (has_tags(manifest.tags, tags)) chosen.push_back(dated.snapshot);
  }
  const std::size_t limit = static_cast<std::size_t>(command.limit);
  if (limit > 0 && chosen.size() > limit)
    chosen.erase(chosen.begin(), chosen.end() - static_cast<std::ptrdiff_t>(limit));
  return chosen;
}

std::string table_of(const std::vector<const Snapshot*>& snapshots, std::size_t columns_max) {
  using Align = TextTable::Align;
  const bool tagged =
      std::ranges::any_of(snapshots, [](const Snapshot* snapshot) { return !snapshot->manifest.tags.empty(); });
  TextTable table({{"TIME"},
                   {"STREAM"},
                   {"ID"},
                   {"SEQ", Align::kRight, 2},
                   {"SIZE", Align::kRight},
                   {"NEW", Align::kRight, 3},
                   {"STORED", Align::kRight},
                   {"PRODUCER", Align::kLeft, 1},
                   {"TAGS", Align::kLeft, tagged ? 0 : 4}});
  for (const Snapshot* snapshot : snapshots) {
    const ManifestHeader& manifest = snapshot->manifest;
    table.add_row({format_time_local(manifest.snapshot_ns), manifest.stream, snapshot->id().substr(0, kIdDigitsShown),
                   std::to_string(manifest.sequence), format_size(manifest.bytes), format_size(manifest.new_bytes),
                   format_size(manifest.stored_bytes), producer_word(manifest), format_tags(manifest.tags)});
  }
  return table.text(columns_max);
}

// A line for each sequence number that several snapshots of a stream share.
std::string sibling_lines(const SnapshotCatalog& catalog, const std::vector<const Snapshot*>& snapshots) {
  std::set<const Snapshot*> told;
  std::string out;
  for (const Snapshot* snapshot : snapshots) {
    const std::span<const Snapshot> siblings = siblings_of(catalog, *snapshot);
    if (siblings.size() < 2 || !told.insert(siblings.data()).second) continue;
    out += fmt::format("siblings: {} {} is", snapshot->manifest.stream, snapshot->manifest.sequence);
    for (const Snapshot& sibling : siblings)
      out += fmt::format("{} {}", &sibling == siblings.data() ? "" : " and", sibling.id().substr(0, kIdDigitsShown));
    out += ", pushed at the same time; the last one counts as the newer\n";
  }
  return out;
}

// A line for each snapshot that is held.
std::string held_lines(const Holds& holds, const std::vector<const Snapshot*>& snapshots) {
  std::string out;
  for (const Snapshot* snapshot : snapshots)
    if (const auto held = holds.find(snapshot->name); held != holds.end())
      out += fmt::format("held: {} {} {} {}\n", snapshot->manifest.stream, snapshot->manifest.sequence,
                         snapshot->id().substr(0, kIdDigitsShown), hold_text(held->second));
  return out;
}

Result<ExitCode> run_list(CommandContext& context, const ListCommand& command) {
  if (command.removed) {
    if (!command.tags.empty()) return Error(ErrorCode::kUsage, "--removed lists what has no tags any more: no --tag");
    return list_removed(context, {command.stream, command.since, command.limit});
  }
  Listing listing;
  DRS_ASSIGN_OR_RETURN(const auto repository, open_repository(context, Reads::kSnapshots, &listing));
  const SeenHeads seen(context, *repository);
  DRS_ASSIGN_OR_RETURN(const SnapshotCatalog catalog, seen.load_snapshots(*repository, listing));
  DRS_ASSIGN_OR_RETURN(const auto chosen, choose(seen, catalog, command, context.clock.wall_ns()));
  DRS_ASSIGN_OR_RETURN(const Holds holds, load_holds(*repository, context.clock.wall_ns(), listing));
  const std::vector<std::string> warnings = seen.warn_of(catalog);
  nlohmann::ordered_json document;
  document["repository"] = repository->config().repository.hex();
  document["snapshots"] = nlohmann::ordered_json::array();
  for (const Snapshot* snapshot : chosen) document["snapshots"].push_back(snapshot_json(catalog, holds, *snapshot));
  document["warnings"] = warnings;
  context.output.document("drstream.list/1", document);
  context.output.text(chosen.empty() ? "no snapshots\n"
                                     : table_of(chosen, context.output.columns_max()) + sibling_lines(catalog, chosen) +
                                           held_lines(holds, chosen));
  return ExitCode::kOk;
}

}  // namespace

void add_list_command(CommandSet& commands) {
  const auto command = std::make_shared<ListCommand>();
  CLI::App* const app = add_subcommand(commands.root(), "list", "List snapshots, oldest first",
                                       "  drstream list\n"
                                       "  drstream list pg/app --limit 7\n"
                                       "  drstream list pg/\n"
                                       "  drstream list --tag env=production --since 2026-11-01 --json\n"
                                       "  drstream list --removed\n");
  refuse_empty(app->add_option("STREAM", command->stream,
                               "Only this stream; a name that ends in / means all streams below it; or a pattern: * is "
                               "any text, / included, ? one character, [a-c] one of these")
                   ->type_name(""));
  add_texts(*app, "--tag", command->tags, "KEY[=VALUE]",
            "Only snapshots with this tag, with any value if none is given; several: with all of them");
  add_text(*app, "--since", command->since, "TIME", "Only snapshots of this time or later");
  add_parsed(*app, "--limit", command->limit, number_between(1, 1'000'000'000), "N", "Only the newest N");
  add_flag(*app, "--removed", command->removed,
           "List removed snapshots instead: when and why, and whether `unforget` can bring them back");
  commands.add(
      {app, CommandEffect::kReads, [command](CommandContext& context) { return run_list(context, *command); }});
}

}  // namespace drs
