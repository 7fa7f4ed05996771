// drstream list: the snapshots of a repository.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <vector>

#include "engine/repository/snapshot_selection.h"
#include "tools/command.h"
#include "tools/open_repository.h"
#include "tools/option_builder.h"
#include "tools/seen_heads.h"
#include "tools/selector_text.h"
#include "tools/size_text.h"
#include "tools/snapshot_json.h"
#include "tools/tag_text.h"
#include "tools/text_table.h"
#include "tools/time_text.h"

namespace drs {
namespace {

constexpr std::size_t kIdDigitsShown = 12;

struct ListCommand {
  std::string stream;
  std::vector<std::string> tags;
  std::string since;
  std::uint64_t limit = 0;  // 0: all
};

// That `pattern` matches a live snapshot. Errors: kNoSnapshot, or what is wrong with a stream of a matching name whose
// snapshots are damaged or gone.
Result<void> check_pattern(const SeenHeads& seen, const SnapshotCatalog& catalog, const std::string& pattern) {
  const auto matches = [&](const Snapshot& snapshot) { return stream_matches(pattern, snapshot.manifest.stream); };
  if (std::any_of(catalog.live.begin(), catalog.live.end(), matches)) return {};
  std::set<std::string> known;
  for (const BrokenManifest& broken : catalog.broken) known.insert(broken.stream);
  for (const MissingManifest& missing : catalog.missing) known.insert(missing.stream);
  if (const auto recorded = seen.directory().load_all(); recorded.ok())
    for (const Head& head : recorded->heads) known.insert(head.stream);
  for (const std::string& stream : known) {
    if (stream.empty() || !stream_matches(pattern, stream)) continue;
    const auto found = seen.find(catalog, stream + "@latest");
    if (!found.ok() && found.error().code != ErrorCode::kNoSnapshot) return found.error();
  }
  const auto found = select_snapshot(catalog, {pattern, pattern, std::nullopt});
  return found.ok() ? Result<void>() : found.error();
}

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
    DRS_RETURN_IF_ERROR(check_pattern(seen, catalog, command.stream));
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

std::string table_of(const std::vector<const Snapshot*>& snapshots) {
  using Align = TextTable::Align;
  TextTable table({{"TIME"},
                   {"STREAM"},
                   {"ID"},
                   {"SEQ", Align::kRight},
                   {"SIZE", Align::kRight},
                   {"NEW", Align::kRight},
                   {"STORED", Align::kRight},
                   {"PRODUCER"},
                   {"TAGS"}});
  for (const Snapshot* snapshot : snapshots) {
    const ManifestHeader& manifest = snapshot->manifest;
    table.add_row({format_time_local(manifest.snapshot_ns), manifest.stream, snapshot->id().substr(0, kIdDigitsShown),
                   std::to_string(manifest.sequence), format_size(manifest.bytes), format_size(manifest.new_bytes),
                   format_size(manifest.stored_bytes), producer_word(manifest), format_tags(manifest.tags)});
  }
  return table.text();
}

// A line for each sequence number that several snapshots of a stream have.
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

Result<ExitCode> run_list(CommandContext& context, const ListCommand& command) {
  DRS_ASSIGN_OR_RETURN(const auto repository, open_repository(context, Reads::kSnapshots));
  const SeenHeads seen(context, *repository);
  DRS_ASSIGN_OR_RETURN(const SnapshotCatalog catalog, seen.load_snapshots(*repository));
  DRS_ASSIGN_OR_RETURN(const auto chosen, choose(seen, catalog, command, context.clock.wall_ns()));
  const std::size_t warnings = seen.warn_of(catalog);
  nlohmann::ordered_json document;
  document["repository"] = repository->config().repository.hex();
  document["snapshots"] = nlohmann::ordered_json::array();
  for (const Snapshot* snapshot : chosen) document["snapshots"].push_back(snapshot_json(catalog, *snapshot));
  document["warnings"] = warnings;
  context.output.document("drstream.list/1", document);
  context.output.text(chosen.empty() ? "no snapshots\n" : table_of(chosen) + sibling_lines(catalog, chosen));
  return ExitCode::kOk;
}

}  // namespace

void add_list_command(CommandSet& commands) {
  const auto command = std::make_shared<ListCommand>();
  CLI::App* const app = add_subcommand(commands.root(), "list", "List snapshots, oldest first",
                                       "  drstream list\n"
                                       "  drstream list pg/app --limit 7\n"
                                       "  drstream list pg/\n"
                                       "  drstream list --tag env=production --since 2026-11-01 --json\n");
  refuse_empty(
      app->add_option(
             "STREAM", command->stream,
             "Only this stream; with a / at its end, those that begin so; or those that match a pattern: * is any "
             "text, / included, ? one character, [a-c] one of them")
          ->type_name(""));
  add_texts(*app, "--tag", command->tags, "KEY[=VALUE]",
            "Only snapshots with this tag, without a value whatever it is; several: with all of them");
  add_text(*app, "--since", command->since, "TIME", "Only snapshots of this time or later");
  add_parsed(*app, "--limit", command->limit, number_between(1, 1'000'000'000), "N", "Only the newest N");
  commands.add(
      {app, CommandEffect::kReads, false, [command](CommandContext& context) { return run_list(context, *command); }});
}

}  // namespace drs
