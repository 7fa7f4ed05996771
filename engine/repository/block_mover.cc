#include "engine/repository/block_mover.h"

#include <algorithm>
#include <utility>

#include "codecs/sha256.h"
#include "codecs/xxh3.h"
#include "engine/format/names.h"
#include "engine/repository/read_again.h"
#include "sinks/object_io.h"
#include "sinks/settled_put.h"

namespace drs {

Result<BlockMover> BlockMover::make(Repository& repository, ObjectStore& store, Options options) {
  DRS_ASSIGN_OR_RETURN(Decompressor decompressor, Decompressor::make());
  return BlockMover(repository, store, options, std::move(decompressor));
}

BlockMover::BlockMover(Repository& repository, ObjectStore& store, Options options, Decompressor decompressor)
    : repository_(&repository),
      store_(&store),
      from_(options.from != nullptr ? options.from : &store),
      options_(options),
      decompressor_(std::move(decompressor)),
      hasher_(repository.keys().chunk_id(), repository.crypto()),
      index_(repository, store) {}

Result<void> BlockMover::read_ahead(std::span<const SealedRange> blocks) {
  ahead_.clear();
  std::size_t bytes = 0;
  for (const SealedRange& block : blocks) {
    bytes += block.bytes;
    if (bytes > kReadAheadBytesMax) break;
    ahead_.try_emplace(block, block.bytes);
  }
  std::vector<RangeRead> reads;
  for (auto& [block, sealed] : ahead_) reads.push_back({pack_name(block.pack), block.offset_bytes, sealed, {}});
  DRS_RETURN_IF_ERROR(get_ranges(*from_, reads));
  auto read = reads.begin();
  std::erase_if(ahead_, [&](const auto&) { return !(read++)->result.ok(); });
  return {};
}

// Reads the block into encoded_ and plain_, checked.
Result<void> BlockMover::open(const StoredBlock& from) {
  const BlockRecord& record = from.block.record;
  auto read = read_again_if_damaged([&]() -> Result<void> {
    sealed_.resize(record.sealed_bytes);
    encoded_.resize(record.sealed_bytes - kSealBytes);
    plain_.resize(record.raw_bytes);
    if (auto ahead = ahead_.extract({from.pack, record.offset_bytes, record.sealed_bytes}); !ahead.empty())
      sealed_ = std::move(ahead.mapped());
    else
      DRS_RETURN_IF_ERROR(
          get_range(from.store != nullptr ? *from.store : *from_, pack_name(from.pack), record.offset_bytes, sealed_));
    DRS_RETURN_IF_ERROR(from.table.opener.open(record.label(), sealed_, encoded_));
    if (record.codec == Codec::kRaw)
      plain_ = encoded_;
    else
      DRS_RETURN_IF_ERROR(decompressor_.decompress(record.codec, encoded_, plain_));
    return check_plain(from.block);
  });
  if (read.ok()) return {};
  return std::move(read).error().with_context("block " + to_string(record.id) + " in " + pack_name(from.pack) +
                                              " at offset " + std::to_string(record.offset_bytes));
}

Result<void> BlockMover::check_plain(const TableBlock& block) {
  if (plain_.size() != block.record.raw_bytes || xxh3_128(plain_) != block.record.xxh3)
    return Error(ErrorCode::kCorrupt, "its bytes differ from its XXH3");
  return check_chunks(block);
}

Result<void> BlockMover::check_chunks(const TableBlock& block) {
  messages_.clear();
  std::size_t offset = 0;
  for (const ChunkEntry& chunk : block.chunks) {
    messages_.push_back(ByteView(plain_).subspan(offset, chunk.bytes));  // the table's decoder has checked their sum
    offset += chunk.bytes;
  }
  ids_.resize(messages_.size());
  hasher_.hash(messages_, ids_);
  for (std::size_t i = 0; i < ids_.size(); ++i)
    if (ids_[i] != block.chunks[i].id)
      return Error(ErrorCode::kCorrupt, "chunk " + std::to_string(i) + " has id " + ids_[i].hex() +
                                            ", its table says " + block.chunks[i].id.hex());
  return {};
}

Result<void> BlockMover::check(const StoredBlock& from) {
  return open(from);
}

Result<void> BlockMover::move(const StoredBlock& from) {
  if (moved_.contains(from.block.record.id)) return {};
  DRS_RETURN_IF_ERROR(open(from));
  return place(from.block);
}

Result<void> BlockMover::add_rebuilt(const TableBlock& block, ByteView plain) {
  if (moved_.contains(block.record.id)) return {};
  DRS_RETURN_IF_ERROR(check_rebuilt(block, plain));
  TableBlock rebuilt = block;
  const auto encoded = encode(rebuilt.record);
  if (!encoded.ok()) return encoded.error().with_context("block " + to_string(block.record.id));
  return place(rebuilt);
}

Result<void> BlockMover::check_rebuilt(const TableBlock& block, ByteView plain) {
  plain_.assign(plain.begin(), plain.end());
  const auto checked = check_plain(block);
  return checked.ok() ? checked : checked.error().with_context("block " + to_string(block.record.id));
}

// Compresses plain_ into encoded_, and decodes it back.
Result<void> BlockMover::encode(BlockRecord& record) {
  if (!compressor_) {
    DRS_ASSIGN_OR_RETURN(Compressor compressor, Compressor::make({}, kBlockBytesMax));
    compressor_.emplace(std::move(compressor));
  }
  encoded_.resize(plain_.size());
  DRS_ASSIGN_OR_RETURN(const Compressor::Output output, compressor_->compress(plain_, encoded_));
  record.codec = output.codec;
  if (output.codec == Codec::kRaw) {
    encoded_ = plain_;
  } else {
    encoded_.resize(output.bytes);
    Bytes decoded(plain_.size());
    const auto back = decompressor_.decompress(record.codec, encoded_, decoded);
    if (!back.ok() || decoded != plain_)
      return Error(ErrorCode::kInternal,
                   "it did not decode back to what was compressed: this machine's memory or processor is faulty, or "
                   "drstream has a bug");
  }
  record.sealed_bytes = static_cast<std::uint32_t>(encoded_.size() + kSealBytes);
  return {};
}

// Puts encoded_ into a pack, the open one if it has room.
Result<void> BlockMover::place(const TableBlock& block) {
  const PackTableCounts after{counts_.sessions + 1, counts_.blocks + 1, counts_.chunks + block.chunks.size()};
  const std::size_t bytes = pack_.size() + block.record.sealed_bytes + pack_tail_bytes(after);
  if (sealer_ && (bytes > options_.pack_bytes_target || after.blocks > kPackBlocksMax))
    DRS_RETURN_IF_ERROR(close_pack());
  return append(block);
}

// Appends encoded_ to the open pack.
Result<void> BlockMover::append(const TableBlock& block) {
  if (!sealer_) {
    sealer_ = std::make_unique<ObjectSealer>(repository_->keys(), ObjectKind::kPack, "", repository_->crypto());
    opener_.emplace(ObjectOpener::for_salt(repository_->keys(), ObjectKind::kPack, sealer_->envelope().salt,
                                           repository_->crypto()));
    encode_envelope(sealer_->envelope(), pack_);
  }
  TableBlock moved = block;
  moved.record.offset_bytes = static_cast<std::uint32_t>(pack_.size());
  moved.record.ordinal = sealer_->next_ordinal();
  sealer_->append(moved.record.label(), encoded_, pack_);
  const ByteView sealed = ByteView(pack_).subspan(moved.record.offset_bytes);
  DRS_ASSERT(sealed.size() == moved.record.sealed_bytes, "a moved block has its old length");
  // What `plain_` was decoded from, so it decodes to the same bytes.
  const auto opened = opener_->open(moved.record.label(), sealed);
  if (!opened.ok() || *opened != encoded_)
    return Error(ErrorCode::kInternal, "block " + to_string(block.record.id) +
                                           " did not open to what was sealed: this machine's memory or processor is "
                                           "faulty, or drstream has a bug");
  ++totals_.blocks;
  totals_.sealed_bytes += sealed.size();
  // In the worst case every block has its own session.
  counts_ = {counts_.sessions + 1, counts_.blocks + 1, counts_.chunks + block.chunks.size()};
  moved_.insert(moved.record.id);
  table_.push_back(std::move(moved));
  return {};
}

Result<void> BlockMover::close_pack() {
  const Bytes tail = encode_pack_tail(*sealer_, table_);
  pack_.insert(pack_.end(), tail.begin(), tail.end());
  const Digest name = sha256(pack_);
  DRS_RETURN_IF_ERROR(put_settled(*store_, pack_name(name), pack_, name));
  ++totals_.packs;
  const IndexedPack stored{name, pack_.size(), sealer_->envelope().salt};
  DRS_RETURN_IF_ERROR(index_.add({stored, std::move(table_)}));
  stored_.push_back(stored);
  sealer_.reset();
  opener_.reset();
  pack_.clear();
  table_.clear();
  counts_ = {};
  return {};
}

Result<std::vector<IndexedPack>> BlockMover::flush() {
  if (sealer_) DRS_RETURN_IF_ERROR(close_pack());
  DRS_RETURN_IF_ERROR(index_.flush());
  moved_.clear();
  return std::exchange(stored_, {});
}

}  // namespace drs
