#include "verify/verify.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <unordered_set>
#include <utility>

#include "engine/format/names.h"
#include "engine/repository/listed_again.h"
#include "engine/repository/pack_catalog.h"
#include "engine/repository/parallel.h"
#include "io/base/error_class.h"
#include "verify/check_context.h"
#include "verify/check_memory.h"
#include "verify/document_check.h"
#include "verify/finding_list.h"
#include "verify/index_check.h"
#include "verify/pack_check.h"
#include "verify/snapshot_check.h"
#include "verify/too_new.h"

namespace drs {
namespace {

using Stores = WorkerStores;

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
  const auto read =
      for_each_parallel(stores.size(), packs.size(), [&](std::size_t worker, std::size_t pack) -> Result<void> {
        const auto outcome = checks[worker].check(packs[pack]);
        return outcome.ok() ? Result<void>() : Result<void>(outcome.error());
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

// A pack that a record under condemned/ names is never used again, and a prune deletes it. Its damage matters only to
// snapshots that need it: the check of the recipes has found which, since it prefers the copies in other packs.
void excuse_condemned(CheckContext& context, const std::unordered_set<Digest, FixedBytesHash>& condemned) {
  const auto is_spare = [&](const std::string& object) {
    const auto parsed = parse_name(object);
    return parsed && parsed->kind == ObjectKind::kPack && condemned.contains(parsed->digest);
  };
  context.findings.excuse(is_spare, "no snapshot needs what is damaged in it; it is condemned, and a prune deletes it");
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
    DRS_ASSIGN_OR_RETURN(const RecipesChecked checked,
                         check_recipes(context, catalog, std::move(packs), memory, claims, report));
    excuse_condemned(context, documents.condemned());
    const auto damaged = findings.damaged_snapshots();
    report_damaged_snapshots(catalog, damaged, report);
    report_hit_streams(catalog, damaged, all_read && !checked.lists_changed ? BlocksRead::kEvery : BlocksRead::kSome,
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
