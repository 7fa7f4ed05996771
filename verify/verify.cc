#include "verify/verify.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "engine/format/names.h"
#include "engine/repository/block_reader.h"
#include "engine/repository/listed_again.h"
#include "engine/repository/live_index.h"
#include "engine/repository/pack_catalog.h"
#include "engine/repository/parallel.h"
#include "io/base/error_class.h"
#include "verify/check_context.h"
#include "verify/check_memory.h"
#include "verify/document_check.h"
#include "verify/finding_list.h"
#include "verify/index_check.h"
#include "verify/pack_check.h"
#include "verify/rebuild.h"
#include "verify/recipe_check.h"
#include "verify/tableless_packs.h"
#include "verify/too_new.h"
#include "verify/topic_check.h"

namespace drs {
namespace {

using Stores = std::vector<std::unique_ptr<ObjectStore>>;

void report_catalog(CheckContext& context, const SnapshotCatalog& catalog) {
  for (const BrokenManifest& broken : catalog.broken) {
    context.findings.report(severity_of(broken.error), broken.name, broken.error.message);
  }
  for (const MissingManifest& missing : catalog.missing)
    context.findings.report(Finding::Severity::kDeletion, missing.name, missing.problem());
}

// A manifest has the digest of the config under which it was written. If that config is missing, it was deleted or
// rolled back.
void report_missing_configs(CheckContext& context, const SnapshotCatalog& catalog, const DocumentCheck& documents) {
  if (!context.findings.has_about("config/")) {
    for (const Snapshot& snapshot : catalog.live) {
      if (documents.config_digests().contains(snapshot.manifest.config_digest)) continue;
      context.findings.report(Finding::Severity::kDeletion, "config/",
                              "no config object has the SHA-256 " + snapshot.manifest.config_digest.hex() +
                                  ", under which " + snapshot.name + " was written");
    }
  }
  if (context.findings.has_about("config/") || context.findings.has_about("keys/")) return;
  for (const std::string& warning : context.repository.warnings()) {
    context.findings.report(Finding::Severity::kWarning, "keys/ and config/",
                            "skipped when the repository was opened: " + warning);
  }
}

Result<void> check_documents(CheckContext& context, DocumentCheck& documents, const Stores& stores) {
  DRS_RETURN_IF_ERROR(documents.list(context.repository.store()));
  const auto check = [&](std::size_t worker, std::size_t object) { return documents.check(object, *stores[worker]); };
  DRS_RETURN_IF_ERROR(for_each_parallel(stores.size(), documents.count(), check));
  return documents.check_absent(context.repository.store());
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

// With `read_data` all packs, otherwise the marked ones: a mark shows where to look, but proves nothing.
std::vector<PackInfo> packs_to_read(const CheckContext& context, const PackCatalog& packs) {
  if (context.options.read_data) return packs.packs();
  std::vector<PackInfo> marked;
  for (const PackInfo& pack : packs.packs())
    if (pack.marked) marked.push_back(pack);
  return marked;
}

// Returns the packs that the store did not find.
Result<std::vector<Digest>> read_packs(CheckContext& context, const std::vector<PackInfo>& packs, const Stores& stores,
                                       const CheckBuffers& buffers, VerifyReport& report) {
  std::vector<PackCheck> checks;
  checks.reserve(stores.size());
  for (std::size_t worker = 0; worker < stores.size(); ++worker) {
    DRS_ASSIGN_OR_RETURN(PackCheck check, PackCheck::make(context, *stores[worker], buffers.worker(worker)));
    checks.push_back(std::move(check));
  }
  const auto read = for_each_parallel(stores.size(), packs.size(), [&](std::size_t worker, std::size_t pack) {
    return checks[worker].check(packs[pack]);
  });
  std::vector<Digest> gone;
  for (const PackCheck& check : checks) {
    gone.insert(gone.end(), check.gone().begin(), check.gone().end());
    context.tableless.insert(context.tableless.end(), check.tableless().begin(), check.tableless().end());
    const PackCheck::Counts& counts = check.counts();
    report.packs_read += counts.packs;
    report.bytes_read += counts.bytes;
    report.blocks_decoded += counts.blocks;
    report.chunks_checked += counts.chunks;
    report.decoded_bytes += counts.decoded_bytes;
  }
  if (!read.ok()) return read.error();
  return gone;
}

// For a pack that a second list names although the store did not find it: it exists, but cannot be read.
void report_absent(CheckContext& context, const Digest& pack) {
  const std::string problem = listed_but_absent().message;
  context.damage.add_pack(pack, context.findings.report(Finding::Severity::kDamage, pack_name(pack), problem));
  context.marks.set(context.repository.store(), pack, problem);
}

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

// Results of the check of the recipes that decide which snapshots are intact.
struct Checked {
  bool lists_changed = false;
  std::unordered_set<std::string> rebuilt_ids;
};

Result<Checked> check_recipes(CheckContext& context, const SnapshotCatalog& catalog, PackCatalog packs,
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
  report.snapshots_rebuilt = rebuild.whole_ids().size();
  report.rebuilt_bytes = rebuild.bytes();

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
  report.records_checked = topics.records();
  return Checked{index->was_changed(), rebuild.whole_ids()};
}

// Which blocks of the snapshots this run has read and decoded.
enum class Coverage : std::uint8_t { kSomeBlocks, kEveryBlock };
using DamagedSnapshots = std::unordered_map<std::string, DamagedSnapshot>;  // by snapshot id

// `catalog.live` is in the order of the report.
void report_damaged_snapshots(const SnapshotCatalog& catalog, const DamagedSnapshots& damaged, VerifyReport& report) {
  for (const Snapshot& snapshot : catalog.live)
    if (const auto found = damaged.find(snapshot.id()); found != damaged.end())
      report.damaged_snapshots.push_back(found->second);
}

// Reports what is left of the streams that have a damaged snapshot or manifest.
void report_hit_streams(const SnapshotCatalog& catalog, const DamagedSnapshots& damaged, Coverage coverage,
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
    if (coverage == Coverage::kEveryBlock || rebuilt_ids.contains(snapshot.id())) {
      stream.intact = left;
      stream.unchecked = {};
    } else {
      stream.unchecked = left;
    }
  }
  for (auto& [name, stream] : hit) report.hit_streams.push_back(std::move(stream));
}

// Checks the index objects. If one is missing, as when a repair replaces it, lists again and checks the new ones.
Result<void> check_index(CheckContext& context, IndexCheck& check, std::vector<ObjectInfo> objects,
                         const Stores& stores, const CheckBuffers& buffers) {
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

struct CheckWorkers {
  const Stores& stores;  // one for each worker
  const CheckMemory& memory;
};

// Checks index objects and packs on all workers. `index_check` has the same packs. Returns the packs that the store did
// not find.
Result<std::vector<Digest>> check_stored(CheckContext& context, const PackCatalog& packs, IndexCheck& index_check,
                                         std::vector<ObjectInfo> index_objects, const CheckWorkers& workers,
                                         VerifyReport& report) {
  DRS_ASSIGN_OR_RETURN(const CheckBuffers buffers, CheckBuffers::map(workers.memory));
  for (const auto& store : workers.stores) store->register_memory(buffers.whole());
  DRS_RETURN_IF_ERROR(check_index(context, index_check, std::move(index_objects), workers.stores, buffers));
  return read_packs(context, packs_to_read(context, packs), workers.stores, buffers, report);
}

// Packs without any snapshot: there is nothing to prove, which is not the same as no damage.
void report_no_snapshot(const CheckContext& context, const SnapshotCatalog& catalog, const VerifyReport& report) {
  if (report.packs == 0 || !catalog.live.empty() || !catalog.broken.empty() || !catalog.missing.empty()) return;
  context.findings.report(Finding::Severity::kWarning, "packs/",
                          std::to_string(report.packs) + " packs with " + std::to_string(report.packs_bytes) +
                              " bytes are stored, and no snapshot: a first push has failed or still runs, or manifests "
                              "were deleted; check with --expect-head on a machine that has pushed");
}

}  // namespace

Result<VerifyReport> verify(Repository& repository, const SnapshotCatalog& catalog, const VerifyOptions& options,
                            ProgressCounters& progress, CancelToken& cancel) {
  const auto started = repository.clock().steady();
  VerifyReport report;
  FindingList findings(progress);
  DamageMap damage;
  DamageMarks marks(findings, repository.clock(), "verify", options.read_only ? Marking::kReadOnly : Marking::kWritten);
  CheckContext context{repository, options, findings, damage, marks, progress, cancel};
  report_catalog(context, catalog);

  constexpr auto kPassOver = PackCatalog::UnreadableCondemned::kPassOver;
  DRS_ASSIGN_OR_RETURN(PackCatalog packs, PackCatalog::load(repository, kPassOver));
  for (const std::string& name : packs.occupied_folders())
    DRS_RETURN_IF_ERROR(check_occupied_folder(findings, repository.store(), name));
  marks.know(packs.marks());
  DRS_ASSIGN_OR_RETURN(std::vector<ObjectInfo> index_objects, list_index_objects(context));
  report.packs = packs.packs().size();
  report.packs_bytes = packs.total_bytes();
  report_no_snapshot(context, catalog, report);

  std::uint64_t largest_bytes = 0;
  std::uint64_t index_bytes = 0;
  for (const PackInfo& pack : packs.packs()) largest_bytes = std::max(largest_bytes, pack.bytes);
  for (const ObjectInfo& info : index_objects) {
    largest_bytes = std::max(largest_bytes, info.size_bytes);
    index_bytes += std::min<std::uint64_t>(info.size_bytes, kIndexBytesMax);
  }
  if (options.read_data) {
    std::uint64_t total_bytes = report.packs_bytes + index_bytes;
    for (const Snapshot* snapshot : options.rebuild) total_bytes += snapshot->manifest.bytes;
    progress.total_bytes.store(total_bytes, std::memory_order_relaxed);
  }
  DRS_ASSIGN_OR_RETURN(const CheckMemory memory,
                       plan_check(CheckKind::kVerify, {.memory_bytes = options.memory_bytes,
                                                       .threads = options.threads,
                                                       .listed_objects = packs.packs().size() + index_objects.size(),
                                                       .largest_bytes = largest_bytes,
                                                       .operation_bytes = repository.store().operation_bytes()}));

  {
    DRS_ASSIGN_OR_RETURN(const Stores stores, worker_stores(repository.store(), memory.workers));
    DocumentCheck documents(context);
    DRS_RETURN_IF_ERROR(check_documents(context, documents, stores));
    report_missing_configs(context, catalog, documents);
    IndexClaims claims(repository, findings);
    IndexCheck index_check(context, packs, documents.condemned(), claims);
    DRS_ASSIGN_OR_RETURN(const std::vector<Digest> gone,
                         check_stored(context, packs, index_check, std::move(index_objects), {stores, memory}, report));
    bool all_read = options.read_data;
    if (options.read_data || !gone.empty()) {
      // Load the catalog with the marks of this run: a block is then located in an unmarked pack if it has a copy
      // there.
      DRS_ASSIGN_OR_RETURN(PackCatalog again, PackCatalog::load(repository, kPassOver));
      all_read = all_read && again.lists_the_packs_of(packs);
      packs = std::move(again);
      for (const Digest& pack : gone)
        if (packs.find(pack) != nullptr) report_absent(context, pack);
    }
    DRS_ASSIGN_OR_RETURN(const Checked checked,
                         check_recipes(context, catalog, std::move(packs), memory, claims, report));
    const auto damaged = findings.damaged_snapshots();
    report_damaged_snapshots(catalog, damaged, report);
    report_hit_streams(catalog, damaged,
                       all_read && !checked.lists_changed ? Coverage::kEveryBlock : Coverage::kSomeBlocks,
                       checked.rebuilt_ids, report);
  }

  report.findings = findings.take();
  report.marked = marks.set_count();
  report.unmarked = marks.cleared_count();
  report.elapsed = repository.clock().steady() - started;
  return report;
}

Result<VerifyReport> verify_snapshots(Repository& repository, const SnapshotCatalog& catalog,
                                      const VerifyOptions& options, ProgressCounters& progress, CancelToken& cancel) {
  const auto started = repository.clock().steady();
  VerifyReport report;
  FindingList findings(progress);
  DamageMap damage;
  DamageMarks marks(findings, repository.clock(), "verify", Marking::kReadOnly);
  CheckContext context{repository, options, findings, damage, marks, progress, cancel};
  DRS_ASSIGN_OR_RETURN(PackCatalog packs, PackCatalog::load(repository, PackCatalog::UnreadableCondemned::kPassOver));
  report.packs = packs.packs().size();
  report.packs_bytes = packs.total_bytes();
  DRS_ASSIGN_OR_RETURN(const CheckMemory memory,
                       plan_check(CheckKind::kVerify, {.memory_bytes = options.memory_bytes,
                                                       .threads = options.threads,
                                                       .operation_bytes = repository.store().operation_bytes()}));
  IndexClaims claims(repository, findings);
  DRS_RETURN_IF_ERROR(check_recipes(context, catalog, std::move(packs), memory, claims, report));
  report_damaged_snapshots(catalog, findings.damaged_snapshots(), report);
  report.findings = findings.take();
  report.elapsed = repository.clock().steady() - started;
  return report;
}

}  // namespace drs
