#include "engine/format/verified.h"

#include <string_view>

#include "engine/format/corrupt.h"
#include "engine/format/manifest_bounds.h"

namespace drs {
namespace {

constexpr std::size_t kArcBytes = 2 * Digest::kBytes + 3 * 8 + 2 * 8 + NamesDigest::kBytes + 1 + 8;
constexpr std::size_t kDamagedBytes = Digest::kBytes + 1 + 8;
constexpr std::size_t kRebuiltBytes = Digest::kBytes + 1 + 8;
constexpr std::size_t kMomentBytes = 4 * 8;
static_assert(kVerifiedArcsMax * kArcBytes + kVerifiedDamagedMax * kDamagedBytes + kVerifiedRebuiltMax * kRebuiltBytes +
                  kVerifiedMomentsMax * kMomentBytes + 2 * kVerifiedTextBytesMax + 64 + kDocumentFrameBytes <=
              kDocumentBytesMax);

Result<ProofLevel> read_level(ByteReader& reader) {
  const std::uint8_t level = reader.u8();
  DRS_RETURN_IF_ERROR(reader.check());
  if (level == 0) return corrupt("verified: level 0 does not exist");
  if (level > static_cast<std::uint8_t>(ProofLevel::kDecoded))
    return Error(ErrorCode::kFormatTooNew, "verified: level " + std::to_string(level) + " is of a newer drstream");
  return static_cast<ProofLevel>(level);
}

Result<bool> read_flag(ByteReader& reader, std::string_view what) {
  const std::uint8_t flag = reader.u8();
  DRS_RETURN_IF_ERROR(reader.check());
  if (flag > 1) return corrupt("verified: ", what, " is ", flag, ", expected 0 or 1");
  return flag == 1;
}

Result<std::string> read_text(ByteReader& reader, std::string_view what) {
  std::string text = reader.short_string();
  DRS_RETURN_IF_ERROR(reader.check());
  if (text.size() > kVerifiedTextBytesMax)
    return corrupt("verified: ", what, " has ", text.size(), " bytes, at most ", kVerifiedTextBytesMax, " are allowed");
  return text;
}

Result<VerifiedArc> read_arc(ByteReader& reader) {
  VerifiedArc arc;
  arc.from = reader.fixed<32>();
  arc.to = reader.fixed<32>();
  arc.since_ns = reader.i64();
  arc.until_ns = reader.i64();
  arc.listed_ns = reader.i64();
  arc.packs = reader.u64();
  arc.bytes = reader.u64();
  arc.names = reader.fixed<16>();
  DRS_ASSIGN_OR_RETURN(arc.level, read_level(reader));
  arc.proven_ns = reader.i64();
  DRS_RETURN_IF_ERROR(reader.check());
  if (arc.to < arc.from) return corrupt("verified: an arc ends at ", arc.to.hex(), ", before its begin");
  if (arc.until_ns <= arc.since_ns) return corrupt("verified: an arc has no time between its two");
  return arc;
}

Result<DamagedPack> read_damaged(ByteReader& reader) {
  DamagedPack damaged;
  damaged.pack = reader.fixed<32>();
  DRS_ASSIGN_OR_RETURN(damaged.level, read_level(reader));
  damaged.proven_ns = reader.i64();
  return damaged;
}

Result<RebuiltSnapshot> read_rebuilt(ByteReader& reader) {
  RebuiltSnapshot rebuilt;
  rebuilt.manifest = reader.fixed<32>();
  DRS_ASSIGN_OR_RETURN(rebuilt.well, read_flag(reader, "the outcome of a rebuild"));
  rebuilt.proven_ns = reader.i64();
  return rebuilt;
}

Result<CoverageMoment> read_moment(ByteReader& reader) {
  CoverageMoment moment;
  moment.ended_ns = reader.i64();
  moment.within_ns = reader.u64();
  moment.bytes = reader.u64();
  moment.proven_bytes = reader.u64();
  DRS_RETURN_IF_ERROR(reader.check());
  if (moment.proven_bytes > moment.bytes)
    return corrupt("verified: ", moment.proven_bytes, " of ", moment.bytes, " bytes are proven");
  return moment;
}

// A counted list. The count is checked against its bound and the bytes that are left, before memory is taken.
template <typename Entry>
Result<std::vector<Entry>> read_list(ByteReader& reader, std::size_t count_max, std::size_t entry_bytes,
                                     Result<Entry> (*read)(ByteReader&)) {
  const std::uint32_t count = reader.u32();
  DRS_RETURN_IF_ERROR(reader.check());
  if (count > count_max) return corrupt("verified: ", count, " entries, at most ", count_max, " are allowed");
  if (count > reader.remaining() / entry_bytes)
    return Error(ErrorCode::kTruncated, "verified: " + std::to_string(count) + " entries do not fit into the rest");
  std::vector<Entry> entries;
  entries.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    DRS_ASSIGN_OR_RETURN(const Entry entry, read(reader));
    entries.push_back(entry);
  }
  return entries;
}

}  // namespace

