// The golden repository: a small, complete repository of format version 1 whose keys, salts and times are fixed. It
// stands in tests/golden/v1/ and is never rewritten; tests rebuild it in memory and compare.
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
#include "engine/format/slot.h"
#include "io/bytes.h"

namespace drs::golden {

inline constexpr std::string_view kStream = "postgres/main";
inline constexpr std::string_view kPassphrase = "correct horse battery staple";

// Every fixed value is the beginning of SHA-256("drstream golden " + label).
Digest fixed_digest(std::string_view label);
Uuid fixed_uuid(std::string_view label);

RepositoryKeys keys();
Bytes raw_key();  // what unlocks the raw slot

Config config();
RecipePart recipe_part();
Manifest manifest(const Digest& config_object_digest);
RemovedMark removed();
SessionRecord session();
Fence fence();
// A manifest as later versions write them: an archive of topics, which is a catalogue and a segment.
Manifest topics_manifest();
CondemnedPacks condemned();
DamagedMark damaged();

// A block with its plaintext.
struct PlainBlock {
  TableBlock block;  // without its place in the pack
  Bytes plain;
};
std::vector<PlainBlock> raw_pack_blocks();         // one data block of 40 chunks, and the recipe part
std::vector<PlainBlock> compressed_pack_blocks();  // one zstd and one lz4 block, by an older session
// The bytes that the manifest's snapshot restores.
Bytes stream_bytes();

struct BuiltPack {
  Bytes object;
  std::vector<TableBlock> table;
};
BuiltPack build_pack(std::string_view salt_label, const std::vector<PlainBlock>& blocks);

// Objects by name. What does not depend on a compressor's output is in `reproducible`; the packs that the index names
// come from outside.
std::map<std::string, Bytes> reproducible_objects();
Bytes index_object(const std::vector<PackContents>& packs);
Bytes raw_slot();
Bytes passphrase_slot();
std::string clear_slot_file();  // not part of the repository: "slots/clear.bin"
std::string topics_file();      // nor this, a manifest that names blocks of no pack: "documents/topics.bin"
std::string topics_name();      // the name that it is sealed for
PackContents contents_of(const Bytes& pack_object, std::vector<TableBlock> table);

// What a reader in any language must find, for expected.json.
std::string expected_json(const std::map<std::string, Bytes>& objects);

}  // namespace drs::golden
