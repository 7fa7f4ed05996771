#include "engine/format/config.h"

#include "engine/format/corrupt.h"

namespace drs {
namespace {

constexpr std::uint8_t kSuite = 1;  // stored
constexpr std::uint64_t kRequiredFeaturesKnown = kDraftFeature;

Result<void> check_config(const Config& config) {
  if (auto valid = validate(config.chunks); !valid.ok()) return corrupt("config: ", valid.error().message);
  if (config.block_bytes_max < config.chunks.bytes_max || config.block_bytes_max > kBlockBytesMax)
    return corrupt("config: block bytes max is ", config.block_bytes_max, ", expected ", config.chunks.bytes_max,
                   " to ", kBlockBytesMax);
  return {};
}

}  // namespace

Bytes encode_config(const Config& config) {
  DRS_ASSERT(check_config(config).ok() && (config.required_features & kDraftFeatures) == kDraftFeature,
             "an invalid config cannot be stored");
  Bytes out;
  ByteWriter writer(out);
  writer.u16(kFormatVersion);
  writer.raw(config.repository.view());
  writer.u8(kSuite);
  writer.u8(config.encrypted ? 1 : 0);
  writer.raw(config.master_commitment.view());
  writer.u32(config.chunks.bytes_min);
  writer.u32(config.chunks.bytes_mean);
  writer.u32(config.chunks.bytes_max);
  writer.u8(config.chunks.normalization);
  writer.u32(config.block_bytes_max);
  writer.u64(config.required_features);
  writer.u64(config.optional_features);
  writer.i64(config.created_ns);
  writer.short_string(config.tool_version);
  return out;
}

Result<Config> decode_config(ByteView body) {
  ByteReader reader(body, "config");
  const std::uint16_t version = reader.u16();
  DRS_RETURN_IF_ERROR(reader.check());
  if (version == 0) return corrupt("config: format version is 0, expected 1");
  if (version > kFormatVersion) return too_new("config: format version is ", version, ", known is ", kFormatVersion);
  Config config;
  config.repository = reader.fixed<16>();
  const std::uint8_t suite = reader.u8();
  const std::uint8_t encryption = reader.u8();
  config.encrypted = encryption == 1;
  config.master_commitment = reader.fixed<32>();
  config.chunks.bytes_min = reader.u32();
  config.chunks.bytes_mean = reader.u32();
  config.chunks.bytes_max = reader.u32();
  config.chunks.normalization = reader.u8();
  config.block_bytes_max = reader.u32();
  config.required_features = reader.u64();
  config.optional_features = reader.u64();
  config.created_ns = reader.i64();
  config.tool_version = reader.short_string();
  DRS_RETURN_IF_ERROR(reader.check());
  if (suite == 0) return corrupt("config: suite is 0, expected 1");
  if (suite > kSuite) return too_new("config: suite is ", suite, ", known is 1");
  if ((config.required_features & kDraftFeatures) != kDraftFeature)
    return Error(
        ErrorCode::kFormatTooNew,
        "config: the repository was written by another development version of drstream before 0.1 (draft bits " +
            std::to_string(config.required_features >> 56) + ", this one's are " + std::to_string(kDraftFeature >> 56) +
            "); it is not damaged: pull its snapshots with that version, and push them with this one");
  // Checked before left-over bytes: a required feature may add fields at the end.
  if (const std::uint64_t unknown = config.required_features & ~kRequiredFeaturesKnown; unknown != 0)
    return too_new("config: required features ", unknown, " (bits) are unknown");
  if (encryption > 1) return too_new("config: encryption is ", encryption, ", known are 0 and 1");
  DRS_RETURN_IF_ERROR(reader.finish());
  DRS_RETURN_IF_ERROR(check_config(config));
  return config;
}

}  // namespace drs
