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

enum class ProducerKind : std::uint8_t { kUnseen = 0, kExitStatus = 1, kFileEnd = 2 };  // stored

struct RecipePartRef {
  BlockId block;
  std::uint64_t stream_offset_bytes = 0;
  std::uint64_t stream_bytes = 0;
  friend bool operator==(const RecipePartRef&, const RecipePartRef&) = default;
};

struct Manifest {
  std::string stream;
  Uuid session;
  std::uint64_t sequence = 1;
  std::string predecessor_name;
  Digest predecessor_digest;
  WallNs snapshot_ns = 0;
  WallNs started_ns = 0;
  WallNs finished_ns = 0;
  std::string host;
  std::string tool_version;
  Digest config_digest;
  ProducerKind producer = ProducerKind::kUnseen;
  std::string command;
  std::int32_t exit_status = 0;
  std::string stderr_tail;
  std::string trailer_pattern;
  std::uint64_t bytes = 0;
  std::optional<Digest> sha256;
  Xxh3Digest xxh3;
  std::uint64_t chunk_count = 0;
  std::uint64_t new_bytes = 0;
  std::uint64_t stored_bytes = 0;
  std::vector<RecipePartRef> parts;  // at most kManifestPartsMax
  std::map<std::string, std::string> tags;
  friend bool operator==(const Manifest&, const Manifest&) = default;
};
Bytes encode_manifest(const Manifest& manifest);
// Errors: kTruncated, kCorrupt (also: parts that are empty or do not lie end to end from 0 to `bytes`; an empty stream
// has none; a predecessor with a name and no digest, or the other way round).
Result<Manifest> decode_manifest(ByteView body);

}  // namespace drs
