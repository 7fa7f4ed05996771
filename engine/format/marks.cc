#include "engine/format/marks.h"

#include <algorithm>

#include "codecs/sha256.h"
#include "engine/format/corrupt.h"
#include "engine/format/document.h"
#include "engine/format/manifest_bounds.h"

namespace drs {
namespace {

constexpr std::string_view kDamagedMagic = "drsdmg";
constexpr std::uint8_t kDamagedVersion = 1;  // stored

}  // namespace

Bytes encode_removed(const RemovedMark& mark) {
  Bytes out;
  ByteWriter writer(out);
  writer.short_string(mark.manifest_name);
  writer.raw(mark.manifest_digest.view());
  writer.short_string(mark.stream);
  writer.u64(mark.sequence);
  writer.i64(mark.removed_ns);
  writer.short_string(mark.reason);
  return out;
}

Result<RemovedMark> decode_removed(ByteView body) {
  ByteReader reader(body, "removed mark");
  RemovedMark mark;
  mark.manifest_name = reader.short_string();
  mark.manifest_digest = reader.fixed<32>();
  mark.stream = reader.short_string();
  mark.sequence = reader.u64();
  mark.removed_ns = reader.i64();
  mark.reason = reader.short_string();
  DRS_RETURN_IF_ERROR(reader.finish());
  if (mark.sequence > kManifestSequenceMax)
    return corrupt("removed mark: sequence is ", mark.sequence, ", at most ", kManifestSequenceMax);
  return mark;
}

Bytes encode_session(const SessionRecord& record) {
  Bytes out;
  ByteWriter writer(out);
  writer.raw(record.session.view());
  writer.short_string(record.stream);
  writer.short_string(record.host);
  writer.u64(record.process);
  writer.i64(record.started_ns);
  writer.i64(record.heartbeat_ns);
  return out;
}

Result<SessionRecord> decode_session(ByteView body) {
  ByteReader reader(body, "session");
  SessionRecord record;
  record.session = reader.fixed<16>();
  record.stream = reader.short_string();
  record.host = reader.short_string();
  record.process = reader.u64();
  record.started_ns = reader.i64();
  record.heartbeat_ns = reader.i64();
  DRS_RETURN_IF_ERROR(reader.finish());
  return record;
}

Bytes encode_fence(const Fence& fence) {
  Bytes out;
  ByteWriter writer(out);
  writer.raw(fence.session.view());
  writer.short_string(fence.stream);
  writer.i64(fence.fenced_ns);
  writer.short_string(fence.fenced_by);
  return out;
}

Result<Fence> decode_fence(ByteView body) {
  ByteReader reader(body, "fence");
  Fence fence;
  fence.session = reader.fixed<16>();
  fence.stream = reader.short_string();
  fence.fenced_ns = reader.i64();
  fence.fenced_by = reader.short_string();
  DRS_RETURN_IF_ERROR(reader.finish());
  return fence;
}

Bytes encode_condemned(const CondemnedPacks& packs) {
  std::vector<Digest> sorted = packs.packs;
  std::ranges::sort(sorted);
  const auto repeated = std::ranges::unique(sorted);
  sorted.erase(repeated.begin(), repeated.end());
  DRS_ASSERT(sorted.size() <= kCondemnedPacksMax, "more than 65,536 packs in one condemned object");
  Bytes out;
  ByteWriter writer(out);
  writer.i64(packs.condemned_ns);
  writer.u32(static_cast<std::uint32_t>(sorted.size()));
  for (const Digest& pack : sorted) writer.raw(pack.view());
  return out;
}

Result<CondemnedPacks> decode_condemned(ByteView body) {
  ByteReader reader(body, "condemned packs");
  CondemnedPacks packs;
  packs.condemned_ns = reader.i64();
  const std::uint32_t count = reader.u32();
  DRS_RETURN_IF_ERROR(reader.check());
  if (count > kCondemnedPacksMax)
    return corrupt("condemned packs: ", count, " packs, at most ", kCondemnedPacksMax, " are allowed");
  if (count > reader.remaining() / Digest::kBytes)
    return Error(ErrorCode::kTruncated, "condemned packs: " + std::to_string(count) + " packs do not fit into the " +
                                            "remaining " + std::to_string(reader.remaining()) + " bytes");
  packs.packs.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const Digest pack = reader.fixed<32>();
    if (!packs.packs.empty() && pack <= packs.packs.back())
      return corrupt("condemned packs: pack ", pack.hex(), " is out of order");
    packs.packs.push_back(pack);
  }
  DRS_RETURN_IF_ERROR(reader.finish());
  return packs;
}

