#include "tools/commands/prune_results.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tools/output/quantity_text.h"
#include "tools/output/summary_text.h"
#include "tools/output/time_text.h"

namespace drs {
namespace {

struct WaitingBytes {
  std::uint64_t for_grace = 0;
  std::uint64_t for_sessions = 0;
};

WaitingBytes waiting_bytes(const PruneReport& report) {
  WaitingBytes bytes;
  for (const WaitingDeletion& waiting : report.waiting)
    (waiting.awaited.empty() ? bytes.for_grace : bytes.for_sessions) += waiting.bytes;
  return bytes;
}

nlohmann::ordered_json waiting_json(const WaitingDeletion& waiting) {
  nlohmann::ordered_json out;
  out["record"] = waiting.record.hex();
  out["objects"] = waiting.objects;
  out["bytes"] = waiting.bytes;
  if (waiting.until_ns != 0) out["grace_until"] = format_time_utc(waiting.until_ns);
  out["sessions"] = nlohmann::ordered_json::array();
  for (const AwaitedSession& session : waiting.awaited) {
    nlohmann::ordered_json entry;
    entry["session"] = session.session.hex();
    if (!session.stream.empty()) entry["stream"] = session.stream;
    if (!session.host.empty()) entry["host"] = session.host;
    if (session.until_ns != 0) entry["fenced_from"] = format_time_utc(session.until_ns);
    out["sessions"].push_back(std::move(entry));
  }
  return out;
}

std::string waiting_text(const WaitingDeletion& waiting) {
  std::string out;
  for (const AwaitedSession& session : waiting.awaited) {
    out += fmt::format("{} {} for a push or copy of {}{}, session {}", format_size(waiting.bytes),
                       waiting.bytes == 1 ? "waits" : "wait",
                       session.stream.empty() ? "an unknown stream" : "stream " + session.stream,
                       session.host.empty() ? "" : " on " + session.host, session.session.hex());
    if (session.until_ns != 0)
      out += fmt::format("; if it gives no sign of life, it is ended after {}", format_time_local(session.until_ns));
    out += '\n';
  }
  if (!waiting.awaited.empty()) return out;
  if (waiting.until_ns != 0)
    return fmt::format("{} wait for the grace time, until {}\n", format_size(waiting.bytes),
                       format_time_local(waiting.until_ns));
  return fmt::format("{} wait for the next prune\n", format_size(waiting.bytes));
}

std::string condemned_text(const PruneReport& report, PruneMode mode) {
  const bool dry_run = mode == PruneMode::kDryRun;
  const std::uint64_t packs = report.chosen.dead.size() + report.chosen.to_move.size();
  if (packs == 0 && report.condemned.index_objects == 0) return "nothing new to delete\n";
  if (report.condemned_recently)
    return fmt::format(
        "{} could be condemned, {}; an earlier prune did that within the grace time, so a later one "
        "will\n",
        counted(packs, "pack"), format_size(report.chosen.dead_bytes));
  std::string out;
  if (report.no_room_to_move)
    out +=
        "there is no room to move live data: only packs without any are condemned. Prune again when these are gone\n";
  if (report.chosen.move_bytes > 0)
    out += fmt::format("{} {} of live data out of {}\n", dry_run ? "would move" : "moved",
                       format_size(dry_run ? report.chosen.move_bytes : report.moved.sealed_bytes),
                       counted(report.chosen.to_move.size(), "pack"));
  out += fmt::format(
      "{} {} and {}, {}\n", dry_run ? "would condemn" : "condemned",
      counted(dry_run ? packs : report.condemned.packs, "pack"),
      counted(report.condemned.index_objects, "index object"),
      format_size(dry_run ? report.chosen.dead_bytes + report.chosen.move_bytes : report.condemned.packs_bytes));
  return out;
}

}  // namespace

nlohmann::ordered_json space_json(const PruneReport& report) {
  const WaitingBytes waiting = waiting_bytes(report);
  nlohmann::ordered_json out;
  out["packs"] = report.space.packs;
  out["packs_bytes"] = report.space.packs_bytes;
  out["live_bytes"] = report.space.live_bytes;
  out["dead_bytes"] = report.space.dead_bytes;
  out["young_dead_bytes"] = report.chosen.young_bytes;
  out["billed_dead_bytes"] = report.chosen.billed_bytes;
  out["reclaimable_bytes"] = report.chosen.dead_bytes;
  out["condemned_bytes"] = report.space.condemned_bytes;
  out["waiting_grace_bytes"] = waiting.for_grace;
  out["waiting_session_bytes"] = waiting.for_sessions;
  out["ripe_bytes"] = report.ripe_bytes;
  out["packs_unreadable"] = report.space.unknown_packs;
  out["undo_snapshots"] = report.undo_snapshots;
  return out;
}

std::string space_text(const PruneReport& report) {
  const WaitingBytes waiting = waiting_bytes(report);
  const SpaceTotals& space = report.space;
  std::string out =
      fmt::format("live         {} of {} in packs\n", format_size(space.live_bytes), format_size(space.packs_bytes));
  out += fmt::format("dead         {}, of which a prune would condemn {}; {} are too young\n",
                     format_size(space.dead_bytes), format_size(report.chosen.dead_bytes),
                     format_size(report.chosen.young_bytes));
  if (report.chosen.billed_bytes > 0)
    out += fmt::format(
        "billed       {} of the dead, for the least time of their storage class: they are left until then\n",
        format_size(report.chosen.billed_bytes));
  if (space.condemned_bytes > 0)
    out += fmt::format("condemned    {}: {} wait for the grace time, {} for a session, {} can go now\n",
                       format_size(space.condemned_bytes), format_size(waiting.for_grace),
                       format_size(waiting.for_sessions), format_size(report.ripe_bytes));
  if (space.unknown_packs > 0)
    out += fmt::format("unknown      {} whose tables cannot be read\n", counted(space.unknown_packs, "pack"));
  if (report.undo_snapshots > 0)
    out += fmt::format("removed      {}, which can still be taken back\n", counted(report.undo_snapshots, "snapshot"));
  return out;
}

nlohmann::ordered_json prune_json(const PruneReport& report, PruneMode mode) {
  nlohmann::ordered_json out;
  out["dry_run"] = mode == PruneMode::kDryRun;
  out["space"] = space_json(report);
  nlohmann::ordered_json& deleted = out["deleted"];
  deleted["packs"] = report.deleted.packs;
  deleted["packs_bytes"] = report.deleted.packs_bytes;
  deleted["index_objects"] = report.deleted.index_objects;
  deleted["index_bytes"] = report.deleted.index_bytes;
  deleted["manifests"] = report.housekeeping.manifests;
  deleted["session_objects"] = report.session_objects;
  deleted["damage_marks"] = report.housekeeping.damage_marks;
  deleted["locked_objects"] = report.deleted.locked;
  deleted["locked_bytes"] = report.deleted.locked_bytes;
  nlohmann::ordered_json& condemned = out["condemned"];
  condemned["packs"] = report.condemned.packs;
  condemned["packs_bytes"] = report.condemned.packs_bytes;
  condemned["index_objects"] = report.condemned.index_objects;
  condemned["recently"] = report.condemned_recently;
  condemned["no_room"] = report.no_room_to_move;
  nlohmann::ordered_json& moved = out["moved"];
  moved["blocks"] = report.moved.blocks;
  moved["sealed_bytes"] = report.moved.sealed_bytes;
  moved["packs"] = report.moved.packs;
  out["marks_retired"] = report.housekeeping.marks_retired;
  out["fences_retired"] = report.housekeeping.fences_retired;
  out["sweep_records_joined"] = report.housekeeping.sweep_records;
  out["fenced_manifests"] = report.fenced;
  out["waiting"] = nlohmann::ordered_json::array();
  for (const WaitingDeletion& waiting : report.waiting) out["waiting"].push_back(waiting_json(waiting));
  out["problems"] = report.problems;
  return out;
}

std::string prune_text(const PruneReport& report, PruneMode mode) {
  const bool dry_run = mode == PruneMode::kDryRun;
  std::string out = space_text(report);
  if (dry_run && report.ripe_objects > 0)
    out += fmt::format("would delete {}, {}, unless a snapshot needs them\n", counted(report.ripe_objects, "object"),
                       format_size(report.ripe_bytes));
  if (!dry_run)
    out += fmt::format("deleted {} and {}, {} freed\n", counted(report.deleted.packs, "pack"),
                       counted(report.deleted.index_objects, "index object"),
                       format_size(report.deleted.packs_bytes + report.deleted.index_bytes));
  if (report.deleted.locked > 0)
    out += fmt::format("{}, {}, stay: the store locks them, or these credentials may not delete\n",
                       counted(report.deleted.locked, "object"), format_size(report.deleted.locked_bytes));
  out += condemned_text(report, mode);
  for (const std::string& manifest : report.fenced)
    out += fmt::format("ended a silent push or copy by a fence: {}\n", manifest);
  for (const WaitingDeletion& waiting : report.waiting) out += waiting_text(waiting);
  return out;
}

}  // namespace drs
