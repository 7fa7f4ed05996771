#include "engine/format/manifest.h"

#include <limits>
#include <unordered_set>
#include <utility>

#include "engine/format/corrupt.h"
#include "engine/format/names.h"

namespace drs {
namespace {

constexpr std::string_view kManifest = "manifest";
constexpr std::size_t kTagBytesMin = 4;
constexpr std::uint8_t kProducerMax = 3;
constexpr std::uint8_t kContentMax = 2;

Error too_many(std::string_view entries, std::uint64_t count, std::size_t remaining_bytes) {
  return {ErrorCode::kTruncated, "manifest: " + std::to_string(count) + " " + std::string(entries) +
                                     " do not fit into the remaining " + std::to_string(remaining_bytes) + " bytes"};
}

Result<void> check_length(std::string_view field, std::size_t bytes, std::size_t bytes_max) {
  if (bytes <= bytes_max) return {};
  return corrupt(kManifest, ": ", field, " has ", bytes, " bytes, at most ", bytes_max, " are allowed");
}

Result<void> check_count(std::string_view entries, std::size_t count, std::size_t count_max) {
  if (count <= count_max) return {};
  return corrupt(kManifest, ": ", count, " ", entries, ", at most ", count_max, " are allowed");
}

Result<void> check_texts(const ManifestHeader& manifest) {
  DRS_RETURN_IF_ERROR(check_length("the stream's name", manifest.stream.size(), kManifestStreamBytesMax));
  DRS_RETURN_IF_ERROR(check_length("the predecessor's name", manifest.predecessor_name.size(), kManifestNameBytes));
  DRS_RETURN_IF_ERROR(check_length("the host", manifest.host.size(), kManifestHostBytesMax));
  DRS_RETURN_IF_ERROR(check_length("the tool's version", manifest.tool_version.size(), kManifestToolBytesMax));
  DRS_RETURN_IF_ERROR(check_length("the command", manifest.command.size(), kManifestCommandBytesMax));
  DRS_RETURN_IF_ERROR(check_length("the tail of stderr", manifest.stderr_tail.size(), kManifestStderrBytesMax));
  DRS_RETURN_IF_ERROR(check_length("the trailer's pattern", manifest.trailer_pattern.size(), kManifestTrailerBytesMax));
  std::size_t tags_bytes = 0;
  for (const auto& [key, value] : manifest.tags) tags_bytes += kTagBytesMin + key.size() + value.size();
  return check_length("the list of tags", tags_bytes, kManifestTagsBytesMax);
}

Result<void> check_bounds(const Manifest& manifest) {
  DRS_RETURN_IF_ERROR(check_texts(manifest));
  if (manifest.sequence > kManifestSequenceMax)
    return corrupt(kManifest, ": sequence is ", manifest.sequence, ", at most ", kManifestSequenceMax);
  DRS_RETURN_IF_ERROR(check_count("unreadable manifests", manifest.unreadable.size(), kManifestUnreadableMax));
  DRS_RETURN_IF_ERROR(check_count("streams", manifest.streams.size(), kManifestStreamsMax));
  std::size_t parts = 0;
  for (const ManifestStream& stream : manifest.streams) {
    DRS_RETURN_IF_ERROR(check_length("a stream's label", stream.label.size(), kManifestLabelBytesMax));
    parts += stream.parts.size();
  }
  return check_count("recipe parts", parts, kManifestPartsMax);
}

void write_stream(ByteWriter& writer, const ManifestStream& stream) {
  writer.short_string(stream.label);
  writer.raw(stream.session.view());
  writer.u64(stream.bytes);
  writer.u8(stream.sha256.has_value() ? 1 : 0);
  writer.raw(stream.sha256.value_or(Digest{}).view());
  writer.raw(stream.xxh3.view());
  writer.u64(stream.chunk_count);
  writer.u32(static_cast<std::uint32_t>(stream.parts.size()));
  for (const RecipePartRef& part : stream.parts) {
    writer.raw(part.block.session.view());
    writer.u64(part.block.counter);
    writer.u64(part.stream_offset_bytes);
    writer.u64(part.stream_bytes);
  }
}

// The parts must be non-empty and contiguous from 0 to `stream_bytes`. `parts_left`: how many more parts the manifest
// may have.
Result<std::vector<RecipePartRef>> read_parts(ByteReader& reader, std::uint64_t stream_bytes, std::size_t& parts_left) {
  const std::uint32_t count = reader.u32();
  DRS_RETURN_IF_ERROR(reader.check());
  if (count > parts_left)
    return corrupt(kManifest, ": ", kManifestPartsMax - parts_left, " and ", count, " recipe parts, at most ",
                   kManifestPartsMax, " are allowed");
  if (count > reader.remaining() / kManifestPartBytes) return too_many("recipe parts", count, reader.remaining());
  parts_left -= count;
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
    return corrupt(kManifest, ": recipe parts end at ", end_bytes, ", their stream ends at ", stream_bytes);
  return parts;
}

// Reads the digest of the complete stream and the flag before it.
Result<std::optional<Digest>> read_optional_digest(ByteReader& reader) {
  const std::uint8_t has_digest = reader.u8();
  const Digest digest = reader.fixed<32>();
  if (has_digest > 1) return corrupt(kManifest, ": flag of the SHA-256 is ", has_digest, ", expected 0 or 1");
  if (has_digest == 1) return std::optional<Digest>(digest);
  if (!digest.is_zero()) return corrupt(kManifest, ": SHA-256 is absent, but its bytes are not zero");
  return std::optional<Digest>();
}

Result<std::vector<ManifestStream>> read_streams(ByteReader& reader) {
  const std::uint32_t count = reader.u32();
  DRS_RETURN_IF_ERROR(reader.check());
  DRS_RETURN_IF_ERROR(check_count("streams", count, kManifestStreamsMax));
  if (count > reader.remaining() / kStreamBytesMin) return too_many("streams", count, reader.remaining());
  std::vector<ManifestStream> streams(count);
  std::size_t parts_left = kManifestPartsMax;
  for (ManifestStream& stream : streams) {
    stream.label = reader.short_string();
    stream.session = reader.fixed<16>();
    stream.bytes = reader.u64();
    DRS_ASSIGN_OR_RETURN(stream.sha256, read_optional_digest(reader));
    stream.xxh3 = reader.fixed<16>();
    stream.chunk_count = reader.u64();
    DRS_RETURN_IF_ERROR(reader.check());
    DRS_ASSIGN_OR_RETURN(stream.parts, read_parts(reader, stream.bytes, parts_left));
  }
  return streams;
}

Result<std::vector<UnreadableManifest>> read_unreadable(ByteReader& reader) {
  const std::uint16_t count = reader.u16();
  DRS_RETURN_IF_ERROR(reader.check());
  DRS_RETURN_IF_ERROR(check_count("unreadable manifests", count, kManifestUnreadableMax));
  if (count > reader.remaining() / kUnreadableBytes) return too_many("unreadable manifests", count, reader.remaining());
  std::vector<UnreadableManifest> unreadable(count);
  const UnreadableManifest* before = nullptr;
  for (UnreadableManifest& entry : unreadable) {
    entry.name = reader.short_string();
    entry.digest = reader.fixed<32>();
    DRS_RETURN_IF_ERROR(reader.check());
    const auto parsed = parse_name(entry.name);
    if (!parsed || parsed->kind != ObjectKind::kManifest)
      return corrupt(kManifest, ": an unreadable manifest's name is not a manifest name");
    if (before != nullptr && entry.name <= before->name)
      return corrupt(kManifest, ": unreadable manifest ", entry.name, " is out of order");
    before = &entry;
  }
  return unreadable;
}

Result<std::map<std::string, std::string>> read_tags(ByteReader& reader) {
  const std::uint16_t count = reader.u16();
  if (count > reader.remaining() / kTagBytesMin) return too_many("tags", count, reader.remaining());
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

Result<void> check_chain(const Manifest& manifest) {
  if (manifest.sequence == 0) return corrupt(kManifest, ": sequence is 0, expected at least 1");
  if (manifest.predecessor_name.empty() != manifest.predecessor_digest.is_zero())
    return corrupt(kManifest, ": of the predecessor's name and digest, one is missing");
  if (manifest.predecessor_name.empty()) return {};
  const auto parsed = parse_name(manifest.predecessor_name);
  if (!parsed || parsed->kind != ObjectKind::kManifest)
    return corrupt(kManifest, ": the predecessor's name is not a manifest name");
  return {};
}

Result<void> check_streams(const Manifest& manifest) {
  if (manifest.streams.empty()) return corrupt(kManifest, ": it has no streams, expected at least one");
  if (manifest.content == ManifestContent::kBytes &&
      (manifest.streams.size() != 1 || !manifest.streams.front().label.empty()))
    return corrupt(kManifest, ": ", manifest.streams.size(), " streams of content 0, expected one without a label");
  std::unordered_set<std::string_view> labels;
  std::uint64_t bytes_left = manifest.bytes;
  std::uint64_t chunks_left = manifest.chunk_count;
  for (const ManifestStream& stream : manifest.streams) {
    if (!labels.insert(stream.label).second) return corrupt(kManifest, ": two streams have the same label");
    if (stream.bytes > bytes_left || stream.chunk_count > chunks_left)
      return corrupt(kManifest, ": its streams have more than the ", manifest.bytes, " bytes and ",
                     manifest.chunk_count, " chunks that it states");
    bytes_left -= stream.bytes;
    chunks_left -= stream.chunk_count;
  }
  if (bytes_left != 0 || chunks_left != 0)
    return corrupt(kManifest, ": its streams have ", bytes_left, " bytes and ", chunks_left,
                   " chunks fewer than it states");
  return {};
}

}  // namespace

std::string_view content_name(ManifestContent content) {
  switch (content) {
    case ManifestContent::kBytes: return "bytes";
    case ManifestContent::kTopics: return "topics";
    case ManifestContent::kTopicSegments: return "topic segments";
  }
  return "unknown";
}

void Manifest::set_stream(ManifestStream only) {
  bytes = only.bytes;
  chunk_count = only.chunk_count;
  sha256 = only.sha256;
  xxh3 = only.xxh3;
  streams.assign(1, std::move(only));
}

Result<Bytes> encode_manifest(const Manifest& manifest) {
  if (auto bounds = check_bounds(manifest); !bounds.ok()) return Error(ErrorCode::kUsage, bounds.error().message);
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
  writer.u8(static_cast<std::uint8_t>(manifest.content));
  writer.u64(manifest.bytes);
  writer.u64(manifest.chunk_count);
  writer.u64(manifest.new_bytes);
  writer.u64(manifest.stored_bytes);
  writer.u16(static_cast<std::uint16_t>(manifest.unreadable.size()));
  for (const UnreadableManifest& entry : manifest.unreadable) {
    writer.short_string(entry.name);
    writer.raw(entry.digest.view());
  }
  writer.u32(static_cast<std::uint32_t>(manifest.streams.size()));
  for (const ManifestStream& stream : manifest.streams) write_stream(writer, stream);
  writer.u16(static_cast<std::uint16_t>(manifest.tags.size()));
  for (const auto& [key, value] : manifest.tags) {
    writer.short_string(key);
    writer.short_string(value);
  }
  DRS_ASSERT(out.size() <= kManifestBodyBytesMax, "a manifest exceeds its bound although its fields keep theirs");
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
  const std::uint8_t content = reader.u8();
  DRS_RETURN_IF_ERROR(reader.check());
  // Checked first: a later version may change the fields below for new producers or contents.
  if (producer > kProducerMax) return too_new(kManifest, ": producer is ", producer, ", known are 0 to ", kProducerMax);
  if (content > kContentMax) return too_new(kManifest, ": content is ", content, ", known are 0 to ", kContentMax);
  manifest.producer = static_cast<ProducerKind>(producer);
  manifest.content = static_cast<ManifestContent>(content);
  manifest.bytes = reader.u64();
  manifest.chunk_count = reader.u64();
  manifest.new_bytes = reader.u64();
  manifest.stored_bytes = reader.u64();
  DRS_ASSIGN_OR_RETURN(manifest.unreadable, read_unreadable(reader));
  DRS_ASSIGN_OR_RETURN(manifest.streams, read_streams(reader));
  DRS_ASSIGN_OR_RETURN(manifest.tags, read_tags(reader));
  DRS_RETURN_IF_ERROR(reader.finish());
  DRS_RETURN_IF_ERROR(check_chain(manifest));
  DRS_RETURN_IF_ERROR(check_streams(manifest));
  DRS_RETURN_IF_ERROR(check_bounds(manifest));
  if (manifest.content == ManifestContent::kBytes) {
    manifest.sha256 = manifest.streams.front().sha256;
    manifest.xxh3 = manifest.streams.front().xxh3;
  }
  return manifest;
}

Result<void> require_bytes(const ManifestHeader& manifest) {
  if (manifest.content == ManifestContent::kBytes) return {};
  if (manifest.content == ManifestContent::kTopics)
    return Error(ErrorCode::kUsage, "snapshot " + manifest.session.hex() + " of " + manifest.stream +
                                        " is an archive of topics: `drstream kafka cat` prints its records");
  return too_new("snapshot ", manifest.session.hex(), " of ", manifest.stream, " holds ",
                 content_name(manifest.content),
                 ", which this drstream can check and copy into a replica, but not restore");
}

}  // namespace drs
