// The repository's parameters (FORMAT.md "Config body").
#pragma once

#include <string>

#include "codecs/chunker.h"
#include "engine/format/kinds.h"
#include "io/base/bytes.h"
#include "io/base/result.h"

namespace drs {

// A reader refuses a repository with an unknown required feature and ignores unknown optional features. Bits 56 to 63
// of the required features mark the drafts of the format before release 0.1. A config has exactly the bit of this
// code's draft, so repositories of other development versions are refused. FORMAT.md "Config body".
inline constexpr std::uint64_t kDraftFeatures = 0xFFULL << 56;
inline constexpr std::uint64_t kDraftFeature = 1ULL << 56;  // stored

struct Config {
  Uuid repository;
  bool encrypted = true;
  Commitment master_commitment;
  ChunkParameters chunks;
  std::uint32_t block_bytes_max = kBlockBytesMax;
  std::uint64_t required_features = kDraftFeature;
  std::uint64_t optional_features = 0;
  WallNs created_ns = 0;
  std::string tool_version;
};

Bytes encode_config(const Config& config);
// Errors: kCorrupt, kTruncated; kFormatTooNew (unknown version, suite, encryption or required feature; a different
// draft of the format).
Result<Config> decode_config(ByteView body);

}  // namespace drs
