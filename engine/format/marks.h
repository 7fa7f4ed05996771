// The small documents beside manifests (FORMAT.md "Documents", "Damaged mark"): removed manifests, running sessions,
// fenced sessions, objects that a prune is about to delete, and damaged packs. retention.h has the others.
#pragma once

#include <string>
#include <vector>

#include "engine/format/kinds.h"
#include "io/base/bytes.h"
#include "io/base/result.h"

namespace drs {

struct RemovedMark {
  std::string manifest_name;
  Digest manifest_digest;
  std::string stream;
  std::uint64_t sequence = 0;
  WallNs removed_ns = 0;
  std::string reason;
  friend bool operator==(const RemovedMark&, const RemovedMark&) = default;
};
Bytes encode_removed(const RemovedMark& mark);
// Errors of this and of the decoders below: kTruncated, kCorrupt.
Result<RemovedMark> decode_removed(ByteView body);

struct SessionRecord {
  Uuid session;
  std::string stream;
  std::string host;
  std::uint64_t process = 0;
  WallNs started_ns = 0;
  WallNs heartbeat_ns = 0;
  friend bool operator==(const SessionRecord&, const SessionRecord&) = default;
};
Bytes encode_session(const SessionRecord& record);
Result<SessionRecord> decode_session(ByteView body);

// Takes the name of a session's manifest: the session ended without a snapshot and can never commit one.
struct Fence {
  Uuid session;
  std::string stream;
  WallNs fenced_ns = 0;
  std::string fenced_by;
  friend bool operator==(const Fence&, const Fence&) = default;
};
Bytes encode_fence(const Fence& fence);
Result<Fence> decode_fence(ByteView body);

inline constexpr std::size_t kCondemnedPacksMax = 65536;  // per object; a prune that condemns more writes several

// For ever: a record is never changed or removed, and what it names is never used again.
struct CondemnedPacks {
  WallNs condemned_ns = 0;
  std::vector<Digest> packs;  // and index objects; stored sorted, each once
  friend bool operator==(const CondemnedPacks&, const CondemnedPacks&) = default;
};
Bytes encode_condemned(const CondemnedPacks& packs);
Result<CondemnedPacks> decode_condemned(ByteView body);

inline constexpr std::size_t kDamagedBlocksMax = 1024;         // per mark; the most blocks that a pack has
inline constexpr std::size_t kDamagedTextBytesMax = 4 * kKiB;  // of `found_by`, of `problem`

// The byte range of a block's seal in its pack.
struct DamagedBlock {
  std::uint32_t offset_bytes = 0;
  std::uint32_t bytes = 0;
  friend bool operator==(const DamagedBlock&, const DamagedBlock&) = default;
};

// The complete object: a damage mark has no envelope and needs no key. Several marks of one pack accumulate.
struct DamagedMark {
  Digest pack;
  Uuid id;  // random; part of its name
  WallNs found_ns = 0;
  std::string found_by;
  std::string problem;
  std::vector<DamagedBlock> blocks;  // sorted by offset, not overlapping; empty: the whole pack
  friend bool operator==(const DamagedMark&, const DamagedMark&) = default;
};
Bytes encode_damaged(const DamagedMark& mark);
// Other errors: kFormatTooNew.
Result<DamagedMark> decode_damaged(ByteView object);

}  // namespace drs