Bytes encode_verified(const Verified& verified) {
  DRS_ASSERT(verified.arcs.size() <= kVerifiedArcsMax, "more than 20,000 arcs in one record of a sweep");
  DRS_ASSERT(verified.damaged.size() <= kVerifiedDamagedMax, "more than 10,000 damaged packs in one record of a sweep");
  DRS_ASSERT(verified.rebuilt.size() <= kVerifiedRebuiltMax, "more than 20,000 snapshots in one record of a sweep");
  DRS_ASSERT(verified.moments.size() <= kVerifiedMomentsMax, "more than 2,000 coverages in one record of a sweep");
  DRS_ASSERT(verified.host.size() <= kVerifiedTextBytesMax && verified.tool.size() <= kVerifiedTextBytesMax,
             "the texts in a record of a sweep have at most 255 bytes");
  Bytes out;
  ByteWriter writer(out);
  writer.u8(verified.folded ? 1 : 0);
  writer.i64(verified.ended_ns);
  writer.i64(verified.structure_ns);
  writer.u8(verified.structure_whole ? 1 : 0);
  writer.short_string(verified.host);
  writer.short_string(verified.tool);
  writer.u32(static_cast<std::uint32_t>(verified.arcs.size()));
  for (const VerifiedArc& arc : verified.arcs) {
    writer.raw(arc.from.view());
    writer.raw(arc.to.view());
    writer.i64(arc.since_ns);
    writer.i64(arc.until_ns);
    writer.i64(arc.listed_ns);
    writer.u64(arc.packs);
    writer.u64(arc.bytes);
    writer.raw(arc.names.view());
    writer.u8(static_cast<std::uint8_t>(arc.level));
    writer.i64(arc.proven_ns);
  }
  writer.u32(static_cast<std::uint32_t>(verified.damaged.size()));
  for (const DamagedPack& damaged : verified.damaged) {
    writer.raw(damaged.pack.view());
    writer.u8(static_cast<std::uint8_t>(damaged.level));
    writer.i64(damaged.proven_ns);
  }
  writer.u32(static_cast<std::uint32_t>(verified.rebuilt.size()));
  for (const RebuiltSnapshot& rebuilt : verified.rebuilt) {
    writer.raw(rebuilt.manifest.view());
    writer.u8(rebuilt.well ? 1 : 0);
    writer.i64(rebuilt.proven_ns);
  }
  writer.u32(static_cast<std::uint32_t>(verified.moments.size()));
  for (const CoverageMoment& moment : verified.moments) {
    writer.i64(moment.ended_ns);
    writer.u64(moment.within_ns);
    writer.u64(moment.bytes);
    writer.u64(moment.proven_bytes);
  }
  return out;
}

Result<Verified> decode_verified(ByteView body) {
  ByteReader reader(body, "verified");
  Verified verified;
  DRS_ASSIGN_OR_RETURN(verified.folded, read_flag(reader, "whether it is folded"));
  verified.ended_ns = reader.i64();
  verified.structure_ns = reader.i64();
  DRS_ASSIGN_OR_RETURN(verified.structure_whole, read_flag(reader, "whether nothing was missing"));
  DRS_ASSIGN_OR_RETURN(verified.host, read_text(reader, "its host"));
  DRS_ASSIGN_OR_RETURN(verified.tool, read_text(reader, "its tool"));
  DRS_ASSIGN_OR_RETURN(verified.arcs, read_list(reader, kVerifiedArcsMax, kArcBytes, read_arc));
  DRS_ASSIGN_OR_RETURN(verified.damaged, read_list(reader, kVerifiedDamagedMax, kDamagedBytes, read_damaged));
  DRS_ASSIGN_OR_RETURN(verified.rebuilt, read_list(reader, kVerifiedRebuiltMax, kRebuiltBytes, read_rebuilt));
  DRS_ASSIGN_OR_RETURN(verified.moments, read_list(reader, kVerifiedMomentsMax, kMomentBytes, read_moment));
  DRS_RETURN_IF_ERROR(reader.finish());
  return verified;
}

}  // namespace drs
