#include "verify/snapshot_check.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <utility>

#include "engine/format/names.h"
#include "engine/repository/block_reader.h"
#include "engine/repository/listed_again.h"
#include "engine/repository/live_index.h"
#include "engine/repository/parallel.h"
#include "io/base/error_class.h"
#include "verify/index_check.h"
#include "verify/rebuild.h"
#include "verify/recipe_check.h"
#include "verify/tableless_packs.h"
#include "verify/too_new.h"
#include "verify/topic_check.h"

namespace drs {
namespace {

// Reports the packs that the check of the recipes did not find, but that are still listed.
Result<void> report_absent_of_recipes(CheckContext& context) {
  if (context.absent.empty()) return {};
  std::vector<std::string> names;
  for (const Digest& pack : context.absent) names.push_back(pack_name(pack));
  DRS_ASSIGN_OR_RETURN(const auto listed, still_listed(context.repository.store(), names));
  for (const Digest& pack : context.absent)
    if (listed.contains(pack_name(pack))) report_absent(context, pack);
  return {};
}

// Reports the objects that BlockIndex could not read, unless they have findings.
Result<void> report_index_problems(CheckContext& context, const BlockIndex& index) {
  for (const BlockIndex::Problem& problem : index.problems()) {
    if (context.findings.has_about(problem.object)) continue;
    Error error = problem.error;
    DRS_RETURN_IF_ERROR(tell_from_damage(context.repository.store(), problem.object, error));
    if (is_absent(error)) continue;  // removed since
    const auto parsed = parse_name(problem.object);
    if (!parsed || parsed->kind != ObjectKind::kPack) {
      report_unreadable_index(context.findings, problem.object, error);
      continue;
    }
    context.findings.report(severity_of(error), problem.object, "its table cannot be read: " + error.message);
    if (is_lasting_damage(error)) context.marks.set(context.repository.store(), parsed->digest, error.message);
  }
  return {};
}

}  // namespace

void report_catalog(CheckContext& context, const SnapshotCatalog& catalog) {
  for (const BrokenManifest& broken : catalog.broken) {
    context.findings.report(severity_of(broken.error), broken.name, broken.error.message);
  }
  for (const MissingManifest& missing : catalog.missing)
    context.findings.report(Finding::Severity::kDeletion, missing.name, missing.problem());
}

void report_absent(CheckContext& context, const Digest& pack) {
  const std::string problem = listed_but_absent().message;
  context.damage.add_pack(pack, context.findings.report(Finding::Severity::kDamage, pack_name(pack), problem));
  context.marks.set(context.repository.store(), pack, problem);
}

Result<std::vector<ObjectInfo>> list_index_objects(CheckContext& context) {
  std::vector<ObjectInfo> objects;
  const auto listed = context.repository.store().list("index/", [&](const ObjectInfo& info) -> Result<void> {
    const auto parsed = parse_name(info.key);
    if (parsed && parsed->kind == ObjectKind::kIndex) objects.push_back(info);
    return {};
  });
  if (!listed.ok() && !is_damage(listed.error())) return listed.error();
  if (!listed.ok()) report_bad_folder(context.findings, "index/", listed.error());  // packs have tables of their own
  return objects;
}

Result<void> check_index(CheckContext& context, IndexCheck& check, std::vector<ObjectInfo> objects,
                         const WorkerStores& stores, const CheckBuffers& buffers) {
  std::unordered_set<std::string> seen;
  for (int attempt = 0; attempt < kListAttempts && !objects.empty(); ++attempt) {
    std::atomic<bool> replaced = false;
    DRS_RETURN_IF_ERROR(
        for_each_parallel(stores.size(), objects.size(), [&](std::size_t worker, std::size_t object) -> Result<void> {
          DRS_ASSIGN_OR_RETURN(const bool there, check.check(objects[object], *stores[worker], buffers.worker(worker)));
          if (!there) replaced = true;
          return {};
        }));
    if (!replaced) break;
    for (const ObjectInfo& info : objects) seen.insert(info.key);
    DRS_ASSIGN_OR_RETURN(objects, list_index_objects(context));
    std::erase_if(objects, [&](const ObjectInfo& info) { return seen.contains(info.key); });
  }
  check.report_uncovered();
  return {};
}

Result<RecipesChecked> check_recipes(CheckContext& context, const SnapshotCatalog& catalog, PackCatalog packs,
                                     const CheckMemory& memory, IndexClaims& claims, VerifyReport& report) {
  Repository& repository = context.repository;
  DRS_ASSIGN_OR_RETURN(const auto index,
                       LiveIndex::open(repository, repository.store(), {memory.index_cache_bytes}, std::move(packs)));
  DRS_RETURN_IF_ERROR(report_index_problems(context, index->index()));
  DRS_ASSIGN_OR_RETURN(BlockReader reader, BlockReader::make(repository, repository.store()));
  DRS_ASSIGN_OR_RETURN(const TablelessCounts tableless, check_tableless_packs(context, index->index(), reader));
  report.blocks_decoded += tableless.blocks;
  report.decoded_bytes += tableless.decoded_bytes;
  // Before the recipes: every snapshot may need the blocks that are found damaged here.
  Rebuild rebuild(context, *index, reader, claims, memory.rebuild_blocks);
  for (const Snapshot* snapshot : context.options.rebuild) DRS_RETURN_IF_ERROR(rebuild.run(*snapshot));
  report.snapshots_rebuilt += rebuild.whole_ids().size();
  report.rebuilt_bytes += rebuild.bytes();

  RecipeCheck recipes(context, *index, reader, claims, rebuild.whole_ids());
  std::size_t whole_packs = context.damage.whole_packs();
  for (const Snapshot& snapshot : catalog.live) DRS_RETURN_IF_ERROR(recipes.check(snapshot));
  report.snapshots = catalog.live.size();
  report.recipe_parts = recipes.parts();
  report.blocks_referenced = recipes.blocks();
  // A pack was missing when a recipe part in it was read: other snapshots may need its other blocks.
  while (std::exchange(whole_packs, context.damage.whole_packs()) != context.damage.whole_packs()) {
    const auto damaged = context.findings.damaged_snapshots();
    for (const Snapshot& snapshot : catalog.live)
      if (!damaged.contains(snapshot.id())) DRS_RETURN_IF_ERROR(recipes.check(snapshot));
  }
  DRS_RETURN_IF_ERROR(report_absent_of_recipes(context));
  TopicCheck topics(context, *index);
  const auto damaged = context.findings.damaged_snapshots();
  for (const Snapshot& snapshot : catalog.live)
    if (snapshot.manifest.content == ManifestContent::kTopics && !damaged.contains(snapshot.id()))
      DRS_RETURN_IF_ERROR(topics.check(snapshot));
  report.records_checked += topics.records();
  return RecipesChecked{index->was_changed(), rebuild.whole_ids()};
}

void report_damaged_snapshots(const SnapshotCatalog& catalog, const DamagedSnapshots& damaged, VerifyReport& report) {
  for (const Snapshot& snapshot : catalog.live)
    if (const auto found = damaged.find(snapshot.id()); found != damaged.end())
      report.damaged_snapshots.push_back(found->second);
}

void report_hit_streams(const SnapshotCatalog& catalog, const DamagedSnapshots& damaged, BlocksRead read,
                        const std::unordered_set<std::string>& rebuilt_ids, VerifyReport& report) {
  std::map<std::string, HitStream> hit;
  for (const DamagedSnapshot& snapshot : report.damaged_snapshots) {
    hit[snapshot.stream].stream = snapshot.stream;
    hit[snapshot.stream].too_new = hit[snapshot.stream].too_new || snapshot.too_new;
  }
  for (const BrokenManifest& broken : catalog.broken)
    if (!broken.stream.empty() && severity_of(broken.error) == Finding::Severity::kDamage)
      hit[broken.stream].stream = broken.stream;
  for (const BrokenManifest& broken : catalog.broken)
    if (const auto stream = hit.find(broken.stream); stream != hit.end())
      stream->second.too_new = stream->second.too_new || severity_of(broken.error) == Finding::Severity::kTooNew;
  for (const Snapshot& snapshot : catalog.live) {  // oldest first: the newest one overwrites the others
    const auto found = hit.find(snapshot.manifest.stream);
    if (found == hit.end()) continue;
    HitStream& stream = found->second;
    ++stream.readable;
    if (damaged.contains(snapshot.id())) continue;
    const LeftSnapshot left{snapshot.id(), snapshot.manifest.snapshot_ns, snapshot.manifest.sequence};
    if (read == BlocksRead::kEvery || rebuilt_ids.contains(snapshot.id())) {
      stream.intact = left;
      stream.unchecked = {};
    } else {
      stream.unchecked = left;
    }
  }
  for (auto& [name, stream] : hit) report.hit_streams.push_back(std::move(stream));
}

}  // namespace drs
