#include "tools/commands/repair_packs_results.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "engine/format/names.h"
#include "tools/output/output.h"
#include "tools/output/printable.h"
#include "tools/output/quantity_text.h"
#include "tools/output/summary_text.h"
#include "tools/output/time_text.h"

namespace drs {
namespace {

using Fate = RepairedPack::Fate;

std::string_view fate_name(Fate fate) {
  switch (fate) {
    case Fate::kPutAgain: return "put-again";
    case Fate::kCondemned: return "condemned";
    case Fate::kCondemnedBefore: return "condemned-before";
    case Fate::kStays: break;
  }
  return "stays";
}

std::string fate_text(const RepairedPack& pack, bool dry_run) {
  switch (pack.fate) {
    case Fate::kPutAgain: return dry_run ? "would be put again" : "was put again";
    case Fate::kCondemned:
      if (pack.live_blocks == 0)
        return fmt::format("{} condemned: no live snapshot needs a block of it", dry_run ? "would be" : "was");
      return fmt::format("{} condemned: every live block of it ({}) has a good copy elsewhere",
                         dry_run ? "would be" : "was", pack.live_blocks);
    case Fate::kCondemnedBefore: return "was condemned before, and no snapshot needs it: a prune deletes it";
    case Fate::kStays: break;
  }
  return fmt::format("stays as it is: of its {}, {} no good copy", counted(pack.live_blocks, "live block"),
                     pack.lost_blocks == 1 ? "1 has" : fmt::format("{} have", pack.lost_blocks));
}

bool still_restores(const UnhealedSnapshot& snapshot) {
  return snapshot.lost.bytes == 0;
}

bool lost_a_recipe(const UnhealedSnapshot& snapshot) {
  return snapshot.lost.recipes > 0;
}

// A block is stored again only whole: no push brings back chunks that no snapshot needs.
bool lost_data(const UnhealedSnapshot& snapshot) {
  return !still_restores(snapshot) && snapshot.lost.recipes < snapshot.lost.blocks;
}

std::string unhealed_text(const UnhealedSnapshot& snapshot) {
  const SnapshotLoss& lost = snapshot.lost;
  const std::string which = fmt::format("{} {} of {}: {} no good copy", printable_value(snapshot.stream), snapshot.id,
                                        format_time_local(snapshot.snapshot_ns),
                                        lost.blocks == 1 ? "1 block has" : fmt::format("{} blocks have", lost.blocks));
  if (still_restores(snapshot))
    return fmt::format("snapshot with lost blocks that still restores: {}, but all that it needs of {} has one\n",
                       which, lost.blocks == 1 ? "it" : "them");
  const std::string where =
      snapshot.is_topics ? std::string() : fmt::format(", the first at byte {}", lost.first_offset_bytes);
  const std::string recipes =
      lost.recipes == 0
          ? std::string()
          : fmt::format("; {} of its recipe {} lost", counted(lost.recipes, "part"), lost.recipes == 1 ? "is" : "are");
  return fmt::format("damaged snapshot: {}; {} in {} {} lost{}{}\n", which, format_size(lost.bytes),
                     counted(lost.ranges, "range"), lost.bytes == 1 ? "is" : "are", where, recipes);
}

// What no push changes.
std::string give_up_step(const RepairPacksReport& report) {
  std::string out;
  if (std::ranges::any_of(report.snapshots, lost_a_recipe))
    out +=
        "next: no push brings back a lost part of a recipe: name a replica by --from-repository, or give up with "
        "`drstream forget ID`, after `drstream pull ID --allow-holes -o FILE` has saved the rest:\n";
  for (const UnhealedSnapshot& snapshot : report.snapshots)
    if (lost_a_recipe(snapshot)) out += fmt::format("  {} of {}\n", snapshot.id, printable_value(snapshot.stream));
  if (std::ranges::any_of(report.snapshots, still_restores))
    out +=
        "next: snapshots that still restore need nothing now: `drstream pull ID`, of topics `drstream kafka restore`, "
        "and "
        "`drstream copy` into a repository with keys of its own have all of them. "
        "Their lost blocks cannot be stored again, since other chunks of these are lost; pushes store what they need "
        "of "
        "them in new blocks. The damage ends with a replica (--from-repository), or once these snapshots are forgotten "
        "and `drstream repair packs` runs again\n";
  return out;
}

std::string next_step(const RepairPacksReport& report, const RepairPacksMode& mode) {
  std::set<std::string> streams, archives;
  for (const UnhealedSnapshot& snapshot : report.snapshots)
    if (lost_data(snapshot)) (snapshot.is_topics ? archives : streams).insert(snapshot.stream);
  std::string out;
  for (const std::string& stream : streams)
    out += fmt::format("next: push {} again: what its data still has of the lost blocks is stored anew\n",
                       printable_value(stream));
  for (const std::string& archive : archives)
    out += fmt::format(
        "next: archive {} again (`drstream kafka archive`): what the brokers still have of the lost blocks is stored "
        "anew\n",
        printable_value(archive));
  if (!out.empty()) out += "next: then run `drstream repair packs` again";
  if (!out.empty() && !mode.with_other)
    out += "; or name a replica, or a repository with the same streams: --from-repository PLACE";
  if (!out.empty())
    out +=
        "\nnext: what no push brings back is lost: `drstream pull ID --allow-holes -o FILE` saves the rest of a "
        "damaged "
        "snapshot, `drstream forget ID` gives it up\n";
  out += give_up_step(report);
  if (!report.unreadable.empty())
    out +=
        "next: bring the manifests back with `drstream copy` from a replica, and run `drstream repair packs` again\n";
  return out;
}

}  // namespace

std::string repair_packs_text(const RepairPacksReport& report, const RepairPacksMode& mode) {
  std::string out;
  for (const RepairedPack& pack : report.packs)
    out += fmt::format("{}: {}\n  {}\n", pack_name(pack.name), printable_speech(pack.problem),
                       fate_text(pack, mode.dry_run));
  const HealedBlocks& healed = report.healed;
  if (healed.sum() > 0)
    out += fmt::format(
        "{} {}: {} out of damaged packs, {} from the replica, {} rebuilt from other copies of their chunks, {} from "
        "the same streams in the other repository\n",
        mode.dry_run ? "would store again" : "stored again", counted(healed.sum(), "block"), healed.moved,
        healed.copied, healed.rebuilt, healed.restored);
  if (report.packs_intact > 0)
    out += fmt::format("{} that a mark or a sweep calls damaged {} intact: every block decodes\n",
                       counted(report.packs_intact, "pack"), report.packs_intact == 1 ? "is" : "are");
  if (report.packs_gone > 0)
    out += fmt::format("{} marked as damaged {} gone, and no snapshot needs {}: the marks {}\n",
                       counted(report.packs_gone, "pack"), report.packs_gone == 1 ? "is" : "are",
                       report.packs_gone == 1 ? "it" : "them", mode.dry_run ? "would go" : "go");
  for (const UnhealedSnapshot& snapshot : report.snapshots) out += unhealed_text(snapshot);
  out += next_step(report, mode);
  if (report.packs.empty() && report.is_whole())
    out += fmt::format(
        "no {}pack is marked as damaged, and none is missing; packs without a mark were not read: `drstream sweep`, "
        "`drstream verify --read-data` and `drstream scrub` look for damage, and mark it for this command\n",
        report.packs_intact + report.packs_gone > 0 ? "other " : "");
  return out;
}

nlohmann::ordered_json repair_packs_json(const RepairPacksReport& report, const RepairPacksMode& mode) {
  nlohmann::ordered_json out;
  out["dry_run"] = mode.dry_run;
  out["damaged_packs"] = nlohmann::ordered_json::array();
  for (const RepairedPack& pack : report.packs) {
    nlohmann::ordered_json entry;
    entry["pack"] = pack_name(pack.name);
    entry["bytes"] = pack.bytes;
    entry["outcome"] = fate_name(pack.fate);
    entry["problem"] = pack.problem;
    entry["live_blocks"] = pack.live_blocks;
    entry["lost_blocks"] = pack.lost_blocks;
    out["damaged_packs"].push_back(std::move(entry));
  }
  out["packs_intact"] = report.packs_intact;
  out["packs_gone"] = report.packs_gone;
  out["blocks_moved"] = report.healed.moved;
  out["blocks_copied"] = report.healed.copied;
  out["blocks_rebuilt"] = report.healed.rebuilt;
  out["blocks_restored"] = report.healed.restored;
  out["packs_stored"] = report.packs_stored;
  out["stored_bytes"] = report.stored_bytes;
  out["marks_removed"] = report.marks_removed;
  out["damaged_snapshots"] = nlohmann::ordered_json::array();
  for (const UnhealedSnapshot& snapshot : report.snapshots) {
    nlohmann::ordered_json entry;
    entry["id"] = snapshot.id;
    entry["stream"] = snapshot.stream;
    entry["time"] = format_time_utc(snapshot.snapshot_ns);
    entry["lost_blocks"] = snapshot.lost.blocks;
    entry["lost_recipe_parts"] = snapshot.lost.recipes;
    entry["lost_bytes"] = snapshot.lost.bytes;
    entry["range_count"] = snapshot.lost.ranges;
    if (snapshot.lost.ranges > 0 && !snapshot.is_topics) entry["first_offset_bytes"] = snapshot.lost.first_offset_bytes;
    out["damaged_snapshots"].push_back(std::move(entry));
  }
  out["unreadable_manifests"] = report.unreadable;
  out["warnings"] = report.warnings;
  return out;
}

}  // namespace drs
