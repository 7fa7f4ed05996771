// Encoding of index objects; see index.h.
#include "engine/format/index.h"

#include <algorithm>

#include "engine/format/index_layout.h"

namespace drs {
namespace {

struct FlatBlock {
  const TableBlock* block;
  std::uint32_t pack;
};

// Returns all blocks in directory order.
std::vector<FlatBlock> flatten(const std::vector<PackContents>& packs) {
  std::vector<FlatBlock> blocks;
  for (std::uint32_t pack = 0; pack < packs.size(); ++pack)
    for (const TableBlock& block : packs[pack].blocks) blocks.push_back({&block, pack});
  std::ranges::sort(blocks, [](const FlatBlock& a, const FlatBlock& b) {
    if (a.block->record.id != b.block->record.id) return a.block->record.id < b.block->record.id;
    return a.pack < b.pack;
  });
  return blocks;
}

std::vector<IndexSession> sessions_of(const std::vector<FlatBlock>& blocks) {
  std::vector<IndexSession> sessions;
  for (const FlatBlock& flat : blocks) {
    const BlockId& id = flat.block->record.id;
    if (sessions.empty() || sessions.back().session != id.session)
      sessions.push_back({.session = id.session, .counter_min = id.counter, .counter_max = id.counter});
    sessions.back().counter_max = id.counter;  // the blocks are sorted
    ++sessions.back().block_count;
  }
  return sessions;
}

void collect_hooks(const TableBlock& block, std::uint32_t place, std::vector<Hook>& hooks) {
  for (std::size_t i = 0; i < block.chunks.size(); ++i) {
    const std::uint64_t word = chunk_word(block.chunks[i].id);
    if (is_hook(word)) hooks.push_back({.word = word, .block = place, .chunk = static_cast<std::uint16_t>(i)});
  }
}

}  // namespace

Bytes encode_index_summary(const IndexSummary& summary) {
  Bytes out;
  ByteWriter writer(out);
  writer.i64(summary.created_ns);
  writer.u32(static_cast<std::uint32_t>(summary.packs.size()));
  for (const IndexedPack& pack : summary.packs) {
    writer.raw(pack.name.view());
    writer.u64(pack.bytes);
    writer.raw(pack.salt.view());
  }
  writer.u32(static_cast<std::uint32_t>(summary.sessions.size()));
  for (const IndexSession& session : summary.sessions) {
    writer.raw(session.session.view());
    writer.u64(session.counter_min);
    writer.u64(session.counter_max);
    writer.u32(session.block_count);
  }
  writer.u32(summary.block_count);
  writer.u64(summary.chunk_count);
  writer.u64(summary.directory_offset_bytes);
  writer.u32(summary.directory_sealed_bytes);
  writer.u64(summary.hooks_offset_bytes);
  writer.u32(summary.hooks_sealed_bytes);
  return out;
}

Bytes encode_index_directory(const std::vector<DirectoryEntry>& directory, const IndexSummary& summary) {
  Bytes out;
  out.reserve(directory.size() * kDirectoryEntryBytes);
  ByteWriter writer(out);
  std::uint32_t session = 0;
  for (const DirectoryEntry& entry : directory) {
    while (session < summary.sessions.size() && summary.sessions[session].session != entry.record.id.session) ++session;
    DRS_ASSERT(session < summary.sessions.size(), "directory not sorted, or a session missing in the summary");
    writer.u32(session);
    writer.u32(entry.pack);
    write_block_fields(writer, entry.record);
    writer.u64(entry.list_offset_bytes);
  }
  return out;
}

Bytes encode_index_hooks(const std::vector<Hook>& hooks) {
  Bytes out;
  out.reserve(4 + hooks.size() * kHookBytes);
  ByteWriter writer(out);
  writer.u32(static_cast<std::uint32_t>(hooks.size()));
  for (const Hook& hook : hooks) {
    writer.u64(hook.word);
    writer.u32(hook.block);
    writer.u16(hook.chunk);
  }
  return out;
}

Bytes encode_chunk_list(const std::vector<ChunkEntry>& chunks) {
  Bytes out;
  out.reserve(chunks.size() * kChunkEntryBytes);
  ByteWriter writer(out);
  write_chunks(writer, chunks);
  return out;
}

std::size_t index_bytes_max(const IndexCounts& counts) {
  return kEnvelopeBytes + counts.chunks * (kChunkEntryBytes + kHookBytes) +
         counts.blocks * (kSealBytes + kDirectoryEntryBytes) + kSealBytes + kHooksSealedBytesMin +
         counts.packs * kIndexedPackBytes + counts.sessions * kIndexSessionBytes + kSummarySealedBytesMin +
         kIndexFooterBytes;
}

Bytes encode_index(const RepositoryKeys& keys, CryptoBackend backend, const std::vector<PackContents>& packs,
                   WallNs created_ns, const Salt* salt) {
  const std::vector<FlatBlock> blocks = flatten(packs);
  DRS_ASSERT(blocks.size() <= kIndexBlocksMax, "an index object has at most 4,096 blocks");
  const ObjectSealer sealer(keys, ObjectKind::kIndex, "", backend, salt);
  Bytes out;
  encode_envelope(sealer.envelope(), out);

  IndexSummary summary;
  summary.created_ns = created_ns;
  for (const PackContents& pack : packs) summary.packs.push_back(pack.pack);
  summary.sessions = sessions_of(blocks);
  summary.block_count = static_cast<std::uint32_t>(blocks.size());

  std::vector<DirectoryEntry> directory;
  std::vector<Hook> hooks;
  directory.reserve(blocks.size());
  for (std::uint32_t place = 0; place < blocks.size(); ++place) {
    const TableBlock& block = *blocks[place].block;
    DRS_ASSERT(block.record.chunk_count == block.chunks.size(), "chunk_count differs from the number of chunks");
    const bool has_list = !block.chunks.empty();
    directory.push_back(
        {.pack = blocks[place].pack, .record = block.record, .list_offset_bytes = has_list ? out.size() : 0});
    if (has_list)
      sealer.append(chunk_list_label(place, block.record.chunk_count), encode_chunk_list(block.chunks), out);
    summary.chunk_count += block.chunks.size();
    collect_hooks(block, place, hooks);
  }

  // Set before sealing: the labels take their lengths from the summary, as they do in a reader.
  summary.directory_offset_bytes = out.size();
  summary.directory_sealed_bytes = static_cast<std::uint32_t>(blocks.size() * kDirectoryEntryBytes + kSealBytes);
  sealer.append(directory_label(summary), encode_index_directory(directory, summary), out);
  summary.hooks_offset_bytes = out.size();
  summary.hooks_sealed_bytes = static_cast<std::uint32_t>(hooks.size() * kHookBytes + kHooksSealedBytesMin);
  sealer.append(hooks_label(summary), encode_index_hooks(hooks), out);

  const Bytes plain = encode_index_summary(summary);
  const IndexFooter footer{.summary_ordinal = std::uint64_t{summary.block_count} + 2,
                           .summary_sealed_bytes = static_cast<std::uint32_t>(plain.size() + kSealBytes)};
  sealer.append(summary_label(footer), plain, out);
  ByteWriter writer(out);
  writer.u64(footer.summary_ordinal);
  writer.u32(footer.summary_sealed_bytes);
  DRS_ASSERT(out.size() <= kIndexBytesMax, "an index object has at most 64 MiB");
  return out;
}

}  // namespace drs
