#include "tests/engine/format/golden.h"

#include <nlohmann/json.hpp>

#include "codecs/hmac_sha256.h"
#include "codecs/sha256.h"
#include "engine/format/document.h"
#include "engine/format/names.h"
#include "engine/format/seal.h"

namespace drs::golden {
namespace {

constexpr WallNs kNow = 1'700'000'000'123'456'789;  // 2023-11-14 22:13:20 UTC
constexpr WallNs kSecond = 1'000'000'000;

Salt fixed_salt(std::string_view label) {
  return fixed_digest("salt " + std::string(label));
}

// Incompressible bytes.
Bytes noise(std::size_t count) {
  Bytes out;
  for (int i = 0; out.size() < count; ++i) {
    const Digest piece = fixed_digest("noise " + std::to_string(i));
    out.insert(out.end(), piece.data.begin(), piece.data.end());
  }
  out.resize(count);
  return out;
}

Bytes lines(std::size_t count, int first) {
  std::string out;
  for (int i = first; out.size() < count; ++i) out += "INSERT INTO golden VALUES (" + std::to_string(i) + ");\n";
  out.resize(count);
  const ByteView view = as_bytes(out);
  return {view.begin(), view.end()};
}

PlainBlock data_block(const BlockId& id, Codec codec, Bytes plain, std::size_t chunk_bytes) {
  PlainBlock out{.block = {}, .plain = std::move(plain)};
  const RepositoryKeys repository_keys = keys();
  for (std::size_t at = 0; at < out.plain.size(); at += chunk_bytes) {
    const ByteView chunk = ByteView(out.plain).subspan(at, std::min(chunk_bytes, out.plain.size() - at));
    out.block.chunks.push_back(
        {.id = hmac_sha256(repository_keys.chunk_id(), chunk), .bytes = static_cast<std::uint16_t>(chunk.size())});
  }
  out.block.record.id = id;
  out.block.record.codec = codec;
  return out;
}

BlockId old_block(std::uint64_t counter) {
  return {.session = fixed_uuid("old session"), .counter = counter};
}
BlockId new_block(std::uint64_t counter) {
  return {.session = fixed_uuid("session"), .counter = counter};
}

Bytes compressed(Codec codec, ByteView plain) {
  auto compressor = Compressor::make({.codec = codec, .level = codec == Codec::kZstd ? 1 : 0}, plain.size());
  DRS_ASSERT(compressor.ok(), "no compressor for a golden block");
  Bytes out(plain.size());
  const auto output = compressor->compress(plain, out);
  DRS_ASSERT(output.ok() && output->codec == codec, "a golden block did not shrink");
  out.resize(output->bytes);
  return out;
}

Bytes document(ObjectKind kind, const std::string& name, const Bytes& body) {
  const Salt salt = fixed_salt(object_kind_name(kind));
  return encode_document(keys(), kind, name, body, &salt);
}

Bytes slot(SlotKind kind, ByteView secret) {
  const std::string label = kind == SlotKind::kRawKey ? "raw" : kind == SlotKind::kPassphrase ? "passphrase" : "clear";
  const SlotSalts salts{.envelope = fixed_salt(label + " slot"), .scrypt = fixed_salt(label + " scrypt")};
  const SlotFields fields{
      .kind = kind, .scrypt = {.log2_n = 10, .r = 8, .p = 1}, .label = label, .created_ns = kNow - 90 * kSecond};
  auto out = encode_slot(keys(), fields, secret, &salts);
  DRS_ASSERT(out.ok(), "a golden slot was not encoded");
  return *std::move(out);
}

}  // namespace

Digest fixed_digest(std::string_view label) {
  return sha256(as_bytes("drstream golden " + std::string(label)));
}

Uuid fixed_uuid(std::string_view label) {
  Uuid out;
  const Digest digest = fixed_digest("uuid " + std::string(label));
  std::memcpy(out.data.data(), digest.data.data(), out.data.size());
  return out;
}

RepositoryKeys keys() {
  return {fixed_digest("master key").view(), fixed_uuid("repository")};
}

Bytes raw_key() {
  const Digest key = fixed_digest("raw key");
  return {key.data.begin(), key.data.end()};
}

Config config() {
  Config out;
  out.repository = fixed_uuid("repository");
  out.master_commitment = keys().commitment();
  out.optional_features = 0x8000;
  out.created_ns = kNow - 100 * kSecond;
  out.tool_version = "drstream 0.1.0";
  return out;
}

std::vector<PlainBlock> compressed_pack_blocks() {
  return {data_block(old_block(0), Codec::kZstd, lines(14'000, 1'000), 5'000),
          data_block(old_block(300), Codec::kLz4, lines(9'000, 500), 4'096)};
}

RecipePart recipe_part() {
  RecipePart part;
  part.blocks = {new_block(7), old_block(0), old_block(300)};
  part.runs = {{.block = 0, .chunk_first = 0, .chunk_count = 25, .offset_bytes = 0, .bytes = 1'600},
               {.block = 1, .chunk_first = 0, .chunk_count = 3, .offset_bytes = 0, .bytes = 14'000},
               {.block = 2, .chunk_first = 1, .chunk_count = 2, .offset_bytes = 4'096, .bytes = 4'904},
               {.block = 0, .chunk_first = 24, .chunk_count = 16, .offset_bytes = 1'536, .bytes = 964}};
  for (const Run& run : part.runs) part.stream_bytes += run.bytes;
  return part;
}

std::vector<PlainBlock> raw_pack_blocks() {
  PlainBlock recipe{.block = {}, .plain = encode_recipe_part(recipe_part())};
  recipe.block.record.id = new_block(8);
  recipe.block.record.kind = BlockKind::kRecipe;
  return {data_block(new_block(7), Codec::kRaw, noise(2'500), 64), recipe};
}

Bytes stream_bytes() {
  const std::vector<PlainBlock> raw = raw_pack_blocks();
  const std::vector<PlainBlock> old = compressed_pack_blocks();
  const std::vector<const Bytes*> dictionary = {&raw[0].plain, &old[0].plain, &old[1].plain};
  Bytes out;
  ByteWriter writer(out);
  for (const Run& run : recipe_part().runs)
    writer.raw(ByteView(*dictionary[run.block]).subspan(run.offset_bytes, run.bytes));
  return out;
}

Manifest manifest(const Digest& config_object_digest) {
  const Bytes stream = stream_bytes();
  Manifest out;
  out.stream = kStream;
  out.session = fixed_uuid("session");
  out.sequence = 2;
  out.predecessor_name = removed().manifest_name;
  out.predecessor_digest = removed().manifest_digest;
  out.snapshot_ns = kNow;
  out.started_ns = kNow;
  out.finished_ns = kNow + 12 * kSecond;
  out.host = "db-1.example.org";
  out.tool_version = "drstream 0.1.0";
  out.config_digest = config_object_digest;
  out.producer = ProducerKind::kExitStatus;
  out.command = "pg_dump main";
  out.stderr_tail = "pg_dump: warning: caf\xe9\n";  // not UTF-8; stored unchanged
  out.trailer_pattern = "PostgreSQL database dump complete";
  out.set_stream({.label = {},
                  .session = fixed_uuid("session"),
                  .bytes = stream.size(),
                  .sha256 = sha256(stream),
                  .xxh3 = xxh3_128(stream),
                  .chunk_count = 46,
                  .parts = {{.block = new_block(8), .stream_offset_bytes = 0, .stream_bytes = stream.size()}}});
  out.new_bytes = 2'500;
  out.stored_bytes = 2'516;
  out.unreadable = {{.name = manifest_name(keys().stream_tag(kStream), fixed_uuid("rotten session")),
                     .digest = fixed_digest("rotten manifest")}};
  out.tags = {{"cluster", "main"}, {"why", "nightly"}};
  return out;
}

RemovedMark removed() {
  return {.manifest_name = manifest_name(keys().stream_tag(kStream), fixed_uuid("old session")),
          .manifest_digest = fixed_digest("old manifest"),
          .stream = std::string(kStream),
          .sequence = 1,
          .removed_ns = kNow + 60 * kSecond,
          .reason = "forget --keep-last 1"};
}

Fence fence() {
  return {.session = fixed_uuid("dead session"),
          .stream = std::string(kStream),
          .fenced_ns = kNow + 110 * kSecond,
          .fenced_by = "prune on db-3.example.org"};
}

Manifest topics_manifest() {
  Manifest out;
  out.stream = "kafka/main";
  out.session = fixed_uuid("topics session");
  out.snapshot_ns = out.started_ns = kNow + 120 * kSecond;
  out.finished_ns = kNow + 130 * kSecond;
  out.host = "db-1.example.org";
  out.tool_version = "drstream 0.3.0";
  out.config_digest = fixed_digest("config of topics");
  out.producer = ProducerKind::kEndsReached;
  out.content = ManifestContent::kTopics;
  const auto stream = [](std::string label, std::string_view session, std::uint64_t parts) {
    ManifestStream made{.label = std::move(label),
                        .session = fixed_uuid(session),
                        .bytes = 0,
                        .sha256 = {},
                        .xxh3 = xxh3_128(as_bytes(session)),
                        .chunk_count = 16 * parts,
                        .parts = {}};
    for (std::uint64_t part = 0; part < parts; ++part) {
      made.parts.push_back({{made.session, part}, made.bytes, 1000 + part});
      made.bytes += 1000 + part;
    }
    return made;
  };
  out.streams = {stream("catalogue", "topics session", 1), stream("segment-1", "old topics session", 2)};
  out.streams[1].sha256 = fixed_digest("segment");
  for (const ManifestStream& made : out.streams) {
    out.bytes += made.bytes;
    out.chunk_count += made.chunk_count;
  }
  out.new_bytes = 1000;
  out.stored_bytes = 300;
  return out;
}

SessionRecord session() {
  return {.session = fixed_uuid("other session"),
          .stream = "etc",
          .host = "db-2.example.org",
          .process = 4'242,
          .started_ns = kNow + 70 * kSecond,
          .heartbeat_ns = kNow + 100 * kSecond};
}

CondemnedPacks condemned() {
  return {.condemned_ns = kNow + 80 * kSecond, .packs = {fixed_digest("pack 1"), fixed_digest("pack 0")}};
}

DamagedMark damaged() {
  return {.pack = fixed_digest("lost pack"),
          .id = fixed_uuid("damage mark"),
          .found_ns = kNow + 90 * kSecond,
          .found_by = "verify",
          .problem = "2 of its 3 blocks are damaged",
          .blocks = {{78, 1000}, {5000, 16}}};
}

Waits waits() {
  WaitingSession first;
  first.session = session().session;
  first.tag = keys().stream_tag(session().stream);
  first.number = 3;
  first.digest = fixed_digest("session object");
  WaitingSession unread;  // its object could not be read
  unread.session = fence().session;
  unread.tag = keys().stream_tag(fence().stream);
  unread.number = 99'999'999;
  return {.record = fixed_uuid("condemned"), .listed_ns = kNow + 140 * kSecond, .sessions = {first, unread}};
}

Retired retired() {
  const auto mark = [](std::string_view label, std::uint64_t sequence) {
    return RetiredEntry{.session = fixed_uuid(label),
                        .digest = fixed_digest(label),
                        .sequence = sequence,
                        .removed_ns = kNow + 150 * kSecond};
  };
  RetiredEntry of_fence;
  of_fence.session = fixed_uuid("retired fence");
  of_fence.removed_ns = kNow + 151 * kSecond;
  return {.tag = keys().stream_tag(kStream),
          .stream = std::string(kStream),
          .entries = {mark("retired 1", 1), of_fence, mark("retired 2", (std::uint64_t{1} << 48) - 1)}};
}

Hold kept() {
  return {.manifest_name = manifest_name(keys().stream_tag(kStream), fixed_uuid("session")),
          .manifest_digest = fixed_digest("held manifest"),
          .held_ns = kNow + 160 * kSecond,
          .until_ns = 0,
          .reason = "audit 2023",
          .overrides = {0, 7}};
}

Hold hold() {
  Hold out = kept();
  out.held_ns = kNow + 155 * kSecond;
  out.until_ns = kNow + 400 * kSecond;
  out.reason = "before the migration";
  out.overrides.clear();
  return out;
}

BuiltPack build_pack(std::string_view salt_label, const std::vector<PlainBlock>& blocks) {
  const Salt salt = fixed_salt(salt_label);
  ObjectSealer sealer(keys(), ObjectKind::kPack, "", CryptoBackend::kOpenssl, &salt);
  BuiltPack pack;
  encode_envelope(sealer.envelope(), pack.object);
  for (const PlainBlock& block : blocks) {
    TableBlock placed = block.block;
    BlockRecord& record = placed.record;
    const Bytes stored = record.codec == Codec::kRaw ? block.plain : compressed(record.codec, block.plain);
    record.offset_bytes = static_cast<std::uint32_t>(pack.object.size());
    record.sealed_bytes = static_cast<std::uint32_t>(stored.size() + kSealBytes);
    record.raw_bytes = static_cast<std::uint32_t>(block.plain.size());
    record.chunk_count = static_cast<std::uint16_t>(placed.chunks.size());
    record.xxh3 = xxh3_128(block.plain);
    sealer.next_ordinal();  // of a discarded seal
    record.ordinal = sealer.next_ordinal();
    sealer.append(record.label(), stored, pack.object);
    pack.table.push_back(std::move(placed));
  }
  ByteWriter(pack.object).raw(encode_pack_tail(sealer, pack.table));
  return pack;
}

PackContents contents_of(const Bytes& pack_object, std::vector<TableBlock> table) {
  const auto envelope = decode_envelope(pack_object, ObjectKind::kPack);
  DRS_ASSERT(envelope.ok(), "a golden pack without an envelope");
  return {.pack = {.name = sha256(pack_object), .bytes = pack_object.size(), .salt = envelope->salt},
          .blocks = std::move(table)};
}

Bytes index_object(const std::vector<PackContents>& packs) {
  const Salt salt = fixed_salt("index");
  return encode_index(keys(), CryptoBackend::kOpenssl, packs, kNow + 5 * kSecond, &salt);
}

Bytes raw_slot() {
  return slot(SlotKind::kRawKey, raw_key());
}

Bytes passphrase_slot() {
  return slot(SlotKind::kPassphrase, as_bytes(kPassphrase));
}

std::string clear_slot_file() {
  return "slots/clear.bin";
}

std::string topics_file() {
  return "documents/topics.bin";
}

std::string topics_name() {
  return manifest_name(keys().stream_tag(topics_manifest().stream), topics_manifest().session);
}

std::map<std::string, Bytes> reproducible_objects() {
  std::map<std::string, Bytes> out;
  const auto put_document = [&out](ObjectKind kind, const std::string& name, const Bytes& body) {
    out[name] = document(kind, name, body);
  };
  const std::string config_object = config_name(1);
  put_document(ObjectKind::kConfig, config_object, encode_config(config()));
  out[slot_name(slot_id(raw_slot()))] = raw_slot();
  out[slot_name(slot_id(passphrase_slot()))] = passphrase_slot();
  out[clear_slot_file()] = slot(SlotKind::kClear, {});
  const BuiltPack pack = build_pack("raw pack", raw_pack_blocks());
  out[pack_name(sha256(pack.object))] = pack.object;
  put_document(ObjectKind::kManifest, manifest_name(keys().stream_tag(kStream), fixed_uuid("session")),
               *encode_manifest(manifest(document_identity(out[config_object]))));
  out[topics_file()] = document(ObjectKind::kManifest, topics_name(), *encode_manifest(topics_manifest()));
  put_document(ObjectKind::kFence, manifest_name(keys().stream_tag(fence().stream), fence().session),
               encode_fence(fence()));
  put_document(ObjectKind::kRemoved, removed_name(removed().manifest_name), encode_removed(removed()));
  put_document(ObjectKind::kSession, session_name(keys().stream_tag(session().stream), session().session, 3),
               encode_session(session()));
  put_document(ObjectKind::kCondemned, condemned_name(fixed_uuid("condemned")), encode_condemned(condemned()));
  out[damaged_name(damaged().pack, damaged().id)] = encode_damaged(damaged());
  return out;
}

std::map<std::string, Bytes> retention_objects() {
  const RepositoryKeys repository_keys = keys();
  std::map<std::string, Bytes> out;
  const auto put_document = [&out](ObjectKind kind, const std::string& name, const Bytes& body) {
    out[name] = document(kind, name, body);
  };
  const StreamTag tag = repository_keys.stream_tag(kStream);
  put_document(ObjectKind::kWaits, waits_name(waits().record), encode_waits(waits()));
  put_document(ObjectKind::kRetired, retired_name(tag, fixed_uuid("retired")), encode_retired(retired()));
  put_document(ObjectKind::kKept, kept_name(tag, fixed_uuid("session"), 1), encode_hold(kept()));
  put_document(ObjectKind::kHold, hold_name(tag, fixed_uuid("session"), 7), encode_hold(hold()));
  return out;
}

std::string expected_retention_json(const std::map<std::string, Bytes>& objects) {
  nlohmann::ordered_json json;
  json["repository"] = keys().repository().hex();
  for (const auto& [name, object] : objects)
    json["objects"][name] = {{"bytes", object.size()}, {"sha256", sha256(object).hex()}};
  return json.dump(2) + "\n";
}

std::string expected_json(const std::map<std::string, Bytes>& objects) {
  const RepositoryKeys repository_keys = keys();
  const Manifest m = manifest(document_identity(objects.at(config_name(1))));
  nlohmann::ordered_json json;
  json["format_version"] = 1;
  json["repository"] = repository_keys.repository().hex();
  json["key_hex"] = to_hex(raw_key());
  json["passphrase"] = kPassphrase;
  json["master_key"] = to_hex(repository_keys.master());
  json["keys"] = {{"chunk-id", to_hex(repository_keys.chunk_id())},
                  {"chunk-cut", to_hex(repository_keys.chunk_cut())},
                  {"slot-mac", to_hex(repository_keys.slot_mac())},
                  {"commit", repository_keys.commitment().hex()},
                  {"stream-tag of the stream", repository_keys.stream_tag(kStream).hex()}};
  json["snapshot"] = {{"stream", m.stream},           {"session", m.session.hex()},
                      {"sequence", m.sequence},       {"bytes", m.bytes},
                      {"sha256", m.sha256->hex()},    {"xxh3", m.xxh3.hex()},
                      {"chunks", m.chunk_count},      {"host", m.host},
                      {"snapshot_ns", m.snapshot_ns}, {"tags", m.tags}};
  for (const auto& [name, object] : objects)
    json["objects"][name] = {{"bytes", object.size()}, {"sha256", sha256(object).hex()}};
  return json.dump(2) + "\n";
}

}  // namespace drs::golden
