// Checks index objects against the packs that they describe: every named pack exists with its size. With `read_data` it
// also reads every section, and compares each record and chunk list with the pack's own table.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <unordered_set>
#include <vector>

#include "engine/repository/pack_catalog.h"
#include "verify/check_context.h"
#include "verify/check_memory.h"
#include "verify/index_claims.h"
#include "verify/index_object.h"

namespace drs {

// Any thread, each with a store and buffers of its own. Everything passed in must outlive it.
class IndexCheck {
 public:
  // `condemned`: packs that a prune may have deleted.
  IndexCheck(CheckContext& context, const PackCatalog& packs,
             const std::unordered_set<Digest, FixedBytesHash>& condemned, IndexClaims& claims)
      : context_(context), packs_(packs), condemned_(condemned), claims_(claims), covered_(packs.packs().size()) {}

  // Reads one index object and reports its problems as findings. Returns false if the object is missing: it was
  // replaced since it was listed. Errors: those that do not concern one object.
  Result<bool> check(const ObjectInfo& info, ObjectStore& store, const CheckBuffers::Worker& buffers);
  // After all checks: reports the packs that no index object names.
  void report_uncovered();

 private:
  // The SHA-256 of each chunk list's plaintext, by place in the directory.
  using ListDigests = std::vector<Digest>;

  Result<std::map<std::uint32_t, std::size_t>> find_lost_packs(const IndexObject& object, ObjectStore& store);
  Result<void> check_whole(const IndexObject& object, ObjectStore& store, const CheckBuffers::Worker& buffers);
  Result<ListDigests> sweep(const IndexObject& object, const std::vector<DirectoryEntry>& directory,
                            const std::vector<Hook>& hooks, ObjectStore& store, const CheckBuffers::Worker& buffers);
  Result<void> compare_with_packs(const IndexObject& object, const std::vector<DirectoryEntry>& directory,
                                  const ListDigests& lists, ObjectStore& store);
  void damaged(const std::string& name, const std::string& problem);

  CheckContext& context_;
  const PackCatalog& packs_;
  const std::unordered_set<Digest, FixedBytesHash>& condemned_;
  IndexClaims& claims_;
  std::mutex mutex_;
  std::vector<bool> covered_;  // by place in the catalog
};

// Reports that an index object is damaged or too new, with the consequence.
void report_unreadable_index(FindingList& findings, const std::string& name, const Error& error);

}  // namespace drs
