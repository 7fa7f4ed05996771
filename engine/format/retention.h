// The documents of retention and deletion (FORMAT.md "Documents"): which sessions a deletion waits for, old removal
// marks in one object, and snapshots that must be kept.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/format/kinds.h"
#include "engine/format/names.h"
#include "io/base/bytes.h"
#include "io/base/result.h"

namespace drs {

inline constexpr std::size_t kWaitingSessionsMax = 60'000;  // per object

// The last object under sessions/ of a session that was there when its waits were listed.
struct WaitingSession {
  Uuid session;
  StreamTag tag;
  std::uint32_t number = 0;  // the highest of its objects
  Digest digest;             // SHA-256 of that object's bytes; zeros if it could not be read
  friend bool operator==(const WaitingSession&, const WaitingSession&) = default;
};

// The sessions that may use what a condemned record names. Listed after the record was durable.
struct Waits {
  Uuid record;  // of condemned/<record>; also the end of this object's name
  WallNs listed_ns = 0;
  std::vector<WaitingSession> sessions;  // stored sorted by (session, tag), each once
  friend bool operator==(const Waits&, const Waits&) = default;
};
// Requires at most kWaitingSessionsMax sessions, none twice.
Bytes encode_waits(Waits waits);
// Errors of this and of the decoders below: kTruncated, kCorrupt.
Result<Waits> decode_waits(ByteView body);

inline constexpr std::size_t kRetiredEntriesMax = 40'000;  // per object

// Stands for one removal mark, or for a fence: then `digest` and `sequence` are zero. A mark without a digest cannot be
// retired.
struct RetiredEntry {
  Uuid session;
  Digest digest;  // document_identity of the manifest
  std::uint64_t sequence = 0;
  WallNs removed_ns = 0;  // or fenced
  [[nodiscard]] bool is_fence() const { return digest == Digest{}; }
  friend bool operator==(const RetiredEntry&, const RetiredEntry&) = default;
};

struct Retired {
  StreamTag tag;
  std::string stream;                 // empty if it is unknown: all entries are fences whose text could not be read
  std::vector<RetiredEntry> entries;  // stored sorted by session, each once
  friend bool operator==(const Retired&, const Retired&) = default;
};
// Requires at most kRetiredEntriesMax entries, none twice.
Bytes encode_retired(Retired retired);
Result<Retired> decode_retired(ByteView body);

inline constexpr std::size_t kHoldReasonBytesMax = 4 * kKiB;
inline constexpr std::size_t kHoldOverridesMax = 1024;
inline constexpr int kHoldDaysMax = 366;  // of an object under holds/

// A snapshot that no rule, no command and no prune may drop. Two kinds of objects have this body:
// - kept/, which only pruners create. The one with the highest number counts; `until_ns` at or before `held_ns` ends
//   the hold, unless it is 0. It also ends the holds/ objects whose numbers it lists.
// - holds/, which writers create as well. Each counts by itself, for at most kHoldDaysMax from the store's time of the
//   object. It lists no overrides.
struct Hold {
  std::string manifest_name;
  Digest manifest_digest;
  WallNs held_ns = 0;
  WallNs until_ns = 0;  // 0: for ever
  std::string reason;
  std::vector<std::uint32_t> overrides;  // numbers of holds/ objects; sorted, each once
  friend bool operator==(const Hold&, const Hold&) = default;
};
// Requires a reason of at most kHoldReasonBytesMax and at most kHoldOverridesMax overrides, in order.
Bytes encode_hold(const Hold& hold);
Result<Hold> decode_hold(ByteView body);

}  // namespace drs
