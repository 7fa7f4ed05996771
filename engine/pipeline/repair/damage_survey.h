// Finds the packs of a repository that are damaged or missing, and the blocks of live snapshots that have no good copy.
//
// A damage mark proves nothing: every pack that is marked, or that the last sweep which read it found damaged, is read
// with all its blocks (pack_flaws.h). A pack is damaged if that finds a flaw, if it has another size than an index
// object states, or if a block in it that should be a good copy is not. What only verify, scrub or a sweep would find,
// in packs that no one suspects, is not looked for.
// Threads: one at a time. All calls block.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/format/recipe.h"
#include "engine/pipeline/repair/block_copies.h"
#include "engine/repository/block_mover.h"
#include "engine/repository/repository.h"
#include "engine/repository/snapshots.h"
#include "io/base/run_control.h"

namespace drs {

using DigestSet = std::unordered_set<Digest, FixedBytesHash>;

// What reading has shown of packs. It stays true for a run: objects never change.
struct ReadPacks {
  std::map<Digest, std::string> damaged;  // what is wrong
  DigestSet intact;                       // whole, and nothing found since says otherwise
  DigestSet under_marked;                 // damaged also where no mark of them says so
};

// A recipe part that needs a block, or is one.
struct PartUse {
  const Snapshot* snapshot = nullptr;  // of Survey::snapshots
  std::string label;                   // of its stream
  RecipePartRef part;
};

// A block of live snapshots without a copy in a pack that is good.
struct NeededBlock {
  static constexpr std::size_t kUsesMax = 16;
  BlockId id;
  BlockKind kind = BlockKind::kData;
  std::vector<PartUse> uses;              // the first ones
  std::set<const Snapshot*> snapshots;    // all that need it
  std::optional<BlockLocation> readable;  // it decodes in this damaged pack, so it is not lost
  [[nodiscard]] bool is_lost() const { return !readable; }
};

struct BadPack {
  Digest name;
  std::uint64_t bytes = 0;    // as listed, or as the index says
  bool is_there = false;      // else it is missing
  bool is_condemned = false;  // a record names it
  bool is_marked = false;
  std::string problem;
  std::vector<BlockId> live;  // blocks that the index lists in it and live snapshots need
};

struct Survey {
  SnapshotCatalog snapshots;
  std::unique_ptr<BlockCopies> copies;
  bool record_unreadable = false;  // a record of condemned packs: it may name any missing pack
  std::vector<std::string> warnings;
  std::vector<BadPack> packs;  // sorted by name; of missing ones those that no record names
  std::vector<NeededBlock> needed;
  std::unordered_map<BlockId, std::size_t, BlockIdHash> place_of;  // in `needed`
  std::vector<std::string> unreadable;                             // manifests: what they need is not known
  [[nodiscard]] const NeededBlock* find(const BlockId& id) const {
    const auto at = place_of.find(id);
    return at == place_of.end() ? nullptr : &needed[at->second];
  }
};

// Finds a recipe part outside the repository that cannot be read in it; may find none.
using FindRecipe = std::function<Result<std::optional<RecipePart>>(const RecipePartRef&)>;

// Lists again while listed objects vanish. Adds to `read`. The bytes that it reads to judge packs count as progress.
// Errors: kUnavailable (objects vanish each time they are listed), kCancelled, the store's.
Result<std::unique_ptr<Survey>> survey_damage(Repository& repository, ReadPacks& read, const FindRecipe& find_recipe,
                                              std::size_t index_cache_bytes, const RunControl& control);

}  // namespace drs
