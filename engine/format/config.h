// The repository's parameters (FORMAT.md "Config body").
#pragma once

#include <string>

#include "codecs/chunker.h"
#include "engine/format/kinds.h"
#include "io/bytes.h"
#include "io/result.h"

namespace drs {

struct Config {
  Uuid repository;
  bool encrypted = true;
  Commitment master_commitment;
  ChunkParameters chunks;
  std::uint32_t block_bytes_max = kBlockBytesMax;
  std::uint64_t required_features = 0;
  std::uint64_t optional_features = 0;
  WallNs created_ns = 0;
  std::string tool_version;
};

Bytes encode_config(const Config& config);
// Errors: kCorrupt, kTruncated; kFormatTooNew (version, suite or required feature unknown here).
Result<Config> decode_config(ByteView body);

}  // namespace drs
