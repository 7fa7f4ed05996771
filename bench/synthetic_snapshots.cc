// SyntheticRepository: recipes and manifests, which are stored like any other.
#include <string>
#include <utility>
#include <vector>

#include "bench/synthetic_repository.h"
#include "codecs/random.h"
#include "codecs/sha256.h"
#include "codecs/xxh3.h"
#include "engine/format/document.h"
#include "engine/format/names.h"
#include "engine/pipeline/push/recipe_builder.h"
#include "sinks/object_io.h"

namespace drs::bench {
namespace {

constexpr std::uint64_t kStreams = 50;

// Stores recipe parts in a pack and an index object of their own.
Result<ManifestStream> store_parts(SyntheticRepository& repository, const Uuid& session,
                                   const std::vector<RecipePart>& parts) {
  const Repository& target = *repository.repository;
  PackContents pack;
  ObjectSealer sealer(target.keys(), ObjectKind::kPack, "", target.crypto());
  Bytes object;
  encode_envelope(sealer.envelope(), object);
  ManifestStream stored;
  stored.session = session;
  if (parts.empty()) return stored;
  for (const RecipePart& part : parts) {
    const Bytes plain = encode_recipe_part(part);
    TableBlock block;
    block.record.id = {stored.session, pack.blocks.size()};
    block.record.kind = BlockKind::kRecipe;
    block.record.offset_bytes = static_cast<std::uint32_t>(object.size());
    block.record.sealed_bytes = static_cast<std::uint32_t>(plain.size() + kSealBytes);
    block.record.raw_bytes = static_cast<std::uint32_t>(plain.size());
    block.record.ordinal = sealer.next_ordinal();
    block.record.xxh3 = xxh3_128(plain);
    sealer.append(block.record.label(), plain, object);
    stored.parts.push_back({block.record.id, part.stream_offset_bytes, part.stream_bytes});
    stored.bytes += part.stream_bytes;
    pack.blocks.push_back(std::move(block));
  }
  const Bytes tail = encode_pack_tail(sealer, pack.blocks);
  object.insert(object.end(), tail.begin(), tail.end());
  pack.pack = {sha256(object), object.size(), sealer.envelope().salt};
  ObjectStore& store = target.store();
  DRS_RETURN_IF_ERROR(put_object(store, pack_name(pack.pack.name), object));
  const Bytes index = encode_index(target.keys(), target.crypto(), {pack}, 0);
  DRS_RETURN_IF_ERROR(put_object(store, index_name(sha256(index)), index));
  return stored;
}

// The recipe of whole blocks, without those of dead units; after the last block comes the first.
std::vector<RecipePart> parts_of(const SyntheticObjects& objects, std::uint64_t begin, std::uint64_t end,
                                 std::uint64_t dead_every) {
  constexpr std::size_t kPartBlocks = 8192;
  std::vector<RecipePart> parts;
  std::uint64_t offset_bytes = 0;
  for (std::uint64_t i = begin; i < end; ++i) {
    const std::uint64_t block = i % objects.block_count();
    if (block / objects.blocks_per_unit() % dead_every == dead_every - 1) continue;
    if (parts.empty() || parts.back().blocks.size() == kPartBlocks) {
      parts.emplace_back();
      parts.back().stream_offset_bytes = offset_bytes;
    }
    RecipePart& part = parts.back();
    part.runs.push_back({.block = static_cast<std::uint32_t>(part.blocks.size()),
                         .chunk_first = 0,
                         .chunk_count = kBlockChunks,
                         .offset_bytes = 0,
                         .bytes = kBlockBytesMax});
    part.blocks.push_back(objects.block_id(block));
    part.stream_bytes += kBlockBytesMax;
    offset_bytes += kBlockBytesMax;
  }
  return parts;
}

}  // namespace

Result<ManifestStream> store_recipe(SyntheticRepository& repository, const std::vector<StreamChunk>& stream) {
  Uuid session;
  random_bytes(session.mutable_view());
  std::vector<RecipePart> parts;
  RecipeBuilder builder;
  for (const StreamChunk& chunk : stream) {
    const ChunkPlace place{repository.objects->block_id(chunk.block), chunk.chunk,
                           chunk.chunk * std::uint32_t{kSyntheticChunkBytes}};
    if (auto part = builder.add(place, kSyntheticChunkBytes)) parts.push_back(*std::move(part));
  }
  if (auto part = builder.finish()) parts.push_back(*std::move(part));
  return store_parts(repository, session, parts);
}

Result<void> store_snapshots(SyntheticRepository& repository, const SnapshotsShape& shape) {
  const SyntheticObjects& objects = *repository.objects;
  const RepositoryKeys& keys = repository.repository->keys();
  struct Newest {
    std::string name;
    Digest digest;
    std::uint64_t sequence = 0;
  };
  std::vector<Newest> newest(kStreams);
  for (std::uint64_t i = 0; i < shape.count; ++i) {
    Newest& last = newest[i % kStreams];
    Manifest manifest;
    manifest.stream = "stream/" + std::to_string(i % kStreams);
    random_bytes(manifest.session.mutable_view());
    const std::uint64_t begin = objects.block_count() * i / shape.count;
    const std::uint64_t end = begin + objects.block_count() * shape.of_a_block / shape.count;
    DRS_ASSIGN_OR_RETURN(ManifestStream stored,
                         store_parts(repository, manifest.session, parts_of(objects, begin, end, shape.dead_every)));
    manifest.set_stream(std::move(stored));
    manifest.sequence = last.sequence + 1;
    manifest.predecessor_name = last.name;
    manifest.predecessor_digest = last.digest;
    const std::string name = manifest_name(keys.stream_tag(manifest.stream), manifest.session);
    DRS_ASSIGN_OR_RETURN(const Bytes body, encode_manifest(manifest));
    const Bytes object = encode_document(keys, ObjectKind::kManifest, name, body);
    DRS_RETURN_IF_ERROR(put_object(repository.repository->store(), name, object));
    last = {name, document_identity(object), manifest.sequence};
  }
  return {};
}

}  // namespace drs::bench
