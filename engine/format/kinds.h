// The numbers and bounds of the stored format. All are stored; never renumber them (docs/FORMAT.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "io/base/bytes.h"

namespace drs {

enum class ObjectKind : std::uint8_t {
  kPack = 1,
  kIndex = 2,
  kManifest = 3,
  kRemoved = 4,
  kConfig = 5,
  kSlot = 6,
  kSession = 7,
  kCondemned = 8,
  kDamaged = 9,
  kWaits = 10,
  kFence = 11,  // has no prefix of its own: it is stored under the name of a manifest
  kRetired = 12,
  kKept = 13,
  kVerified = 14,
  kHold = 15,
};
// How version 1 handles unknown values, each with a test (tests/engine/format/evolution_test.cc):
// - envelope version, suite, key method (1: public key, 2: another master key, whose number is in the key blob; both
//   reserved), flags, key blob; kinds of objects, blocks and slots; codecs; a signature; the number of a slot's master
//   key; a config's version and required features; enumerations inside bodies: kFormatTooNew. A 0 in a field for which
//   no version defines 0 is damage. A slot that is too new is skipped with a notice if another slot opens the
//   repository.
// - optional features in the config, objects whose names have an unknown prefix: ignored.
// - a config that is too new: kFormatTooNew, never a fall-back to a config with a lower number.
// Only a later `drstream upgrade`, run with the owner's credentials, will write config/<n+1>. `copy` copies a newer
// config from the source to its replica unchanged, before any other object. Today `init` writes config/00000001, and
// `init --replica-of` writes all configs of the source; no command writes a second one.
bool is_known_kind(std::uint8_t kind);
std::string_view object_kind_name(ObjectKind kind);  // "pack", "index", "manifest", ...

enum class SealKind : std::uint8_t {
  kDataBlock = 1,
  kRecipeBlock = 2,
  kPackTable = 3,
  kIndexSummary = 4,
  kIndexHooks = 5,
  kIndexDirectory = 6,
  kChunkList = 7,
  kDocument = 8,
};

enum class BlockKind : std::uint8_t { kData = 1, kRecipe = 2 };

// Key classes: each has its own sub-key (FORMAT.md "Keys").
enum class KeyClass : std::uint8_t { kData, kMetadata, kManifest, kConfig };

inline constexpr std::uint8_t kFormatVersion = 1;
inline constexpr std::size_t kBlockBytesMax = 1 * kMiB;
inline constexpr std::size_t kPackBlocksMax = 1024;
inline constexpr std::size_t kPackBytesMax = 128 * kMiB;
inline constexpr std::size_t kIndexBlocksMax = 4096;
inline constexpr std::size_t kIndexBytesMax = 64 * kMiB;
inline constexpr std::size_t kDocumentBytesMax = 4 * kMiB;
inline constexpr std::size_t kSlotBytesMax = 64 * kKiB;
inline constexpr unsigned kHookShift = 4;  // a chunk is a hook if this many low bits of its word are 0

using WallNs = std::int64_t;  // nanoseconds since 1970-01-01 UTC
using ChunkId = FixedBytes<32>;
using Salt = FixedBytes<32>;
using Commitment = FixedBytes<32>;

// The word of a chunk id: its first 8 bytes as u64. Samples, hooks and the dedup index's fingerprints are based on it.
inline std::uint64_t chunk_word(const ChunkId& id) {
  std::uint64_t word;
  std::memcpy(&word, id.data.data(), sizeof word);
  return word;
}

// The permanent name of a block.
struct BlockId {
  Uuid session;
  std::uint64_t counter = 0;
  friend bool operator==(const BlockId&, const BlockId&) = default;
  friend auto operator<=>(const BlockId&, const BlockId&) = default;
};
struct BlockIdHash {
  std::size_t operator()(const BlockId& id) const noexcept {
    return FixedBytesHash{}(id.session) ^ (static_cast<std::size_t>(id.counter) * 0x9E3779B97F4A7C15ULL);
  }
};
std::string to_string(const BlockId& id);  // "<session hex>:<counter>"

struct ChunkEntry {
  ChunkId id;
  std::uint16_t bytes = 0;
  friend bool operator==(const ChunkEntry&, const ChunkEntry&) = default;
};
inline constexpr std::size_t kChunkEntryBytes = 34;

}  // namespace drs
