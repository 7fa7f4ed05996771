// A small repository in memory that holds an object of every kind, written with the format layer alone.
//
//   stream "db": snapshot 1 (all of pack `first`), snapshot 2 (its successor: bytes of `first` and of `second`)
//   stream "gone": snapshot 3, whose predecessor was forgotten: it has a removal mark, but no manifest
//   pack `orphan`: data that no recipe needs, as an interrupted push leaves it; the index covers it
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/format/manifest.h"
#include "engine/format/pack.h"
#include "engine/format/recipe.h"
#include "engine/repository/repository.h"
#include "engine/repository/snapshots.h"
#include "io/base/clock.h"
#include "sinks/memory_store.h"

namespace drs::test {

// Builds one pack from blocks of chunks.
class PackWriter {
 public:
  PackWriter(const RepositoryKeys& keys, const Uuid& session);
  // Adds a block of chunks with these bytes, laid end to end. Returns its id.
  BlockId add_data(const std::vector<Bytes>& chunks, Codec codec);
  BlockId add_recipe(const RecipePart& part);
  // Adds a last block whose stored chunk id differs from its bytes.
  BlockId add_data_with_wrong_chunk_id(const std::vector<Bytes>& chunks);
  // Stores the pack; `blocks` and `name` are valid afterwards.
  void store(ObjectStore& store);

  std::vector<TableBlock> blocks;
  Digest digest;
  std::uint64_t size_bytes = 0;
  [[nodiscard]] Salt salt() const { return sealer_.envelope().salt; }

 private:
  BlockId add(BlockKind kind, ByteView plain, Codec codec, std::vector<ChunkEntry> chunks);
  const RepositoryKeys& keys_;
  Uuid session_;
  ObjectSealer sealer_;
  Bytes bytes_;
};

// Compressible bytes that differ from seed to seed.
Bytes sample_bytes(std::size_t bytes, std::uint32_t seed);

struct StoredRepository {
  // Repositories with different seeds differ; keys are always random.
  explicit StoredRepository(std::uint32_t seed = 1);

  [[nodiscard]] std::unique_ptr<ObjectStore> store() const { return make_memory_store(objects, &clock); }
  [[nodiscard]] Result<std::unique_ptr<Repository>> open() const;
  [[nodiscard]] Result<std::unique_ptr<Repository>> open(std::unique_ptr<ObjectStore> on, const Clock& of_clock) const;
  [[nodiscard]] Bytes object(const std::string& name) const { return *objects->find(name)->bytes; }
  [[nodiscard]] std::vector<std::string> names() const;
  // Adds a snapshot of two streams, those of snapshots 1 and 3, as an archive of topics has. Returns its name.
  std::string add_archive(const std::function<void(Manifest&)>& change = {});
  // Restores every object as it was built.
  void reset();

  SystemClock clock;
  std::shared_ptr<MemoryObjects> objects = std::make_shared<MemoryObjects>();
  std::map<std::string, Bytes> built;  // what `reset` restores

  Uuid session_1, session_2, session_3;
  std::string pack_first, pack_second, pack_orphan;
  Digest pack_first_digest, pack_second_digest;
  TableBlock block_x, block_y, block_z;   // x and y lie in the first pack, z in the second
  std::string index_first, index_second;  // of `first`; of `second` and `orphan`
  std::string manifest_1, manifest_2, manifest_3;
  std::string config_1, config_2, slot_1, slot_2;
  std::string removed, session_object, condemned, mark;
  std::string waits, retired, kept, hold;
  std::string verified;          // of a sweep of packs that are gone, long ago
  std::string retired_manifest;  // that the retired object names, and manifest_3 as one that was unreadable
  Bytes stream_1, stream_2;

 private:
  void build(std::uint32_t seed);
  void build_retention(std::uint32_t seed, const RepositoryKeys& keys);
  void build_proving(std::uint32_t seed, const RepositoryKeys& keys);
};

}  // namespace drs::test
