// Decoding of index objects; see index.h.
#include <algorithm>
#include <unordered_set>

#include "engine/format/corrupt.h"
#include "engine/format/index.h"
#include "engine/format/index_layout.h"

namespace drs {
namespace {

constexpr std::string_view kSummary = "index summary";
constexpr std::string_view kDirectory = "index directory";
constexpr std::string_view kHooks = "index hooks";

constexpr std::uint64_t kPackTailBytesMin = kPackTableSealedBytesMin + kPackFooterBytes;
constexpr std::uint64_t kPackBytesMin = kEnvelopeBytes + kPackTailBytesMin;

Error too_many(std::string_view entries, std::uint32_t count, std::size_t remaining_bytes) {
  return {ErrorCode::kTruncated, "index summary: " + std::to_string(count) + " " + std::string(entries) +
                                     " do not fit into the remaining " + std::to_string(remaining_bytes) + " bytes"};
}

Result<std::vector<IndexedPack>> read_packs(ByteReader& reader) {
  const std::uint32_t count = reader.u32();
  if (count > reader.remaining() / kIndexedPackBytes) return too_many("packs", count, reader.remaining());
  if (count > kIndexBlocksMax)
    return corrupt(kSummary, ": ", count, " packs, at most ", kIndexBlocksMax, " are allowed");
  std::vector<IndexedPack> packs(count);
  std::unordered_set<Digest, FixedBytesHash> seen;
  for (IndexedPack& pack : packs) {
    pack.name = reader.fixed<32>();
    pack.bytes = reader.u64();
    pack.salt = reader.fixed<32>();
    if (!seen.insert(pack.name).second) return corrupt(kSummary, ": pack ", pack.name.hex(), " is listed twice");
    if (pack.bytes < kPackBytesMin || pack.bytes > kPackBytesMax)
      return corrupt(kSummary, ": pack ", pack.name.hex(), " has ", pack.bytes, " bytes, expected ", kPackBytesMin,
                     " to ", kPackBytesMax);
  }
  return packs;
}

Result<std::vector<IndexSession>> read_sessions(ByteReader& reader) {
  const std::uint32_t count = reader.u32();
  if (count > reader.remaining() / kIndexSessionBytes) return too_many("sessions", count, reader.remaining());
  std::vector<IndexSession> sessions(count);
  const IndexSession* before = nullptr;
  for (IndexSession& session : sessions) {
    session.session = reader.fixed<16>();
    session.counter_min = reader.u64();
    session.counter_max = reader.u64();
    session.block_count = reader.u32();
    const std::string hex = session.session.hex();
    if (before != nullptr && session.session <= before->session)
      return corrupt(kSummary, ": session ", hex, " is out of order");
    if (session.block_count == 0) return corrupt(kSummary, ": session ", hex, " has no blocks");
    if (session.counter_min > session.counter_max)
      return corrupt(kSummary, ": counters of session ", hex, " run from ", session.counter_min, " down to ",
                     session.counter_max);
    before = &session;
  }
  return sessions;
}

Result<void> check_block_count(const IndexSummary& summary) {
  if (summary.block_count > kIndexBlocksMax)
    return corrupt(kSummary, ": ", summary.block_count, " blocks, at most ", kIndexBlocksMax, " are allowed");
  std::uint64_t sum_count = 0;
  for (const IndexSession& session : summary.sessions) sum_count += session.block_count;
  if (sum_count != summary.block_count)
    return corrupt(kSummary, ": sessions have ", sum_count, " blocks in all, expected ", summary.block_count);
  return {};
}

// The sections must be contiguous: lists, directory, hooks, summary, footer.
Result<void> check_sections(const IndexSummary& summary, std::size_t plain_bytes, std::uint64_t object_bytes) {
  const std::uint64_t directory_bytes = std::uint64_t{summary.block_count} * kDirectoryEntryBytes + kSealBytes;
  if (summary.directory_sealed_bytes != directory_bytes)
    return corrupt(kSummary, ": sealed length of the directory is ", summary.directory_sealed_bytes, ", expected ",
                   directory_bytes);
  if (summary.directory_offset_bytes < kEnvelopeBytes || summary.directory_offset_bytes > object_bytes)
    return corrupt(kSummary, ": directory begins at ", summary.directory_offset_bytes, ", expected ", kEnvelopeBytes,
                   " to ", object_bytes);
  const std::uint64_t hooks_offset_bytes = summary.directory_offset_bytes + directory_bytes;
  if (summary.hooks_offset_bytes != hooks_offset_bytes)
    return corrupt(kSummary, ": hooks begin at ", summary.hooks_offset_bytes, ", expected ", hooks_offset_bytes);
  if (summary.hooks_sealed_bytes < kHooksSealedBytesMin ||
      (summary.hooks_sealed_bytes - kHooksSealedBytesMin) % kHookBytes != 0)
    return corrupt(kSummary, ": sealed length of the hooks is ", summary.hooks_sealed_bytes);
  const std::uint64_t end_bytes =
      hooks_offset_bytes + summary.hooks_sealed_bytes + plain_bytes + kSealBytes + kIndexFooterBytes;
  if (end_bytes != object_bytes)
    return corrupt(kSummary, ": sections end at ", end_bytes, ", the object at ", object_bytes);
  return {};
}

// Checks a directory against its summary, entry by entry.
class DirectoryCheck {
 public:
  explicit DirectoryCheck(const IndexSummary& summary) : summary_(summary), list_offset_bytes_(kEnvelopeBytes) {}

