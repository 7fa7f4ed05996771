#include "tests/verify/stored_repository.h"

#include <gtest/gtest.h>

#include <utility>

#include "codecs/hmac_sha256.h"
#include "codecs/random.h"
#include "codecs/sha256.h"
#include "engine/format/document.h"
#include "engine/format/index.h"
#include "engine/format/manifest_object.h"
#include "engine/format/names.h"
#include "engine/format/retention.h"
#include "engine/format/verified.h"
#include "engine/repository/key_slots.h"
#include "sinks/object_io.h"

namespace drs::test {
namespace {

Secret raw_key(Byte fill) {
  Secret secret;
  secret.kind = SlotKind::kRawKey;
  secret.bytes = SecretBytes(32);
  for (Byte& b : secret.bytes.mutable_view()) b = fill;
  return secret;
}

Uuid uuid_of(std::uint32_t seed, Byte number) {
  Uuid id;
  id.data.fill(number);
  id.data[0] = static_cast<Byte>(seed);
  return id;
}

template <typename T>
T must(Result<T> result) {
  if (!result.ok()) {
    ADD_FAILURE() << result.error().message;
    std::abort();
  }
  return *std::move(result);
}

void must(const Result<void>& result) {
  if (result.ok()) return;
  ADD_FAILURE() << result.error().message;
  std::abort();
}

void append(Bytes& out, const Bytes& more) {
  out.insert(out.end(), more.begin(), more.end());
}

Manifest manifest_of(const Repository& repository, const std::string& stream, const Uuid& session, const Bytes& bytes,
                     const BlockId& recipe) {
  Manifest manifest;
  manifest.stream = stream;
  manifest.session = session;
  manifest.host = "h";
  manifest.tool_version = "t";
  manifest.snapshot_ns = 1;
  manifest.config_digest = repository.config_digest();
  manifest.set_stream({.label = {},
                       .session = session,
                       .bytes = bytes.size(),
                       .sha256 = sha256(bytes),
                       .xxh3 = xxh3_128(bytes),
                       .chunk_count = 0,
                       .parts = {{recipe, 0, bytes.size()}}});
  return manifest;
}

std::string put_document(ObjectStore& store, const RepositoryKeys& keys, ObjectKind kind, const std::string& name,
                         const Bytes& body) {
  must(put_object(store, name, encode_document(keys, kind, name, body)));
  return name;
}

std::string put_index(ObjectStore& store, const RepositoryKeys& keys, const std::vector<const PackWriter*>& packs) {
  std::vector<PackContents> contents;
  for (const PackWriter* pack : packs)
    contents.push_back({{pack->digest, pack->size_bytes, pack->salt()}, pack->blocks});
  const Bytes object = encode_index(keys, CryptoBackend::kOpenssl, contents, 1);
  const std::string name = index_name(sha256(object));
  must(put_object(store, name, object));
  return name;
}

}  // namespace

Bytes sample_bytes(std::size_t bytes, std::uint32_t seed) {
  Bytes out(bytes);
  std::uint32_t state = seed * 2654435761U + 1;
  for (std::size_t i = 0; i < bytes; ++i) {
    if (i % 4 == 0) state = state * 1664525U + 1013904223U;
    out[i] = static_cast<Byte>(state >> 28);
  }
  return out;
}

PackWriter::PackWriter(const RepositoryKeys& keys, const Uuid& session)
    : keys_(keys), session_(session), sealer_(keys, ObjectKind::kPack, "", CryptoBackend::kOpenssl) {
  encode_envelope(sealer_.envelope(), bytes_);
}

BlockId PackWriter::add(BlockKind kind, ByteView plain, Codec codec, std::vector<ChunkEntry> chunks) {
  Bytes compressed(plain.size());
  ByteView body = plain;
  if (codec != Codec::kRaw) {
    Compressor compressor = must(Compressor::make({codec, codec == Codec::kZstd ? 1 : 0}, plain.size()));
    const Compressor::Output output = must(compressor.compress(plain, compressed));
    codec = output.codec;
    if (codec != Codec::kRaw) body = ByteView(compressed).first(output.bytes);
  }
  BlockRecord record;
  record.id = {session_, blocks.size()};
  record.kind = kind;
  record.codec = codec;
  record.offset_bytes = static_cast<std::uint32_t>(bytes_.size());
  record.sealed_bytes = static_cast<std::uint32_t>(body.size() + kSealBytes);
  record.raw_bytes = static_cast<std::uint32_t>(plain.size());
  record.ordinal = sealer_.next_ordinal();
  record.xxh3 = xxh3_128(plain);
  record.chunk_count = static_cast<std::uint16_t>(chunks.size());
  sealer_.append(record.label(), body, bytes_);
  blocks.push_back({record, std::move(chunks)});
  return record.id;
}

BlockId PackWriter::add_data(const std::vector<Bytes>& chunks, Codec codec) {
  Bytes plain;
  std::vector<ChunkEntry> entries;
  for (const Bytes& chunk : chunks) {
    append(plain, chunk);
    entries.push_back({hmac_sha256(keys_.chunk_id(), chunk), static_cast<std::uint16_t>(chunk.size())});
  }
  return add(BlockKind::kData, plain, codec, std::move(entries));
}

BlockId PackWriter::add_data_with_wrong_chunk_id(const std::vector<Bytes>& chunks) {
  const BlockId id = add_data(chunks, Codec::kRaw);
  blocks.back().chunks.back().id.data[5] ^= 1;
  return id;
}

BlockId PackWriter::add_recipe(const RecipePart& part) {
  return add(BlockKind::kRecipe, encode_recipe_part(part), Codec::kRaw, {});
}

void PackWriter::store(ObjectStore& store) {
  const Bytes tail = encode_pack_tail(sealer_, blocks);
  append(bytes_, tail);
  digest = sha256(bytes_);
  size_bytes = bytes_.size();
  must(put_object(store, pack_name(digest), bytes_));
}

StoredRepository::StoredRepository(std::uint32_t seed) {
  build(seed);
  for (const std::string& name : names()) built[name] = object(name);
}

Result<std::unique_ptr<Repository>> StoredRepository::open() const {
  return open(store(), clock);
}

Result<std::unique_ptr<Repository>> StoredRepository::open(std::unique_ptr<ObjectStore> on,
                                                           const Clock& of_clock) const {
  return Repository::open(std::move(on), of_clock, raw_key(7), CryptoBackend::kOpenssl);
}

std::vector<std::string> StoredRepository::names() const {
  std::vector<std::string> names;
  for (const ObjectInfo& info : objects->list("")) names.push_back(info.key);
  return names;
}

void StoredRepository::reset() {
  for (const std::string& name : names())
    if (!built.contains(name)) objects->erase(name);
  for (const auto& [name, bytes] : built) {
    const auto present = objects->find(name);
    if (!present || *present->bytes != bytes) objects->damage(name, bytes);
  }
}

void StoredRepository::build(std::uint32_t seed) {
  const auto objects_store = store();
  ObjectStore& disk = *objects_store;
  InitOptions init;
  init.secret = raw_key(7);
  init.tool_version = "t";
  must(Repository::init(disk, clock, init));
  config_1 = config_name(1);
  {
    const auto first = must(open());
    slot_1 = slot_name(first->opened_with_slot());
    slot_2 = slot_name(must(add_slot(*first, raw_key(9), "second")));
    Config config = first->config();
    config.tool_version = "u";
    config_2 = put_document(disk, first->keys(), ObjectKind::kConfig, config_name(2), encode_config(config));
  }
  const auto repository = must(open());
  const RepositoryKeys& keys = repository->keys();
  session_1 = uuid_of(seed, 1);
  session_2 = uuid_of(seed, 2);
  session_3 = uuid_of(seed, 3);
  std::vector<Bytes> chunks;
  for (std::uint32_t i = 0; i < 8; ++i) chunks.push_back(sample_bytes(80 + 7 * i, 100 * seed + i));

  PackWriter first(keys, session_1);
  const BlockId x = first.add_data({chunks[0], chunks[1], chunks[2]}, Codec::kRaw);
  const BlockId y = first.add_data({chunks[3], chunks[4]}, Codec::kZstd);
  for (std::size_t i = 0; i < 5; ++i) append(stream_1, chunks[i]);
  block_x = first.blocks[0];
  block_y = first.blocks[1];
  RecipePart part_1;
  part_1.stream_bytes = stream_1.size();
  part_1.blocks = {x, y};
  part_1.runs = {{0, 0, 3, 0, block_x.record.raw_bytes}, {1, 0, 2, 0, block_y.record.raw_bytes}};
  const BlockId recipe_1 = first.add_recipe(part_1);
  first.store(disk);

  // Snapshot 2: chunks 1 and 2 of x, then all of z, then chunk 1 of y.
  PackWriter second(keys, session_2);
  const BlockId z = second.add_data({chunks[5], chunks[6]}, Codec::kLz4);
  block_z = second.blocks[0];
  for (const std::size_t i : {1U, 2U, 5U, 6U, 4U}) append(stream_2, chunks[i]);
  RecipePart part_2;
  part_2.stream_bytes = stream_2.size();
  part_2.blocks = {x, z, y};
  part_2.runs = {{0, 1, 2, static_cast<std::uint32_t>(chunks[0].size()), chunks[1].size() + chunks[2].size()},
                 {1, 0, 2, 0, block_z.record.raw_bytes},
                 {2, 1, 1, static_cast<std::uint32_t>(chunks[3].size()), chunks[4].size()}};
  const BlockId recipe_2 = second.add_recipe(part_2);
  RecipePart part_3;
  part_3.stream_bytes = block_z.record.raw_bytes;
  part_3.blocks = {z};
  part_3.runs = {{0, 0, 2, 0, block_z.record.raw_bytes}};
  const BlockId recipe_3 = second.add_recipe(part_3);
  second.store(disk);
  PackWriter orphan(keys, uuid_of(seed, 4));
  orphan.add_data({chunks[7]}, Codec::kRaw);
  orphan.store(disk);
  pack_first_digest = first.digest;
  pack_second_digest = second.digest;
  pack_first = pack_name(first.digest);
  pack_second = pack_name(second.digest);
  pack_orphan = pack_name(orphan.digest);
  index_first = put_index(disk, keys, {&first});
  index_second = put_index(disk, keys, {&second, &orphan});

  Manifest manifest = manifest_of(*repository, "db", session_1, stream_1, recipe_1);
  const auto put_manifest = [&](const Manifest& m) {
    return put_document(disk, keys, ObjectKind::kManifest, manifest_name(keys.stream_tag(m.stream), m.session),
                        *encode_manifest(m));
  };
  manifest_1 = put_manifest(manifest);
  manifest = manifest_of(*repository, "db", session_2, stream_2, recipe_2);
  manifest.sequence = 2;
  manifest.predecessor_name = manifest_1;
  manifest.predecessor_digest = document_identity(object(manifest_1));
  manifest_2 = put_manifest(manifest);

  RemovedMark forgotten;
  forgotten.manifest_name = manifest_name(keys.stream_tag("gone"), uuid_of(seed, 5));
  forgotten.manifest_digest = sha256(sample_bytes(9, seed));
  forgotten.stream = "gone";
  forgotten.sequence = 1;
  removed =
      put_document(disk, keys, ObjectKind::kRemoved, removed_name(forgotten.manifest_name), encode_removed(forgotten));
  Bytes stream_3;
  append(stream_3, chunks[5]);
  append(stream_3, chunks[6]);
  manifest = manifest_of(*repository, "gone", session_3, stream_3, recipe_3);
  manifest.sequence = 2;
  manifest.predecessor_name = forgotten.manifest_name;
  manifest.predecessor_digest = forgotten.manifest_digest;
  retired_manifest = manifest_name(keys.stream_tag("gone"), uuid_of(seed, 7));
  manifest.unreadable = {{retired_manifest, {}}};
  manifest_3 = put_manifest(manifest);

  SessionRecord record;
  record.session = uuid_of(seed, 4);
  record.stream = "db";
  record.host = "h";
  session_object =
      put_document(disk, keys, ObjectKind::kSession, session_name(keys.stream_tag(record.stream), record.session, 0),
                   encode_session(record));
  CondemnedPacks packs;
  packs.packs = {sha256(sample_bytes(10, seed))};  // already deleted
  condemned =
      put_document(disk, keys, ObjectKind::kCondemned, condemned_name(uuid_of(seed, 6)), encode_condemned(packs));
  DamagedMark damaged;
  damaged.pack = packs.packs[0];
  damaged.found_by = "scrub";
  damaged.problem = "p";
  mark = damaged_name(damaged.pack, damaged.id);
  must(put_object(disk, mark, encode_damaged(damaged)));
  build_retention(seed, keys);
  build_proving(seed, keys);
}

void StoredRepository::build_retention(std::uint32_t seed, const RepositoryKeys& keys) {
  const auto disk = store();
  Waits waiting;
  waiting.record = uuid_of(seed, 6);
  waiting.sessions.resize(1);
  waiting.sessions[0].session = uuid_of(seed, 4);
  waits = put_document(*disk, keys, ObjectKind::kWaits, waits_name(waiting.record), encode_waits(waiting));
  Retired old;
  old.stream = "gone";
  old.tag = keys.stream_tag(old.stream);
  old.entries = {{uuid_of(seed, 7), sha256(sample_bytes(8, seed)), 1, 5}};
  retired =
      put_document(*disk, keys, ObjectKind::kRetired, retired_name(old.tag, uuid_of(seed, 8)), encode_retired(old));
  Hold held;
  held.manifest_name = manifest_2;
  held.manifest_digest = document_identity(object(manifest_2));
  const StreamTag tag = keys.stream_tag("db");
  hold = put_document(*disk, keys, ObjectKind::kHold, hold_name(tag, session_2, 0), encode_hold(held));
  held.overrides = {0};
  kept = put_document(*disk, keys, ObjectKind::kKept, kept_name(tag, session_2, 1), encode_hold(held));
}

void StoredRepository::build_proving(std::uint32_t seed, const RepositoryKeys& keys) {
  Verified sweep;
  sweep.ended_ns = 9;
  sweep.host = "h";
  sweep.tool = "t";
  const Digest gone = sha256(sample_bytes(11, seed));
  sweep.arcs = {{.from = gone, .to = gone, .until_ns = 5, .listed_ns = 5, .packs = 1, .names = {}, .proven_ns = 6}};
  sweep.damaged = {{sha256(sample_bytes(12, seed)), ProofLevel::kDecoded, 7}};
  sweep.rebuilt = {{sha256(sample_bytes(13, seed)), true, 8}};
  verified =
      put_document(*store(), keys, ObjectKind::kVerified, verified_name(uuid_of(seed, 9)), encode_verified(sweep));
}

std::string StoredRepository::add_archive(const std::function<void(Manifest&)>& change) {
  const auto repository = open();
  const RepositoryKeys& keys = (*repository)->keys();
  Manifest archive;
  archive.stream = "topics";
  archive.session.data.fill(66);
  archive.config_digest = (*repository)->config_digest();
  archive.content = ManifestContent::kTopics;
  for (const std::string& name : {manifest_1, manifest_3}) {
    const auto manifest = open_manifest(keys, name, object(name));
    archive.streams.push_back(manifest->streams.front());
    archive.bytes += manifest->bytes;
    archive.chunk_count += manifest->chunk_count;
  }
  archive.streams[0].label = "catalogue";
  archive.streams[1].label = "segment";
  if (change) change(archive);
  return put_document(*store(), keys, ObjectKind::kManifest, manifest_name(keys.stream_tag("topics"), archive.session),
                      *encode_manifest(archive));
}

}  // namespace drs::test
