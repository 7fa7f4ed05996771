// The golden repository: a small, complete repository of format version 1 with fixed keys, salts and times. Its files
// in tests/golden/v1/ are never rewritten; tests rebuild it in memory and compare.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/format/config.h"
#include "engine/format/index.h"
#include "engine/format/keys.h"
#include "engine/format/manifest.h"
#include "engine/format/pack.h"
#include "engine/format/recipe.h"
#include "engine/format/retention.h"
#include "engine/format/slot.h"
#include "io/base/bytes.h"

namespace drs::golden {

inline constexpr std::string_view kStream = "postgres/main";
inline constexpr std::string_view kPassphrase = "correct horse battery staple";

// Every fixed value is the beginning of SHA-256("drstream golden " + label).
Digest fixed_digest(std::string_view label);
Uuid fixed_uuid(std::string_view label);

RepositoryKeys keys();
Bytes raw_key();  // unlocks the raw slot

Config config();
RecipePart recipe_part();
Manifest manifest(const Digest& config_object_digest);
RemovedMark removed();
SessionRecord session();
Fence fence();
// A manifest of a later version: an archive of topics, with a catalogue and a segment.
Manifest topics_manifest();
CondemnedPacks condemned();
DamagedMark damaged();
Waits waits();
Retired retired();  // a fence and two marks
Hold kept();        // forever, and ends two objects under holds/
Hold hold();

// A block with its plaintext.
struct PlainBlock {
  TableBlock block;  // without its location in the pack
  Bytes plain;
};
std::vector<PlainBlock> raw_pack_blocks();         // one data block of 40 chunks, and the recipe part
std::vector<PlainBlock> compressed_pack_blocks();  // one zstd and one lz4 block, of an older session
// The restored bytes of the manifest's snapshot.
Bytes stream_bytes();

struct BuiltPack {
  Bytes object;
  std::vector<TableBlock> table;
};
BuiltPack build_pack(std::string_view salt_label, const std::vector<PlainBlock>& blocks);

// Objects by name. reproducible_objects() returns those that do not depend on a compressor's output; the caller passes
// the packs that the index refers to.
std::map<std::string, Bytes> reproducible_objects();
Bytes index_object(const std::vector<PackContents>& packs);
Bytes raw_slot();
Bytes passphrase_slot();
std::string clear_slot_file();  // not part of the repository: "slots/clear.bin"
std::string topics_file();      // nor is this manifest, whose blocks are in no pack: "documents/topics.bin"
std::string topics_name();      // the name that its seal binds
// Further objects of the same repository, in tests/golden/v1-retention/. Those of v1 were not rewritten for them.
std::map<std::string, Bytes> retention_objects();
PackContents contents_of(const Bytes& pack_object, std::vector<TableBlock> table);

// The contents of expected.json: the values that a reader in any language must find.
std::string expected_json(const std::map<std::string, Bytes>& objects);
std::string expected_retention_json(const std::map<std::string, Bytes>& objects);

}  // namespace drs::golden
