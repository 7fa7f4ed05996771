// Manifests (FORMAT.md "Manifest body"). Includes marks.h, since a reader of manifests must also handle removed marks
// and fences.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "codecs/xxh3.h"
#include "engine/format/kinds.h"
#include "engine/format/manifest_bounds.h"
#include "engine/format/marks.h"
#include "io/base/bytes.h"
#include "io/base/result.h"

namespace drs {

// Stored. 3: the ends of all partitions that an archive of topics had captured.
enum class ProducerKind : std::uint8_t { kUnseen = 0, kExitStatus = 1, kFileEnd = 2, kEndsReached = 3 };

// Stored. The kind of a snapshot's streams. 2 is reserved for archives of topics: all commands check and copy it, but
// none writes or restores it yet.
enum class ManifestContent : std::uint8_t { kBytes = 0, kTopics = 1, kTopicSegments = 2 };
std::string_view content_name(ManifestContent content);  // "bytes", "topics", "topic segments"

struct RecipePartRef {
  BlockId block;
  std::uint64_t stream_offset_bytes = 0;
  std::uint64_t stream_bytes = 0;
  friend bool operator==(const RecipePartRef&, const RecipePartRef&) = default;
};

// One of the streams of a snapshot.
struct ManifestStream {
  std::string label;  // unique; empty for the one stream of a push
  Uuid session;       // the session that wrote it
  std::uint64_t bytes = 0;
  std::optional<Digest> sha256;
  Xxh3Digest xxh3;
  std::uint64_t chunk_count = 0;
  std::vector<RecipePartRef> parts;
  friend bool operator==(const ManifestStream&, const ManifestStream&) = default;
};

// A manifest of the same stream that the push found but could not read.
struct UnreadableManifest {
  std::string name;
  Digest digest;  // SHA-256 of its bytes; zeros if they could not be read
  friend bool operator==(const UnreadableManifest&, const UnreadableManifest&) = default;
};

// The identifying part of a manifest: small, so that those of all snapshots fit into memory.
struct ManifestHeader {
  std::string stream;
  Uuid session;
  std::uint64_t sequence = 1;
  std::string predecessor_name;
  Digest predecessor_digest;  // document_identity
  WallNs snapshot_ns = 0;
  WallNs started_ns = 0;
  WallNs finished_ns = 0;
  std::string host;
  std::string tool_version;
  Digest config_digest;  // document_identity
  ProducerKind producer = ProducerKind::kUnseen;
  std::string command;
  std::int32_t exit_status = 0;
  std::string stderr_tail;
  std::string trailer_pattern;
  ManifestContent content = ManifestContent::kBytes;
  std::uint64_t bytes = 0;        // of all streams
  std::uint64_t chunk_count = 0;  // of all streams
  std::uint64_t new_bytes = 0;
  std::uint64_t stored_bytes = 0;
  // For content kBytes, the digests of its one stream. Otherwise empty and zeros.
  std::optional<Digest> sha256;
  Xxh3Digest xxh3;
  std::map<std::string, std::string> tags;
  friend bool operator==(const ManifestHeader&, const ManifestHeader&) = default;
};

struct Manifest : ManifestHeader {
  std::vector<UnreadableManifest> unreadable;  // sorted by name
  std::vector<ManifestStream> streams;
  // Replaces the streams by `only`, and sets sums and digests from it.
  void set_stream(ManifestStream only);
  friend bool operator==(const Manifest&, const Manifest&) = default;
};

// Errors: kUsage (a field exceeds its bound; see manifest_bounds.h).
Result<Bytes> encode_manifest(const Manifest& manifest);
// Errors: kTruncated; kCorrupt (also: a field exceeds its bound; parts are empty or not contiguous from 0 to the length
// of their stream; sums differ from those of the streams; a label is used twice; content kBytes has a label or not
// exactly one stream; a predecessor has only one of name and digest); kFormatTooNew (unknown producer or content).
Result<Manifest> decode_manifest(ByteView body);

// Requires content kBytes, for callers that cannot handle another. Errors: kUsage (topics), kFormatTooNew.
Result<void> require_bytes(const ManifestHeader& manifest);

}  // namespace drs
