#include "engine/pipeline/keeping/block_set.h"

namespace drs {

bool BlockSet::add(const BlockId& block) {
  std::unique_ptr<Page>& page = pages_[{block.session, block.counter / kPageBlocks}];
  if (!page) page = std::make_unique<Page>();
  const std::uint64_t bit = block.counter % kPageBlocks;
  std::uint64_t& word = (*page)[bit / 64];
  const std::uint64_t mask = std::uint64_t{1} << (bit % 64);
  if ((word & mask) != 0) return false;
  word |= mask;
  ++size_;
  return true;
}

bool BlockSet::contains(const BlockId& block) const {
  const auto page = pages_.find({block.session, block.counter / kPageBlocks});
  if (page == pages_.end()) return false;
  const std::uint64_t bit = block.counter % kPageBlocks;
  return ((*page->second)[bit / 64] >> (bit % 64) & 1) != 0;
}

}  // namespace drs
