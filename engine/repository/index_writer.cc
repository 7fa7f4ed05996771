#include "engine/repository/index_writer.h"

#include <utility>

#include "codecs/sha256.h"
#include "engine/format/names.h"
#include "sinks/settled_put.h"

namespace drs {

Result<void> IndexWriter::add(PackContents pack) {
  const std::size_t blocks = pack.blocks.size();
  std::size_t chunks = 0;
  for (const TableBlock& block : pack.blocks) chunks += block.chunks.size();
  // In the worst case every block has its own session.
  const std::size_t bytes = index_bytes_max({.packs = pending_.size() + 1,
                                             .sessions = blocks_ + blocks,
                                             .blocks = blocks_ + blocks,
                                             .chunks = chunks_ + chunks});
  if (!pending_.empty() && (blocks_ + blocks > kIndexBlocksMax || bytes > kObjectBytesMax))
    DRS_RETURN_IF_ERROR(flush());
  pending_.push_back(std::move(pack));
  blocks_ += blocks;
  chunks_ += chunks;
  return {};
}

Result<void> IndexWriter::flush() {
  if (pending_.empty()) return {};
  const Bytes object =
      encode_index(repository_->keys(), repository_->crypto(), pending_, repository_->clock().wall_ns());
  const Digest digest = sha256(object);
  const std::string name = index_name(digest);
  DRS_RETURN_IF_ERROR(put_settled(*store_, name, object, digest));
  written_.push_back(name);
  pending_.clear();
  blocks_ = 0;
  chunks_ = 0;
  return {};
}

}  // namespace drs
