// A repository of any size that is computed, not stored: packs by name, size and table, index objects byte for byte.
//
// Every block has 64 chunks of 16 KiB, every chunk id is a function of its number, and each section of an index object
// is made and sealed when somebody reads it. What the engine puts itself (config, slots, recipes) is held in memory.
// The shape of packs and index objects is the one that a push at that memory makes. Threads: one at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <unordered_set>
#include <vector>

#include "engine/format/index.h"
#include "engine/pipeline/push/push_stats.h"
#include "engine/repository/repository.h"
#include "engine/repository/snapshots.h"
#include "io/base/clock.h"
#include "sinks/memory_store.h"

namespace drs::bench {

inline constexpr std::size_t kBlockChunks = 64;
inline constexpr std::uint16_t kSyntheticChunkBytes = kBlockBytesMax / kBlockChunks;

struct RepositoryShape {
  std::uint64_t plain_bytes = 0;  // known chunks; rounded up to whole index objects
  std::size_t pack_bytes_target = 0;
  double compression = 3.6;  // plaintext of a block per byte stored
};

// What the engine asked of the store, and the CPU time that making the answers took.
struct StoreWork {
  std::uint64_t requests = 0;  // reads
  std::uint64_t bytes = 0;     // of them
  std::uint64_t lists = 0;     // of a thousand names each, as a bucket lists
  std::uint64_t puts = 0;
  std::uint64_t put_bytes = 0;
  std::uint64_t removes = 0;  // of a thousand names each
  std::chrono::nanoseconds spent{};
};

class SyntheticObjects {
 public:
  SyntheticObjects(const RepositoryShape& shape, const RepositoryKeys& keys, CryptoBackend crypto);
  ~SyntheticObjects();

  [[nodiscard]] std::uint64_t pack_count() const { return unit_count_ * packs_per_unit_; }
  [[nodiscard]] std::uint64_t unit_count() const { return unit_count_; }  // index objects
  [[nodiscard]] std::uint64_t block_count() const { return unit_count_ * blocks_per_unit(); }
  [[nodiscard]] std::uint64_t blocks_per_unit() const { return packs_per_unit_ * blocks_per_pack_; }
  [[nodiscard]] std::uint64_t pack_bytes() const { return pack_bytes_; }
  [[nodiscard]] std::uint64_t unit_bytes(std::uint64_t unit) const;

  [[nodiscard]] static Digest pack_digest(std::uint64_t pack);
  [[nodiscard]] static Digest unit_digest(std::uint64_t unit);
  [[nodiscard]] static ChunkId chunk_id(std::uint64_t block, std::size_t chunk);
  // As if every 64 index objects came from one push.
  [[nodiscard]] BlockId block_id(std::uint64_t block) const;
  // The contents of an index object, for comparing what is computed with what encode_index makes of them.
  [[nodiscard]] std::vector<PackContents> contents(std::uint64_t unit) const;
  [[nodiscard]] static Salt unit_salt(std::uint64_t unit);

  // Bytes of an index object; as many as there are.
  std::size_t read(std::uint64_t unit, std::uint64_t offset_bytes, MutableByteView out);
  // Bytes of a pack's envelope and of its table; between them are zeros, which no seal is.
  std::size_t read_pack(std::uint64_t pack, std::uint64_t offset_bytes, MutableByteView out) const;
  // What a prune has deleted is listed and read no more.
  std::unordered_set<Digest, FixedBytesHash> removed;

  StoreWork work;

 private:
  struct Sections;
  [[nodiscard]] BlockRecord record(std::uint64_t block) const;
  [[nodiscard]] std::vector<TableBlock> pack_table(std::uint64_t pack) const;
  [[nodiscard]] IndexSummary summary(std::uint64_t unit) const;
  Sections& sections(std::uint64_t unit);

  const RepositoryKeys& keys_;
  const CryptoBackend crypto_;
  std::uint64_t blocks_per_pack_ = 0;
  std::uint64_t packs_per_unit_ = 0;
  std::uint64_t unit_count_ = 0;
  std::uint64_t pack_bytes_ = 0;
  std::uint32_t sealed_bytes_ = 0;
  std::vector<std::uint32_t> hook_counts_;  // by unit: the size of an index object depends on it
  std::unique_ptr<Sections> sections_;      // of the unit read last
};

struct SyntheticRepository {
  SystemClock clock;
  std::shared_ptr<MemoryObjects> real = std::make_shared<MemoryObjects>();
  std::unique_ptr<Repository> keeper;  // of the keys
  std::shared_ptr<SyntheticObjects> objects;
  std::unique_ptr<Repository> repository;
};
Result<std::unique_ptr<SyntheticRepository>> make_synthetic_repository(const RepositoryShape& shape);

// A chunk of a simulated stream: known, by the number of its block, or new.
struct StreamChunk {
  static constexpr std::uint64_t kNew = UINT64_MAX;
  std::uint64_t block = kNew;
  std::uint32_t chunk = 0;
};
// Stores the recipe of a stream of known chunks, in a pack and an index object of its own. No manifest
// names it.
Result<ManifestStream> store_recipe(SyntheticRepository& repository, const std::vector<StreamChunk>& stream);
// Snapshots of all blocks but those of every `dead_every`th index object: each of a slice, with its recipe in a pack
// and an index object of its own, in 50 streams.
struct SnapshotsShape {
  std::uint64_t count = 0;
  std::uint64_t of_a_block = 1;  // so many of them need each block
  std::uint64_t dead_every = 0;
};
Result<void> store_snapshots(SyntheticRepository& repository, const SnapshotsShape& shape);

// CPU time of this thread outside the synthetic store.
class EngineTime {
 public:
  explicit EngineTime(const SyntheticObjects& objects) : objects_(objects), store_(objects.work.spent) {}
  [[nodiscard]] std::chrono::nanoseconds spent() const {
    return thread_cpu_time() - start_ - (objects_.work.spent - store_);
  }

 private:
  const SyntheticObjects& objects_;
  const std::chrono::nanoseconds store_;
  const std::chrono::nanoseconds start_ = thread_cpu_time();
};

}  // namespace drs::bench
