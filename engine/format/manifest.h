// Manifests (FORMAT.md "Manifest body"). With marks.h, since whoever reads manifests must know what became of them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "codecs/xxh3.h"
#include "engine/format/kinds.h"
#include "engine/format/manifest_bounds.h"
#include "engine/format/marks.h"
#include "io/bytes.h"
#include "io/result.h"

namespace drs {

// Stored. No command makes 3 yet (reserved for archives of topics), but all know it.
enum class ProducerKind : std::uint8_t { kUnseen = 0, kExitStatus = 1, kFileEnd = 2, kEndsReached = 3 };

// Stored. What the streams of a snapshot are. 1 and 2 are reserved for archives of topics: they are checked and copied
// like all others, but no command makes or restores them yet.
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
  std::string label;  // distinct; empty for the one stream of a push
  Uuid session;       // that wrote it
  std::uint64_t bytes = 0;
  std::optional<Digest> sha256;
  Xxh3Digest xxh3;
  std::uint64_t chunk_count = 0;
  std::vector<RecipePartRef> parts;
  friend bool operator==(const ManifestStream&, const ManifestStream&) = default;
};

// A manifest of the same stream that the push of this one saw and could not read.
struct UnreadableManifest {
  std::string name;
  Digest digest;  // SHA-256 of its bytes as they were read; zeros where they could not be
  friend bool operator==(const UnreadableManifest&, const UnreadableManifest&) = default;
};

// What tells snapshots apart: small, so that all of a repository's can be held.
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
  // Content kBytes: of its one stream. Else empty and zeros.
  std::optional<Digest> sha256;
  Xxh3Digest xxh3;
  std::map<std::string, std::string> tags;
  friend bool operator==(const ManifestHeader&, const ManifestHeader&) = default;
};

struct Manifest : ManifestHeader {
  std::vector<UnreadableManifest> unreadable;  // sorted by name
  std::vector<ManifestStream> streams;
  // Makes `only` the one stream of this manifest, and sums and digests its own.
  void set_stream(ManifestStream only);
  friend bool operator==(const Manifest&, const Manifest&) = default;
};

// Errors: kUsage (a field exceeds its bound: manifest_bounds.h).
Result<Bytes> encode_manifest(const Manifest& manifest);
// Errors: kTruncated; kCorrupt (also: a field exceeds its bound; parts that are empty or do not lie end to end from 0
// to the bytes of their stream, sums that are not those of the streams, a label twice, content kBytes with a label or
// with another number of streams than one, a predecessor with a name and no digest or the other way round);
// kFormatTooNew (producer or content unknown here).
Result<Manifest> decode_manifest(ByteView body);

// The stream of a snapshot of content kBytes. Errors: kFormatTooNew for others, which `manifest`'s reader cannot
// handle.
Result<void> require_bytes(const ManifestHeader& manifest);

}  // namespace drs
