#include "tools/commands/removed_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "engine/format/names.h"
#include "engine/pipeline/keeping/prune.h"
#include "engine/repository/holds.h"
#include "engine/repository/removed_snapshots.h"
#include "tools/output/hold_text.h"
#include "tools/output/printable.h"
#include "tools/output/quantity_text.h"
#include "tools/output/summary_text.h"
#include "tools/output/text_table.h"
#include "tools/output/time_text.h"
#include "tools/repository/open_repository.h"
#include "tools/repository/seen_heads.h"
#include "tools/repository/selector_text.h"

namespace drs {
namespace {

// What is known of one removed snapshot, as it is shown.
struct Row {
  const RemovedSnapshot& removed;
  const HeldSnapshot* held = nullptr;
  const Snapshot* live = nullptr;  // that an unforget has made of it
  // Until when every prune keeps its data that has the default undo time; nothing if it is held, or if its manifest is
  // gone.
  std::optional<WallNs> until_ns = {};

  [[nodiscard]] std::string id() const { return parse_name(removed.removal.manifest_name)->uuid.hex(); }
  // "until 2026-11-27 ...", for people.
  [[nodiscard]] std::string fate() const {
    if (live != nullptr) return "is live as " + live->id().substr(0, kIdDigitsShown);
    if (removed.problem) return "manifest is damaged";
    if (!removed.manifest_exists) return "no: deleted";
    if (held != nullptr) return "held " + hold_text(*held);
    return "until " + format_time_local(*until_ns);
  }
};

Row row_of(const RemovedSnapshot& removed, const Holds& holds, const SnapshotCatalog& catalog) {
  Row row{removed};
  const Removal& removal = removed.removal;
  if (const auto held = holds.find(removal.manifest_name); held != holds.end()) row.held = &held->second;
  if (removed.snapshot) row.live = brought_back_as(catalog, removed.snapshot->manifest);
  if (removed.manifest_exists && row.held == nullptr)
    row.until_ns = (removal.stored_ns != 0 ? removal.stored_ns : removal.removed_ns) + PruneOptions{}.undo.count();
  return row;
}

nlohmann::ordered_json row_json(const Row& row) {
  const RemovedSnapshot& removed = row.removed;
  nlohmann::ordered_json out;
  out["id"] = row.id();
  out["stream"] = removed.removal.stream;
  out["sequence"] = removed.removal.sequence;
  out["manifest"] = removed.removal.manifest_name;
  out["removal_time"] = format_time_utc(removed.removal.removed_ns);
  set_text(out, "reason", removed.removal.reason);
  if (removed.snapshot) {
    out["time"] = format_time_utc(removed.snapshot->manifest.snapshot_ns);
    out["bytes"] = removed.snapshot->manifest.bytes;
  }
  out["manifest_exists"] = removed.manifest_exists;
  if (row.until_ns) out["kept_until"] = format_time_utc(*row.until_ns);
  if (row.held != nullptr) out["hold"] = hold_json(*row.held);
  if (row.live != nullptr) out["live_id"] = row.live->id();
  if (removed.problem) out["problem"] = removed.problem->message;
  return out;
}

std::string table_of(const std::vector<Row>& rows, std::size_t columns_max) {
  using Align = TextTable::Align;
  TextTable table({{"REMOVED"},
                   {"STREAM"},
                   {"ID"},
                   {"SEQ", Align::kRight, 3},
                   {"TIME", Align::kLeft, 2},
                   {"SIZE", Align::kRight, 4},
                   {"UNFORGET"},
                   {"REASON", Align::kLeft, 1}});
  for (const Row& row : rows) {
    const Removal& removal = row.removed.removal;
    const std::optional<Snapshot>& snapshot = row.removed.snapshot;
    table.add_row({format_time_local(removal.removed_ns), removal.stream, row.id().substr(0, kIdDigitsShown),
                   std::to_string(removal.sequence), snapshot ? format_time_local(snapshot->manifest.snapshot_ns) : "-",
                   snapshot ? format_size(snapshot->manifest.bytes) : "-", row.fate(),
                   printable_message(removal.reason)});
  }
  return table.text(columns_max);
}

}  // namespace

Result<ExitCode> list_removed(CommandContext& context, const RemovedFilter& filter) {
  const WallNs now_ns = context.clock.wall_ns();
  std::optional<WallNs> since_ns;
  if (!filter.since.empty()) {
    DRS_ASSIGN_OR_RETURN(since_ns, parse_time(filter.since, now_ns, TimeEdge::kBegin));
  }
  if (!filter.stream.empty() && !is_stream_pattern(filter.stream))
    DRS_RETURN_IF_ERROR(check_stream_name(filter.stream));
  Listing listing;
  DRS_ASSIGN_OR_RETURN(const auto repository, open_repository(context, Reads::kSnapshots, &listing));
  const SeenHeads seen(context, *repository);
  DRS_ASSIGN_OR_RETURN(const SnapshotCatalog catalog, seen.load_snapshots(*repository, listing));
  SnapshotCatalog chosen;
  for (const Removal& removal : catalog.removed) {
    if (!filter.stream.empty() && !stream_matches(filter.stream, removal.stream)) continue;
    if (!since_ns || removal.removed_ns >= *since_ns) chosen.removed.push_back(removal);
  }
  DRS_ASSIGN_OR_RETURN(std::vector<RemovedSnapshot> removed, load_removed_snapshots(*repository, chosen));
  if (filter.limit > 0 && removed.size() > filter.limit)
    removed.erase(removed.begin(), removed.end() - static_cast<std::ptrdiff_t>(filter.limit));
  DRS_ASSIGN_OR_RETURN(const Holds holds, load_holds(*repository, now_ns, listing));
  std::vector<Row> rows;
  for (const RemovedSnapshot& entry : removed) rows.push_back(row_of(entry, holds, catalog));
  nlohmann::ordered_json document;
  document["repository"] = repository->config().repository.hex();
  document["removed_snapshots"] = nlohmann::ordered_json::array();
  for (const Row& row : rows) document["removed_snapshots"].push_back(row_json(row));
  document["warnings"] = seen.warn_of(catalog);
  context.output.document("drstream.list-removed/1", document);
  context.output.text(rows.empty() ? "no removed snapshots\n" : table_of(rows, context.output.columns_max()));
  return ExitCode::kOk;
}

}  // namespace drs