  Result<void> add(std::uint32_t session, const DirectoryEntry& entry) {
    DRS_RETURN_IF_ERROR(check_order(entry));
    DRS_RETURN_IF_ERROR(check_session(session, entry.record.id));
    return check_list(entry);
  }

  [[nodiscard]] Result<void> finish() const {
    if (before_.has_value()) DRS_RETURN_IF_ERROR(check_session_end());
    if (chunk_count_ != summary_.chunk_count)
      return corrupt(kDirectory, ": blocks have ", chunk_count_, " chunks in all, expected ", summary_.chunk_count);
    if (list_offset_bytes_ != summary_.directory_offset_bytes)
      return corrupt(kDirectory, ": chunk lists end at ", list_offset_bytes_, ", expected ",
                     summary_.directory_offset_bytes);
    return {};
  }

 private:
  struct Place {
    BlockId id;
    std::uint32_t pack;
    friend auto operator<=>(const Place&, const Place&) = default;
  };

  Result<void> check_order(const DirectoryEntry& entry) {
    const Place place{.id = entry.record.id, .pack = entry.pack};
    if (before_.has_value() && place <= *before_)
      return corrupt(kDirectory, ": block ", to_string(place.id), " is out of order");
    last_id_ = before_.has_value() ? before_->id : place.id;
    before_ = place;
    return {};
  }

  // Sessions must be in the summary's order, each with the block count and counters that the summary states.
  Result<void> check_session(std::uint32_t session, const BlockId& id) {
    const IndexSession& stated = summary_.sessions[session];
    if (session_block_count_ == 0 || session != session_) {
      const std::uint32_t next = session_block_count_ == 0 ? 0 : session_ + 1;
      if (session_block_count_ != 0) DRS_RETURN_IF_ERROR(check_session_end(last_id_.counter));
      if (session != next) return corrupt(kDirectory, ": found session number ", session, ", expected ", next);
      if (id.counter != stated.counter_min)
        return corrupt(kDirectory, ": lowest counter of session ", id.session.hex(), " is ", id.counter, ", expected ",
                       stated.counter_min);
      session_ = session;
      session_block_count_ = 0;
    }
    ++session_block_count_;
    return {};
  }

  [[nodiscard]] Result<void> check_session_end() const { return check_session_end(before_->id.counter); }
  [[nodiscard]] Result<void> check_session_end(std::uint64_t counter_max) const {
    const IndexSession& stated = summary_.sessions[session_];
    if (session_block_count_ != stated.block_count || counter_max != stated.counter_max)
      return corrupt(kDirectory, ": session ", stated.session.hex(), " has ", session_block_count_,
                     " blocks up to counter ", counter_max, ", expected ", stated.block_count, " up to ",
                     stated.counter_max);
    return {};
  }

