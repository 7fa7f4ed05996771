#include "engine/format/retention.h"

#include <algorithm>
#include <tuple>

#include "engine/format/corrupt.h"
#include "engine/format/manifest_bounds.h"

namespace drs {
namespace {

constexpr std::size_t kWaitingSessionBytes = Uuid::kBytes + StreamTag::kBytes + 4 + Digest::kBytes;
constexpr std::size_t kRetiredEntryBytes = Uuid::kBytes + Digest::kBytes + 8 + 8;
static_assert(kWaitingSessionsMax * kWaitingSessionBytes + kDocumentFrameBytes <= kDocumentBytesMax);
static_assert(kRetiredEntriesMax * kRetiredEntryBytes + kDocumentFrameBytes + 64 * kKiB <= kDocumentBytesMax);

bool by_session(const WaitingSession& a, const WaitingSession& b) {
  return std::tie(a.session, a.tag) < std::tie(b.session, b.tag);
}

// Reads a count and checks it against its bound and the bytes that are left, before memory is taken.
Result<std::uint32_t> read_count(ByteReader& reader, std::string_view what, std::size_t count_max,
                                 std::size_t entry_bytes) {
  const std::uint32_t count = reader.u32();
  DRS_RETURN_IF_ERROR(reader.check());
  if (count > count_max) return corrupt(what, ": ", count, " entries, at most ", count_max, " are allowed");
  if (count > reader.remaining() / entry_bytes)
    return Error(ErrorCode::kTruncated, std::string(what) + ": " + std::to_string(count) +
                                            " entries do not fit into the remaining " +
                                            std::to_string(reader.remaining()) + " bytes");
  return count;
}

}  // namespace

Bytes encode_waits(Waits waits) {
  DRS_ASSERT(waits.sessions.size() <= kWaitingSessionsMax, "more than 60,000 sessions in one waits object");
  std::ranges::sort(waits.sessions, by_session);
  Bytes out;
  ByteWriter writer(out);
  writer.raw(waits.record.view());
  writer.i64(waits.listed_ns);
  writer.u32(static_cast<std::uint32_t>(waits.sessions.size()));
  for (const WaitingSession& session : waits.sessions) {
    writer.raw(session.session.view());
    writer.raw(session.tag.view());
    writer.u32(session.number);
    writer.raw(session.digest.view());
  }
  return out;
}

Result<Waits> decode_waits(ByteView body) {
  ByteReader reader(body, "waits");
  Waits waits;
  waits.record = reader.fixed<16>();
  waits.listed_ns = reader.i64();
  DRS_ASSIGN_OR_RETURN(const std::uint32_t count,
                       read_count(reader, "waits", kWaitingSessionsMax, kWaitingSessionBytes));
  waits.sessions.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    WaitingSession session;
    session.session = reader.fixed<16>();
    session.tag = reader.fixed<16>();
    session.number = reader.u32();
    session.digest = reader.fixed<32>();
    if (!waits.sessions.empty() && !by_session(waits.sessions.back(), session))
      return corrupt("waits: session ", session.session.hex(), " is out of order");
    if (session.number > kNumberInNameMax)
      return corrupt("waits: number ", session.number, ", at most ", kNumberInNameMax, " is allowed");
    waits.sessions.push_back(session);
  }
  DRS_RETURN_IF_ERROR(reader.finish());
  return waits;
}

Bytes encode_retired(Retired retired) {
  DRS_ASSERT(retired.entries.size() <= kRetiredEntriesMax, "more than 40,000 entries in one retired object");
  std::ranges::sort(retired.entries, {}, &RetiredEntry::session);
  Bytes out;
  ByteWriter writer(out);
  writer.raw(retired.tag.view());
  writer.short_string(retired.stream);
  writer.u32(static_cast<std::uint32_t>(retired.entries.size()));
  for (const RetiredEntry& entry : retired.entries) {
    writer.raw(entry.session.view());
    writer.raw(entry.digest.view());
    writer.u64(entry.sequence);
    writer.i64(entry.removed_ns);
  }
  return out;
}

Result<Retired> decode_retired(ByteView body) {
  ByteReader reader(body, "retired");
  Retired retired;
  retired.tag = reader.fixed<16>();
  retired.stream = reader.short_string();
  DRS_ASSIGN_OR_RETURN(const std::uint32_t count,
                       read_count(reader, "retired", kRetiredEntriesMax, kRetiredEntryBytes));
  retired.entries.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    RetiredEntry entry;
    entry.session = reader.fixed<16>();
    entry.digest = reader.fixed<32>();
    entry.sequence = reader.u64();
    entry.removed_ns = reader.i64();
    if (!retired.entries.empty() && entry.session <= retired.entries.back().session)
      return corrupt("retired: session ", entry.session.hex(), " is out of order");
    if (entry.sequence > kManifestSequenceMax)
      return corrupt("retired: sequence is ", entry.sequence, ", at most ", kManifestSequenceMax);
    if (entry.is_fence() && entry.sequence != 0)
      return corrupt("retired: session ", entry.session.hex(), " has a sequence, but no digest");
    retired.entries.push_back(entry);
  }
  DRS_RETURN_IF_ERROR(reader.finish());
  return retired;
}

Bytes encode_hold(const Hold& hold) {
  DRS_ASSERT(hold.reason.size() <= kHoldReasonBytesMax, "the reason of a hold has at most 4 KiB");
  DRS_ASSERT(hold.overrides.size() <= kHoldOverridesMax, "a hold overrides at most 1,024 others");
  Bytes out;
  ByteWriter writer(out);
  writer.short_string(hold.manifest_name);
  writer.raw(hold.manifest_digest.view());
  writer.i64(hold.held_ns);
  writer.i64(hold.until_ns);
  writer.short_string(hold.reason);
  writer.u32(static_cast<std::uint32_t>(hold.overrides.size()));
  for (const std::uint32_t number : hold.overrides) writer.u32(number);
  return out;
}

Result<Hold> decode_hold(ByteView body) {
  ByteReader reader(body, "hold");
  Hold hold;
  hold.manifest_name = reader.short_string();
  hold.manifest_digest = reader.fixed<32>();
  hold.held_ns = reader.i64();
  hold.until_ns = reader.i64();
  hold.reason = reader.short_string();
  DRS_ASSIGN_OR_RETURN(const std::uint32_t count, read_count(reader, "hold", kHoldOverridesMax, 4));
  if (hold.reason.size() > kHoldReasonBytesMax)
    return corrupt("hold: a reason of ", hold.reason.size(), " bytes, at most ", kHoldReasonBytesMax, " are allowed");
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t number = reader.u32();
    if (number > kNumberInNameMax)
      return corrupt("hold: number ", number, ", at most ", kNumberInNameMax, " is allowed");
    if (!hold.overrides.empty() && number <= hold.overrides.back())
      return corrupt("hold: number ", number, " is out of order");
    hold.overrides.push_back(number);
  }
  DRS_RETURN_IF_ERROR(reader.finish());
  return hold;
}

}  // namespace drs
