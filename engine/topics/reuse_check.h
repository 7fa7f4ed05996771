// Which extents of an earlier archive a new one may name again: those whose blocks all lie in packs that exist and that
// no prune has condemned. Threads: one thread at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/repository/block_index.h"
#include "engine/repository/lost_ranges.h"
#include "engine/repository/pack_catalog.h"
#include "engine/topics/topic_view.h"
#include "sinks/object_store.h"

namespace drs {

class ReuseCheck {
 public:
  // All outlive the check.
  ReuseCheck(TopicView& view, BlockIndex& index, const PackCatalog& packs);

  // Whether a block that the extent needs is lost or may be deleted. Reads nothing as long as every pack of the
  // extent's session is good. Errors: the store's.
  Result<bool> is_lost(const CatalogueExtent& extent);
  // Whether any part of a stream of the last archive is, also one that no extent needs: then every snapshot that names
  // the stream is damaged.
  Result<bool> has_damage(std::uint32_t stream);
  // The packs and index objects of the sessions of these streams of the last archive, to be secured before the commit.
  [[nodiscard]] std::vector<ObjectKey> objects_of(const std::vector<std::uint32_t>& streams) const;

 private:
  struct StreamState {
    bool checked = false;
    std::vector<StreamSpan> lost;
  };
  Result<void> check(std::uint32_t stream);

  TopicView& view_;
  BlockIndex& index_;
  const PackCatalog& packs_;
  std::vector<StreamState> streams_;  // by number in the manifest
};

}  // namespace drs
