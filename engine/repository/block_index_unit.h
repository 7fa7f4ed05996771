// Types that the source files of BlockIndex (engine/repository/block_index.h) share.
#pragma once

#include <string>

#include "engine/repository/block_index.h"

namespace drs {

struct BlockIndex::Unit {
  std::string name;
  std::uint64_t bytes = 0;
  bool uncovered_pack = false;
  Salt salt;
  IndexSummary summary;
};

struct BlockIndex::CacheEntry {
  std::uint64_t key;
  Directory directory;
  ChunkList list;
  std::size_t bytes;
};

// Of the cache.
inline std::uint64_t directory_key(std::uint32_t unit) {
  return key_of({unit, 0});
}

inline std::size_t list_sealed_bytes(const BlockRecord& record) {
  return record.chunk_count * kChunkEntryBytes + kSealBytes;
}

}  // namespace drs
