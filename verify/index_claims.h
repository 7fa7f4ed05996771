// Explains why a block cannot be located: which index objects claim it, and in which missing pack. Used for lost blocks
// only.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/format/index.h"
#include "engine/repository/repository.h"
#include "verify/finding_list.h"

namespace drs {

class IndexClaims {
 public:
  IndexClaims(Repository& repository, FindingList& findings) : repository_(repository), findings_(findings) {}

  // Adds an index object whose summary was read. `lost_packs`: the findings about its packs that are missing or have
  // another size, by the pack's place in the summary. Any thread.
  void add(const ObjectInfo& info, const IndexSummary& summary, std::map<std::uint32_t, std::size_t> lost_packs);

  // Returns the finding that explains why `id` cannot be located: about its missing pack, or about an unreadable index
  // object. Returns nothing if no index object claims the block. One thread, after all calls of `add`. Errors: those of
  // the store that do not concern one object.
  Result<std::optional<std::size_t>> explain(ObjectStore& store, const BlockId& id);

 private:
  using Directory = std::vector<DirectoryEntry>;
  struct Claimer {
    ObjectInfo info;
    std::map<std::uint32_t, std::size_t> lost_packs;
    bool replaced = false;                  // it is missing now: no damage, the index has its replacement
    std::optional<std::size_t> unreadable;  // the finding, once its directory could not be read
  };
  struct Claim {
    std::uint64_t counter_min = 0;
    std::uint64_t counter_max = 0;
    std::size_t claimer = 0;
  };
  Result<const Directory*> directory(ObjectStore& store, std::size_t claimer);

  Repository& repository_;
  FindingList& findings_;
  std::mutex mutex_;
  std::vector<Claimer> claimers_;
  std::unordered_map<Uuid, std::vector<Claim>, FixedBytesHash> claims_;
  std::list<std::pair<std::size_t, Directory>> directories_;  // most recently used first
};

}  // namespace drs
