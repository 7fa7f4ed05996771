// Evidence of a sweep (FORMAT.md "Documents", kind 14): which packs it has read, and which snapshots it has rebuilt.
// Anyone with the key can tell from it, together with a list of the packs, what was proven and when.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/format/kinds.h"
#include "io/base/bytes.h"
#include "io/base/result.h"

namespace drs {

// What was done with the bytes of a pack. Stored; never renumber.
enum class ProofLevel : std::uint8_t {
  kDigest = 1,   // the SHA-256 of all bytes was compared with the name
  kDecoded = 2,  // and every block was opened, decompressed and compared with its chunk ids
};

// The first 16 bytes of the SHA-256 over the names of packs, 32 bytes each, in ascending order.
using NamesDigest = FixedBytes<16>;

// Packs that were read to their end and found intact: those whose names lie from `from` to `to`, both included, and
// whose time by the store's clock is after `since_ns` and at or before `until_ns`, as far as they were listed.
struct VerifiedArc {
  Digest from, to;
  WallNs since_ns = -1;  // -1: all before, also packs whose time is unknown, which is 0
  WallNs until_ns = 0;
  // A time by the store's clock before the packs were listed. A pack that is not older by an hour may have been missing
  // in that list: then `names` decides.
  WallNs listed_ns = 0;
  std::uint64_t packs = 0, bytes = 0;
  NamesDigest names;
  ProofLevel level = ProofLevel::kDigest;
  WallNs proven_ns = 0;  // before the first of them was read
  friend bool operator==(const VerifiedArc&, const VerifiedArc&) = default;
};

// A pack that was found damaged: earlier arcs do not prove it, and later ones of at least this level do.
struct DamagedPack {
  Digest pack;
  ProofLevel level = ProofLevel::kDigest;
  WallNs proven_ns = 0;
  friend bool operator==(const DamagedPack&, const DamagedPack&) = default;
};

// A snapshot that was rebuilt completely and compared with the SHA-256 in its manifest; of topics, with the digests of
// its records.
struct RebuiltSnapshot {
  Digest manifest;    // document_identity
  bool well = false;  // it was equal
  WallNs proven_ns = 0;
  friend bool operator==(const RebuiltSnapshot&, const RebuiltSnapshot&) = default;
};

// How much was proven at the end of a sweep: for charts, and no proof of anything.
struct CoverageMoment {
  WallNs ended_ns = 0;
  std::uint64_t within_ns = 0;  // what counted: proven within this time
  std::uint64_t bytes = 0;      // of all packs that are not condemned
  std::uint64_t proven_bytes = 0;
  friend bool operator==(const CoverageMoment&, const CoverageMoment&) = default;
};

// Per object. A sweep that has more to say writes several.
inline constexpr std::size_t kVerifiedArcsMax = 20'000;
inline constexpr std::size_t kVerifiedDamagedMax = 10'000;
inline constexpr std::size_t kVerifiedRebuiltMax = 20'000;
inline constexpr std::size_t kVerifiedMomentsMax = 2'000;
inline constexpr std::size_t kVerifiedTextBytesMax = 255;  // of `host`, of `tool`

// All times are by the clock of the sweep's machine, and `ended_ns` is the last of them: the time of the object by the
// store's clock shows how far that clock was off. Those of a folded record are corrected already.
struct Verified {
  bool folded = false;  // stands for several records that a prune has joined
  WallNs ended_ns = 0;
  // When it was checked whether every snapshot has all that it needs, and whether that was so; 0: it was not checked.
  WallNs structure_ns = 0;
  bool structure_whole = false;
  std::string host, tool;
  std::vector<VerifiedArc> arcs;
  std::vector<DamagedPack> damaged;
  std::vector<RebuiltSnapshot> rebuilt;
  std::vector<CoverageMoment> moments;
  friend bool operator==(const Verified&, const Verified&) = default;
};
// Requires the bounds above.
Bytes encode_verified(const Verified& verified);
// Errors: kTruncated, kCorrupt, kFormatTooNew (a level that this version does not know).
Result<Verified> decode_verified(ByteView body);

}  // namespace drs
