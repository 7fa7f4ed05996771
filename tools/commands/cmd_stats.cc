// drstream stats: how much is stored, and for what.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "engine/pipeline/keeping/prune.h"
#include "engine/repository/block_index.h"
#include "engine/repository/pack_catalog.h"
#include "engine/repository/snapshots.h"
#include "tools/command.h"
#include "tools/commands/prune_results.h"
#include "tools/output/quantity_text.h"
#include "tools/output/summary_text.h"
#include "tools/output/text_table.h"
#include "tools/output/time_text.h"
#include "tools/repository/open_repository.h"
#include "tools/repository/seen_heads.h"

namespace drs {
namespace {

struct StreamTotals {
  std::uint64_t snapshots = 0;
  std::uint64_t bytes = 0;
  std::uint64_t stored_bytes = 0;
  const Snapshot* latest = nullptr;
};

struct Totals {
  std::uint64_t snapshots = 0;
  std::uint64_t bytes = 0;
  std::uint64_t packs = 0;
  std::uint64_t packs_bytes = 0;
  std::uint64_t packs_damaged = 0;
  std::uint64_t packs_condemned = 0;
  std::uint64_t blocks = 0;
  std::uint64_t chunks = 0;
  std::uint64_t index_objects = 0;
  std::uint64_t packs_without_index = 0;
};

Result<Totals> count(CommandContext& context, Repository& repository, const SnapshotCatalog& catalog) {
  Totals totals;
  for (const Snapshot& snapshot : catalog.live) {
    ++totals.snapshots;
    totals.bytes += snapshot.manifest.bytes;
  }
  DRS_ASSIGN_OR_RETURN(const PackCatalog packs,
                       PackCatalog::load(repository, PackCatalog::UnreadableCondemned::kPassOver));
  totals.packs = packs.packs().size();
  totals.packs_bytes = packs.total_bytes();
  for (const PackInfo& pack : packs.packs()) {
    if (pack.marked) ++totals.packs_damaged;
    if (pack.condemned) ++totals.packs_condemned;
  }
  DRS_ASSIGN_OR_RETURN(const auto index,
                       BlockIndex::load(repository, repository.store(), packs, BlockIndex::Options{}));
  for (const BlockIndex::Problem& problem : index->problems())
    context.log.warn("{}: {}", problem.object, problem.error.message);
  totals.blocks = index->block_count();
  totals.chunks = index->chunk_count();
  for (std::size_t unit = 0; unit < index->unit_count(); ++unit) {
    if (index->unit_is_uncovered_pack(static_cast<std::uint32_t>(unit)))
      ++totals.packs_without_index;
    else
      ++totals.index_objects;
  }
  return totals;
}

struct Stats {
  Totals totals;
  std::map<std::string, StreamTotals> streams;
  std::map<std::string, StreamTotals> months;  // by "2026-11"
  PruneReport space;
};

nlohmann::ordered_json stats_json(const Repository& repository, const Stats& stats) {
  const auto& [totals, streams, months, space] = stats;
  nlohmann::ordered_json out;
  out["repository"] = repository.config().repository.hex();
  out["encrypted"] = repository.config().encrypted;
  out["created"] = format_time_utc(repository.config().created_ns);
  out["snapshot_count"] = totals.snapshots;
  out["bytes"] = totals.bytes;
  out["packs"] = totals.packs;
  out["packs_bytes"] = totals.packs_bytes;
  out["packs_damaged"] = totals.packs_damaged;
  out["packs_condemned"] = totals.packs_condemned;
  out["packs_without_index"] = totals.packs_without_index;
  out["index_objects"] = totals.index_objects;
  out["blocks"] = totals.blocks;
  out["chunks"] = totals.chunks;
  out["space"] = space_json(space);
  out["growth"] = nlohmann::ordered_json::array();
  for (const auto& [month, added] : months) {
    nlohmann::ordered_json entry;
    entry["month"] = month;
    entry["snapshot_count"] = added.snapshots;
    entry["bytes"] = added.bytes;
    entry["stored_bytes"] = added.stored_bytes;
    out["growth"].push_back(std::move(entry));
  }
  out["streams"] = nlohmann::ordered_json::array();
  for (const auto& [name, stream] : streams) {
    nlohmann::ordered_json entry;
    entry["stream"] = name;
    entry["snapshot_count"] = stream.snapshots;
    entry["bytes"] = stream.bytes;
    entry["stored_bytes"] = stream.stored_bytes;
    entry["latest"] = stream.latest->id();
    entry["latest_time"] = format_time_utc(stream.latest->manifest.snapshot_ns);
    entry["latest_bytes"] = stream.latest->manifest.bytes;
    out["streams"].push_back(std::move(entry));
  }
  return out;
}

std::string growth_text(const std::map<std::string, StreamTotals>& months) {
  using Align = TextTable::Align;
  TextTable table({{"MONTH"}, {"SNAPSHOTS", Align::kRight}, {"SIZE", Align::kRight}, {"STORED", Align::kRight}});
  for (const auto& [month, added] : months)
    table.add_row({month, std::to_string(added.snapshots), format_size(added.bytes), format_size(added.stored_bytes)});
  return table.text();
}

std::string stats_text(const Repository& repository, const Stats& stats) {
  const auto& [totals, streams, months, space] = stats;
  std::string out = fmt::format(
      "repository   {}, made {}{}\n"
      "snapshots    {} of {} streams, {}\n"
      "packs        {}, {} (ratio {}), {} damaged, {} condemned\n"
      "blocks       {}, chunks {}\n"
      "index        {} objects, {} packs without one\n",
      repository.config().repository.hex(), format_time_local(repository.config().created_ns),
      repository.config().encrypted ? "" : ", NOT ENCRYPTED", totals.snapshots, streams.size(),
      format_size(totals.bytes), totals.packs, format_size(totals.packs_bytes),
      ratio_text(totals.bytes, totals.packs_bytes), totals.packs_damaged, totals.packs_condemned, totals.blocks,
      totals.chunks, totals.index_objects, totals.packs_without_index);
  out += space_text(space);
  if (streams.empty()) return out;
  using Align = TextTable::Align;
  TextTable table({{"STREAM"},
                   {"SNAPSHOTS", Align::kRight},
                   {"SIZE", Align::kRight},
                   {"STORED", Align::kRight},
                   {"RATIO", Align::kRight},
                   {"LATEST"}});
  for (const auto& [name, stream] : streams)
    table.add_row({name, std::to_string(stream.snapshots), format_size(stream.bytes), format_size(stream.stored_bytes),
                   ratio_text(stream.bytes, stream.stored_bytes),
                   format_time_local(stream.latest->manifest.snapshot_ns)});
  return out + '\n' + table.text() + '\n' + growth_text(months);
}

// What a prune with its defaults would do now.
Result<PruneReport> measure_space(CommandContext& context, Repository& repository, const SeenHeads& seen) {
  PruneOptions options;
  options.remembered = seen.lost_finder();
  options.dry_run = true;
  ProgressCounters counters;
  DRS_ASSIGN_OR_RETURN(PruneReport report, prune(repository, options, {counters, context.cancel}));
  for (const std::string& problem : report.problems) context.log.warn("{}", problem);
  return report;
}

Result<ExitCode> run_stats(CommandContext& context) {
  DRS_ASSIGN_OR_RETURN(const auto repository, open_repository(context));
  const SeenHeads seen(context, *repository);
  DRS_ASSIGN_OR_RETURN(const SnapshotCatalog catalog, seen.load_snapshots(*repository));
  seen.warn_of(catalog);
  Stats stats;
  DRS_ASSIGN_OR_RETURN(stats.totals, count(context, *repository, catalog));
  DRS_ASSIGN_OR_RETURN(stats.space, measure_space(context, *repository, seen));
  for (const Snapshot& snapshot : catalog.live) {
    const std::string month = format_time_utc(snapshot.manifest.finished_ns).substr(0, std::strlen("2026-11"));
    for (StreamTotals* const sum : {&stats.streams[snapshot.manifest.stream], &stats.months[month]}) {
      ++sum->snapshots;
      sum->bytes += snapshot.manifest.bytes;
      sum->stored_bytes += snapshot.manifest.stored_bytes;
      sum->latest = &snapshot;
    }
  }
  context.output.document("drstream.stats/1", stats_json(*repository, stats));
  context.output.text(stats_text(*repository, stats));
  return ExitCode::kOk;
}

}  // namespace

void add_stats_command(CommandSet& commands) {
  CLI::App* const app = add_subcommand(commands.root(), "stats", "Show how much is stored, and for what",
                                       "  drstream stats\n  drstream stats --json\n");
  commands.add({app, CommandEffect::kReads, run_stats});
}

}  // namespace drs
