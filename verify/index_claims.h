// Why a block cannot be located: which index objects claim it, and in which missing pack. Asked only for blocks that
// are lost.
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

  // An index object whose summary was read, and the findings of those of its packs (by their place in the summary) that
  // are missing or of another size. Any thread.
  void add(const ObjectInfo& info, const IndexSummary& summary, std::map<std::uint32_t, std::size_t> lost_packs);

  // The finding that explains why `id` cannot be located: of its missing pack, or of the index object that cannot be
  // read. Empty: no index object claims the block. One thread, after all `add`s. Errors: the store's that are not about
  // one object.
  Result<std::optional<std::size_t>> explain(ObjectStore& store, const BlockId& id);

 private:
  using Directory = std::vector<DirectoryEntry>;
  struct Claimer {
    ObjectInfo info;
    std::map<std::uint32_t, std::size_t> lost_packs;
    bool replaced = false;                  // it has gone since: no damage, and what took its place is in the index
    std::optional<std::size_t> unreadable;  // its finding, once its directory could not be read
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
