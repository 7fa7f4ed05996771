// The repository's parameters (FORMAT.md "Config body").
#pragma once

#include <string>

#include "codecs/chunker.h"
#include "engine/format/kinds.h"
#include "io/bytes.h"
#include "io/result.h"

namespace drs {

// Required features whose bit an old reader does not know make it refuse the repository; optional ones it ignores.
// Bits 56 to 63 of the required ones are for the drafts of the format before release 0.1. A config has exactly the bit
// of the draft that this code is: repositories of other development versions are refused. FORMAT.md "Config body".
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
// Errors: kCorrupt, kTruncated; kFormatTooNew (version, suite, encryption or required feature unknown here; another
// draft of the format).
Result<Config> decode_config(ByteView body);

}  // namespace drs