Bytes encode_damaged(const DamagedMark& mark) {
  Bytes out;
  ByteWriter writer(out);
  writer.raw(as_bytes(kDamagedMagic));
  writer.u8(kDamagedVersion);
  writer.u8(0);
  writer.raw(mark.pack.view());
  writer.raw(mark.id.view());
  writer.i64(mark.found_ns);
  writer.short_string(mark.found_by);
  writer.short_string(mark.problem);
  DRS_ASSERT(mark.blocks.size() <= kDamagedBlocksMax, "more than 1,024 blocks in one damage mark");
  writer.u16(static_cast<std::uint16_t>(mark.blocks.size()));
  for (const DamagedBlock& block : mark.blocks) {
    writer.u32(block.offset_bytes);
    writer.u32(block.bytes);
  }
  writer.raw(sha256(out).view());
  return out;
}

Result<DamagedMark> decode_damaged(ByteView object) {
  if (object.size() <= Digest::kBytes)
    return Error(ErrorCode::kTruncated, "damage mark: object has only " + std::to_string(object.size()) + " bytes");
  if (!has_valid_trailing_digest(object)) return corrupt("damage mark: object does not match the SHA-256 at its end");
  ByteReader reader(object.first(object.size() - Digest::kBytes), "damage mark");
  const ByteView magic = reader.raw(kDamagedMagic.size());
  const std::uint8_t version = reader.u8();
  const std::uint8_t zero = reader.u8();
  DRS_RETURN_IF_ERROR(reader.check());
  if (as_text(magic) != kDamagedMagic) return corrupt("damage mark: magic is ", to_hex(magic), ", expected \"drsdmg\"");
  if (version > kDamagedVersion)
    return Error(ErrorCode::kFormatTooNew,
                 "damage mark: version is " + std::to_string(version) + ", known is 1: use a newer drstream");
  if (version == 0 || zero != 0) return corrupt("damage mark: version is ", version, " ", zero, ", expected 1 0");
  DamagedMark mark;
  mark.pack = reader.fixed<32>();
  mark.id = reader.fixed<16>();
  mark.found_ns = reader.i64();
  mark.found_by = reader.short_string();
  mark.problem = reader.short_string();
  const std::uint16_t count = reader.u16();
  DRS_RETURN_IF_ERROR(reader.check());
  if (mark.found_by.size() > kDamagedTextBytesMax || mark.problem.size() > kDamagedTextBytesMax)
    return corrupt("damage mark: a text of more than ", kDamagedTextBytesMax, " bytes");
  if (count > kDamagedBlocksMax)
    return corrupt("damage mark: ", count, " blocks, at most ", kDamagedBlocksMax, " are allowed");
  std::uint64_t end_bytes = 0;
  for (std::uint16_t i = 0; i < count; ++i) {
    const std::uint32_t offset_bytes = reader.u32();
    const std::uint32_t bytes = reader.u32();
    DRS_RETURN_IF_ERROR(reader.check());
    if (offset_bytes < end_bytes || bytes == 0)
      return corrupt("damage mark: block ", i, " is empty, out of order, or overlaps the one before");
    end_bytes = std::uint64_t{offset_bytes} + bytes;
    if (end_bytes > kPackBytesMax)
      return corrupt("damage mark: block ", i, " ends at ", end_bytes, ", a pack has at most ", kPackBytesMax,
                     " bytes");
    mark.blocks.push_back({offset_bytes, bytes});
  }
  DRS_RETURN_IF_ERROR(reader.finish());
  return mark;
}

}  // namespace drs
