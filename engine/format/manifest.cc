#include "engine/format/manifest.h"

#include <limits>

#include "engine/format/corrupt.h"

namespace drs {
namespace {

constexpr std::string_view kManifest = "manifest";
constexpr std::size_t kPartBytes = 40;
constexpr std::size_t kTagBytesMin = 4;

void write_parts(ByteWriter& writer, const std::vector<RecipePartRef>& parts) {
  DRS_ASSERT(parts.size() <= kManifestPartsMax, "a manifest has at most 65,536 recipe parts");
  writer.u32(static_cast<std::uint32_t>(parts.size()));
  for (const RecipePartRef& part : parts) {
    writer.raw(part.block.session.view());
    writer.u64(part.block.counter);
    writer.u64(part.stream_offset_bytes);
    writer.u64(part.stream_bytes);
  }
}

void write_tags(ByteWriter& writer, const std::map<std::string, std::string>& tags) {
  DRS_ASSERT(tags.size() <= 0xFFFF, "a manifest has at most 65,535 tags");
  writer.u16(static_cast<std::uint16_t>(tags.size()));
  for (const auto& [key, value] : tags) {
    writer.short_string(key);
    writer.short_string(value);
  }
}

// Parts lie end to end from 0 to `stream_bytes`, and none is empty.
Result<std::vector<RecipePartRef>> read_parts(ByteReader& reader, std::uint64_t stream_bytes) {
  const std::uint32_t count = reader.u32();
  DRS_RETURN_IF_ERROR(reader.check());
  if (count > kManifestPartsMax)
    return corrupt(kManifest, ": ", count, " recipe parts, at most ", kManifestPartsMax, " are allowed");
  if (count > reader.remaining() / kPartBytes)
    return Error(ErrorCode::kTruncated, "manifest: " + std::to_string(count) + " recipe parts do not fit the " +
                                            std::to_string(reader.remaining()) + " bytes that are left");
  std::vector<RecipePartRef> parts(count);
  std::uint64_t end_bytes = 0;
  for (RecipePartRef& part : parts) {
    part.block = {.session = reader.fixed<16>(), .counter = reader.u64()};
    part.stream_offset_bytes = reader.u64();
    part.stream_bytes = reader.u64();
    if (part.stream_offset_bytes != end_bytes)
      return corrupt(kManifest, ": recipe part begins at ", part.stream_offset_bytes, ", expected ", end_bytes);
    if (part.stream_bytes == 0 || part.stream_bytes > stream_bytes - end_bytes)
      return corrupt(kManifest, ": recipe part at ", end_bytes, " has ", part.stream_bytes, " bytes, expected 1 to ",
                     stream_bytes - end_bytes);
    end_bytes += part.stream_bytes;
  }
  if (end_bytes != stream_bytes)
    return corrupt(kManifest, ": recipe parts end at ", end_bytes, ", the stream at ", stream_bytes);
  return parts;
}

Result<std::map<std::string, std::string>> read_tags(ByteReader& reader) {
  const std::uint16_t count = reader.u16();
  if (count > reader.remaining() / kTagBytesMin)
    return Error(ErrorCode::kTruncated, "manifest: " + std::to_string(count) + " tags do not fit the " +
                                            std::to_string(reader.remaining()) + " bytes that are left");
  std::map<std::string, std::string> tags;
  for (std::uint16_t i = 0; i < count; ++i) {
    std::string key = reader.short_string();
    std::string value = reader.short_string();
    DRS_RETURN_IF_ERROR(reader.check());
    if (!tags.empty() && key <= tags.rbegin()->first) return corrupt(kManifest, ": tags are not sorted by key");
    tags.emplace_hint(tags.end(), std::move(key), std::move(value));
  }
  return tags;
}

// The whole-stream digest and the flag before it.
Result<std::optional<Digest>> read_optional_digest(ByteReader& reader) {
  const std::uint8_t has_digest = reader.u8();
  const Digest digest = reader.fixed<32>();
  if (has_digest > 1) return corrupt(kManifest, ": flag of the SHA-256 is ", has_digest, ", expected 0 or 1");
  if (has_digest == 1) return std::optional<Digest>(digest);
  if (!digest.is_zero()) return corrupt(kManifest, ": SHA-256 is absent, but its bytes are not zero");
  return std::optional<Digest>();
}

Result<void> check_chain(const Manifest& manifest) {
  if (manifest.sequence == 0) return corrupt(kManifest, ": sequence is 0, expected at least 1");
  if (manifest.predecessor_name.empty() != manifest.predecessor_digest.is_zero())
    return corrupt(kManifest, ": name and digest of the predecessor: one is there and one is not");
  return {};
}

}  // namespace

Bytes encode_manifest(const Manifest& manifest) {
  Bytes out;
  ByteWriter writer(out);
  writer.short_string(manifest.stream);
  writer.raw(manifest.session.view());
  writer.u64(manifest.sequence);
  writer.short_string(manifest.predecessor_name);
  writer.raw(manifest.predecessor_digest.view());
  writer.i64(manifest.snapshot_ns);
  writer.i64(manifest.started_ns);
  writer.i64(manifest.finished_ns);
  writer.short_string(manifest.host);
  writer.short_string(manifest.tool_version);
  writer.raw(manifest.config_digest.view());
  writer.u8(static_cast<std::uint8_t>(manifest.producer));
  writer.short_string(manifest.command);
  writer.u32(static_cast<std::uint32_t>(manifest.exit_status));
  writer.short_string(manifest.stderr_tail);
  writer.short_string(manifest.trailer_pattern);
  writer.u64(manifest.bytes);
  writer.u8(manifest.sha256.has_value() ? 1 : 0);
  writer.raw(manifest.sha256.value_or(Digest{}).view());
  writer.raw(manifest.xxh3.view());
  writer.u64(manifest.chunk_count);
  writer.u64(manifest.new_bytes);
  writer.u64(manifest.stored_bytes);
  write_parts(writer, manifest.parts);
  write_tags(writer, manifest.tags);
  return out;
}

Result<Manifest> decode_manifest(ByteView body) {
  ByteReader reader(body, kManifest);
  Manifest manifest;
  manifest.stream = reader.short_string();
  manifest.session = reader.fixed<16>();
  manifest.sequence = reader.u64();
  manifest.predecessor_name = reader.short_string();
  manifest.predecessor_digest = reader.fixed<32>();
  manifest.snapshot_ns = reader.i64();
  manifest.started_ns = reader.i64();
  manifest.finished_ns = reader.i64();
  manifest.host = reader.short_string();
  manifest.tool_version = reader.short_string();
  manifest.config_digest = reader.fixed<32>();
  const std::uint8_t producer = reader.u8();
  manifest.command = reader.short_string();
  manifest.exit_status = static_cast<std::int32_t>(reader.u32());
  manifest.stderr_tail = reader.short_string();
  manifest.trailer_pattern = reader.short_string();
  manifest.bytes = reader.u64();
  DRS_RETURN_IF_ERROR(reader.check());
  DRS_RETURN_IF_ERROR(check_chain(manifest));
  if (producer > 2) return corrupt(kManifest, ": producer is ", producer, ", expected 0 to 2");
  manifest.producer = static_cast<ProducerKind>(producer);
  DRS_ASSIGN_OR_RETURN(manifest.sha256, read_optional_digest(reader));
  manifest.xxh3 = reader.fixed<16>();
  manifest.chunk_count = reader.u64();
  manifest.new_bytes = reader.u64();
  manifest.stored_bytes = reader.u64();
  DRS_ASSIGN_OR_RETURN(manifest.parts, read_parts(reader, manifest.bytes));
  DRS_ASSIGN_OR_RETURN(manifest.tags, read_tags(reader));
  DRS_RETURN_IF_ERROR(reader.finish());
  return manifest;
}

}  // namespace drs