  Result<void> check_list(const DirectoryEntry& entry) {
    const std::size_t chunk_count = entry.record.chunk_count;
    const std::uint64_t expected_bytes = chunk_count == 0 ? 0 : list_offset_bytes_;
    if (entry.list_offset_bytes != expected_bytes)
      return corrupt(kDirectory, ": chunk list of block ", to_string(entry.record.id), " lies at ",
                     entry.list_offset_bytes, ", expected ", expected_bytes);
    chunk_count_ += chunk_count;
    if (chunk_count != 0) list_offset_bytes_ += chunk_count * kChunkEntryBytes + kSealBytes;
    return {};
  }

  const IndexSummary& summary_;
  std::optional<Place> before_;
  BlockId last_id_;
  std::uint32_t session_ = 0;
  std::uint32_t session_block_count_ = 0;
  std::uint64_t list_offset_bytes_;
  std::uint64_t chunk_count_ = 0;
};

}  // namespace

Result<IndexFooter> decode_index_footer(ByteView last_bytes, std::uint64_t object_bytes) {
  constexpr std::uint64_t kIndexBytesMin =
      kEnvelopeBytes + kSealBytes + kHooksSealedBytesMin + kSummarySealedBytesMin + kIndexFooterBytes;
  if (object_bytes < kIndexBytesMin || last_bytes.size() < kIndexFooterBytes)
    return Error(ErrorCode::kTruncated, "index: object has " + std::to_string(object_bytes) +
                                            " bytes, the shortest has " + std::to_string(kIndexBytesMin));
  if (object_bytes > kIndexBytesMax)
    return corrupt("index: object has ", object_bytes, " bytes, at most ", kIndexBytesMax, " are allowed");
  ByteReader reader(last_bytes.last(kIndexFooterBytes), "index footer");
  const IndexFooter footer{.summary_ordinal = reader.u64(), .summary_sealed_bytes = reader.u32()};
  if (footer.summary_ordinal < 2 || footer.summary_ordinal > kIndexBlocksMax + 2)
    return corrupt("index footer: ordinal of the summary is ", footer.summary_ordinal, ", expected 2 to ",
                   kIndexBlocksMax + 2);
  const std::uint64_t summary_bytes_max =
      std::min<std::uint64_t>(object_bytes - (kIndexBytesMin - kSummarySealedBytesMin), kIndexSummarySealedBytesMax);
  if (footer.summary_sealed_bytes < kSummarySealedBytesMin || footer.summary_sealed_bytes > summary_bytes_max)
    return corrupt("index footer: sealed length of the summary is ", footer.summary_sealed_bytes, ", expected ",
                   kSummarySealedBytesMin, " to ", summary_bytes_max);
  return footer;
}

Result<IndexSummary> decode_index_summary(ByteView plain, std::uint64_t object_bytes) {
  ByteReader reader(plain, kSummary);
  IndexSummary summary;
  summary.created_ns = reader.i64();
  DRS_ASSIGN_OR_RETURN(summary.packs, read_packs(reader));
  DRS_ASSIGN_OR_RETURN(summary.sessions, read_sessions(reader));
  summary.block_count = reader.u32();
  summary.chunk_count = reader.u64();
  summary.directory_offset_bytes = reader.u64();
  summary.directory_sealed_bytes = reader.u32();
  summary.hooks_offset_bytes = reader.u64();
  summary.hooks_sealed_bytes = reader.u32();
  DRS_RETURN_IF_ERROR(reader.finish());
  DRS_RETURN_IF_ERROR(check_block_count(summary));
  DRS_RETURN_IF_ERROR(check_sections(summary, plain.size(), object_bytes));
  return summary;
}

Result<std::vector<DirectoryEntry>> decode_index_directory(ByteView plain, const IndexSummary& summary) {
  const std::uint64_t expected_bytes = std::uint64_t{summary.block_count} * kDirectoryEntryBytes;
  if (plain.size() != expected_bytes)
    return corrupt(kDirectory, ": has ", plain.size(), " bytes, expected ", expected_bytes);
  ByteReader reader(plain, kDirectory);
  DirectoryCheck check(summary);
  std::vector<DirectoryEntry> directory(summary.block_count);
  for (DirectoryEntry& entry : directory) {
    const std::uint32_t session = reader.u32();
    entry.pack = reader.u32();
    if (session >= summary.sessions.size())
      return corrupt(kDirectory, ": session number ", session, " of ", summary.sessions.size());
    if (entry.pack >= summary.packs.size())
      return corrupt(kDirectory, ": pack number ", entry.pack, " of ", summary.packs.size());
    DRS_ASSIGN_OR_RETURN(entry.record,
                         read_block_fields(reader, summary.sessions[session].session,
                                           summary.packs[entry.pack].bytes - kPackTailBytesMin, kDirectory));
    entry.list_offset_bytes = reader.u64();
    DRS_RETURN_IF_ERROR(check.add(session, entry));
  }
  DRS_RETURN_IF_ERROR(reader.finish());
  DRS_RETURN_IF_ERROR(check.finish());
  return directory;
}

Result<std::vector<Hook>> decode_index_hooks(ByteView plain, const IndexSummary& summary) {
  ByteReader reader(plain, kHooks);
  const std::uint32_t count = reader.u32();
  DRS_RETURN_IF_ERROR(reader.check());
  if (count > summary.chunk_count) return corrupt(kHooks, ": ", count, " hooks for ", summary.chunk_count, " chunks");
  if (count > reader.remaining() / kHookBytes)
    return Error(ErrorCode::kTruncated, "index hooks: " + std::to_string(count) + " hooks do not fit into the " +
                                            "remaining " + std::to_string(reader.remaining()) + " bytes");
  std::vector<Hook> hooks(count);
  const Hook* before = nullptr;
  for (Hook& hook : hooks) {
    hook = {.word = reader.u64(), .block = reader.u32(), .chunk = reader.u16()};
    if (!is_hook(hook.word)) return corrupt(kHooks, ": word ", hook.word, " is not a hook");
    if (hook.block >= summary.block_count) return corrupt(kHooks, ": block ", hook.block, " of ", summary.block_count);
    if (before != nullptr &&
        (hook.block < before->block || (hook.block == before->block && hook.chunk <= before->chunk)))
      return corrupt(kHooks, ": hook of chunk ", hook.chunk, " in block ", hook.block, " is out of order");
    before = &hook;
  }
  DRS_RETURN_IF_ERROR(reader.finish());
  return hooks;
}

Result<std::vector<ChunkEntry>> decode_chunk_list(ByteView plain, std::uint32_t raw_bytes) {
  ByteReader reader(plain, "chunk list");
  DRS_ASSIGN_OR_RETURN(std::vector<ChunkEntry> chunks,
                       read_chunks(reader, plain.size() / kChunkEntryBytes, raw_bytes, "chunk list"));
  DRS_RETURN_IF_ERROR(reader.finish());
  return chunks;
}

SealLabel chunk_list_label(std::uint32_t block, std::uint32_t chunk_count) {
  return {.kind = SealKind::kChunkList,
          .codec = Codec::kRaw,
          .ordinal = block,
          .plain_bytes = std::uint64_t{chunk_count} * kChunkEntryBytes};
}

SealLabel directory_label(const IndexSummary& summary) {
  return {.kind = SealKind::kIndexDirectory,
          .codec = Codec::kRaw,
          .ordinal = summary.block_count,
          .plain_bytes = summary.directory_sealed_bytes - kSealBytes};
}

SealLabel hooks_label(const IndexSummary& summary) {
  return {.kind = SealKind::kIndexHooks,
          .codec = Codec::kRaw,
          .ordinal = std::uint64_t{summary.block_count} + 1,
          .plain_bytes = summary.hooks_sealed_bytes - kSealBytes};
}

SealLabel summary_label(const IndexFooter& footer) {
  return {.kind = SealKind::kIndexSummary,
          .codec = Codec::kRaw,
          .ordinal = footer.summary_ordinal,
          .plain_bytes = footer.summary_sealed_bytes - kSealBytes};
}

}  // namespace drs
