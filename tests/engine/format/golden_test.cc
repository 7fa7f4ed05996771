// The committed golden repository: with its keys, salts and times, this code must write exactly these bytes and decode
// them to the same values. This must never change.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "codecs/hmac_sha256.h"
#include "codecs/sha256.h"
#include "engine/format/document.h"
#include "engine/format/manifest_object.h"
#include "engine/format/names.h"
#include "tests/engine/format/golden.h"
#include "tests/engine/format/golden_proving.h"

namespace drs {
namespace {

namespace fs = std::filesystem;

const fs::path kDirectory = fs::path(DRS_GOLDEN_DIRECTORY) / "v1";
const fs::path kProvingDirectory = fs::path(DRS_GOLDEN_DIRECTORY) / "v1-proving";
const fs::path kRetentionDirectory = fs::path(DRS_GOLDEN_DIRECTORY) / "v1-retention";

Bytes read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << path;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// All objects of the repository, by name, without expected.json.
std::map<std::string, Bytes> stored_objects(const fs::path& directory = kDirectory) {
  std::map<std::string, Bytes> out;
  for (const auto& entry : fs::recursive_directory_iterator(directory))
    if (entry.is_regular_file() && entry.path().filename() != "expected.json")
      out[fs::relative(entry.path(), directory).generic_string()] = read_file(entry.path());
  return out;
}

std::vector<TableBlock> table_of(const Bytes& pack) {
  const auto table =
      open_pack_table(golden::keys(), CryptoBackend::kOpenssl, pack, pack, pack.size(), golden::config().chunks);
  EXPECT_TRUE(table.ok()) << table.error().message;
  return *table;
}

// The pack with compressed blocks. Its name depends on the compression library's version.
Bytes compressed_pack() {
  const std::map<std::string, Bytes> reproducible = golden::reproducible_objects();
  for (const auto& [name, object] : stored_objects())
    if (name.starts_with("packs/") && !reproducible.contains(name)) return object;
  ADD_FAILURE() << "no compressed pack";
  return {};
}

TEST(Golden, WriterReproducesWhatNeedsNoCompressor) {
  const std::map<std::string, Bytes> stored = stored_objects();
  for (const auto& [name, object] : golden::reproducible_objects()) {
    ASSERT_TRUE(stored.contains(name)) << name;
    EXPECT_EQ(stored.at(name), object) << name;
  }
  const golden::BuiltPack raw = golden::build_pack("raw pack", golden::raw_pack_blocks());
  const Bytes other = compressed_pack();
  const Bytes index =
      golden::index_object({golden::contents_of(raw.object, raw.table), golden::contents_of(other, table_of(other))});
  ASSERT_TRUE(stored.contains(index_name(sha256(index))));
  EXPECT_EQ(stored.at(index_name(sha256(index))), index);
  EXPECT_EQ(as_text(read_file(kDirectory / "expected.json")), golden::expected_json(stored));
}

TEST(Golden, EveryNameParsesAndEveryDigestMatches) {
  for (const auto& [name, object] : stored_objects()) {
    if (name == golden::clear_slot_file() || name == golden::topics_file()) continue;
    const auto parsed = parse_name(name);
    ASSERT_TRUE(parsed.has_value()) << name;
    const bool is_named_by_digest = parsed->kind == ObjectKind::kPack || parsed->kind == ObjectKind::kIndex;
    if (is_named_by_digest) {
      EXPECT_EQ(sha256(object), parsed->digest) << name;
    } else {
      EXPECT_TRUE(has_valid_trailing_digest(object)) << name;
    }
  }
}

// The body of the only document of `kind`.
Bytes document_body(ObjectKind kind) {
  for (const auto& [name, object] : stored_objects()) {
    const auto parsed = parse_name(name);
    if (!parsed) continue;
    if ((parsed->kind == ObjectKind::kManifest ? kind_under_manifests(object) : parsed->kind) != kind) continue;
    auto decoded = decode_document(golden::keys(), kind, name, object);
    EXPECT_TRUE(decoded.ok()) << name << ": " << decoded.error().message;
    return *std::move(decoded);
  }
  ADD_FAILURE() << "no " << object_kind_name(kind);
  return {};
}

TEST(Golden, DocumentsDecode) {
  const auto config = decode_config(document_body(ObjectKind::kConfig));
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(encode_config(*config), encode_config(golden::config()));
  const auto manifest = decode_manifest(document_body(ObjectKind::kManifest));
  ASSERT_TRUE(manifest.ok()) << manifest.error().message;
  EXPECT_EQ(*manifest, golden::manifest(document_identity(read_file(kDirectory / config_name(1)))));
  EXPECT_EQ(*decode_fence(document_body(ObjectKind::kFence)), golden::fence());
  EXPECT_EQ(*decode_removed(document_body(ObjectKind::kRemoved)), golden::removed());
  EXPECT_EQ(*decode_session(document_body(ObjectKind::kSession)), golden::session());
  CondemnedPacks condemned = golden::condemned();
  std::ranges::sort(condemned.packs);
  EXPECT_EQ(*decode_condemned(document_body(ObjectKind::kCondemned)), condemned);
  EXPECT_EQ(*decode_damaged(read_file(kDirectory / damaged_name(golden::damaged().pack, golden::damaged().id))),
            golden::damaged());
}

TEST(Golden, TheDocumentsOfRetentionAreReproducedAndDecode) {
  const std::map<std::string, Bytes> stored = stored_objects(kRetentionDirectory);
  EXPECT_EQ(stored, golden::retention_objects());
  EXPECT_EQ(as_text(read_file(kRetentionDirectory / "expected.json")), golden::expected_retention_json(stored));
  std::set<ObjectKind> kinds;
  for (const auto& [name, object] : stored) {
    const auto parsed = parse_name(name);
    ASSERT_TRUE(parsed.has_value()) << name;
    EXPECT_EQ(object_name(*parsed), name);
    kinds.insert(parsed->kind);
    const auto body = decode_document(golden::keys(), parsed->kind, name, object);
    ASSERT_TRUE(body.ok()) << name << ": " << body.error().message;
    switch (parsed->kind) {
      case ObjectKind::kWaits: EXPECT_EQ(encode_waits(*decode_waits(*body)), encode_waits(golden::waits())); break;
      case ObjectKind::kRetired:
        EXPECT_EQ(encode_retired(*decode_retired(*body)), encode_retired(golden::retired()));
        break;
      case ObjectKind::kKept: EXPECT_EQ(*decode_hold(*body), golden::kept()); break;
      case ObjectKind::kHold: EXPECT_EQ(*decode_hold(*body), golden::hold()); break;
      default: ADD_FAILURE() << name << " is no document of retention";
    }
  }
  EXPECT_EQ(kinds.size(), 4U);
}

TEST(Golden, TheRecordsOfSweepsAreReproducedAndDecode) {
  const std::map<std::string, Bytes> stored = stored_objects(kProvingDirectory);
  EXPECT_EQ(stored, golden::proving_objects());
  EXPECT_EQ(as_text(read_file(kProvingDirectory / "expected.json")), golden::expected_proving_json());
  ASSERT_EQ(stored.size(), golden::proving_records().size());
  for (const golden::ProvingRecord& expected : golden::proving_records()) {
    const auto parsed = parse_name(expected.name);
    ASSERT_TRUE(parsed.has_value()) << expected.name;
    EXPECT_EQ(parsed->kind, ObjectKind::kVerified);
    EXPECT_EQ(object_name(*parsed), expected.name);
    const auto body = decode_document(golden::keys(), ObjectKind::kVerified, expected.name, stored.at(expected.name));
    ASSERT_TRUE(body.ok()) << body.error().message;
    const auto record = decode_verified(*body);
    ASSERT_TRUE(record.ok()) << record.error().message;
    EXPECT_EQ(*record, expected.record);
  }
}

TEST(Golden, AnArchiveOfTopicsDecodesButIsNoStreamOfBytes) {
  const Bytes object = read_file(kDirectory / golden::topics_file());
  const auto manifest = open_manifest(golden::keys(), golden::topics_name(), object);
  ASSERT_TRUE(manifest.ok()) << manifest.error().message;
  EXPECT_EQ(*manifest, golden::topics_manifest());
  const auto bytes = require_bytes(*manifest);
  ASSERT_FALSE(bytes.ok());
  EXPECT_EQ(bytes.error().code, ErrorCode::kUsage);
  Manifest segments = *manifest;
  segments.content = ManifestContent::kTopicSegments;
  EXPECT_EQ(require_bytes(segments).error().code, ErrorCode::kFormatTooNew);
  EXPECT_TRUE(require_bytes(golden::manifest({})).ok());
}

TEST(Golden, SlotsUnlock) {
  const auto expect_master = [](const fs::path& path, ByteView secret) {
    const auto master = unlock_slot(read_file(kDirectory / path), secret);
    ASSERT_TRUE(master.ok()) << master.error().message;
    EXPECT_EQ(to_hex(master->view()), to_hex(golden::keys().master()));
  };
  expect_master(slot_name(slot_id(golden::raw_slot())), golden::raw_key());
  expect_master(slot_name(slot_id(golden::passphrase_slot())), as_bytes(golden::kPassphrase));
  expect_master(golden::clear_slot_file(), {});
}

TEST(Golden, PacksRestoreTheStream) {
  std::map<BlockId, Bytes> blocks;
  std::set<Codec> codecs;
  auto decompressor = Decompressor::make();
  for (const auto& [name, object] : stored_objects()) {
    if (!name.starts_with("packs/")) continue;
    const auto opener =
        ObjectOpener::make(golden::keys(), *decode_envelope(object, ObjectKind::kPack), "", CryptoBackend::kOpenssl);
    for (const TableBlock& block : table_of(object)) {
      const BlockRecord& record = block.record;
      Bytes scratch(record.sealed_bytes), plain(record.raw_bytes);
      const auto decoded =
          decode_block(*opener, record, ByteView(object).subspan(record.offset_bytes, record.sealed_bytes),
                       *decompressor, scratch, plain);
      ASSERT_TRUE(decoded.ok()) << decoded.error().message;
      codecs.insert(record.codec);
      std::size_t at = 0;
      for (const ChunkEntry& chunk : block.chunks) {
        EXPECT_EQ(hmac_sha256(golden::keys().chunk_id(), ByteView(plain).subspan(at, chunk.bytes)), chunk.id);
        at += chunk.bytes;
      }
      blocks[record.id] = plain;
    }
  }
  EXPECT_EQ(codecs.size(), 3U);
  const Manifest manifest = golden::manifest({});
  Bytes stream;
  for (const RecipePartRef& ref : manifest.streams.front().parts) {
    const auto part = decode_recipe_part(blocks.at(ref.block));
    ASSERT_TRUE(part.ok()) << part.error().message;
    EXPECT_EQ(*part, golden::recipe_part());
    for (const drs::Run& run : part->runs)
      ByteWriter(stream).raw(ByteView(blocks.at(part->blocks[run.block])).subspan(run.offset_bytes, run.bytes));
  }
  EXPECT_EQ(stream, golden::stream_bytes());
  EXPECT_EQ(sha256(stream), manifest.sha256);
  EXPECT_EQ(xxh3_128(stream), manifest.xxh3);
}

// The bytes of each ```hex block of FORMAT.md, by the block's name: on each line, the text before two spaces.
std::map<std::string, Bytes> hex_examples() {
  std::map<std::string, Bytes> out;
  std::ifstream file(DRS_FORMAT_DOCUMENT);
  std::string line, name, digits;
  while (std::getline(file, line)) {
    if (line.starts_with("```hex ")) {
      name = line.substr(7);
      digits.clear();
    } else if (!name.empty() && line == "```") {
      Bytes bytes(digits.size() / 2);
      EXPECT_TRUE(from_hex(digits, bytes)) << name;
      out[name] = bytes;
      name.clear();
    } else if (!name.empty()) {
      for (const char c : line.substr(0, line.find("  ")))
        if (c != ' ') digits += c;
    }
  }
  return out;
}

TEST(FormatDocument, ShowsTheGoldenBytes) {
  const std::map<std::string, Bytes> examples = hex_examples();
  const Bytes object = read_file(kDirectory / config_name(1));
  EXPECT_EQ(examples.at("config-envelope"), Bytes(object.begin(), object.begin() + kEnvelopeBytes));
  EXPECT_EQ(examples.at("config-body"), encode_config(golden::config()));
  EXPECT_EQ(examples.at("recipe-part"), encode_recipe_part(golden::recipe_part()));
}

}  // namespace
}  // namespace drs
