#include "engine/format/recipe.h"

#include <algorithm>
#include <limits>

#include "engine/format/corrupt.h"
#include "engine/format/session_list.h"
#include "engine/format/varint.h"

namespace drs {
namespace {

constexpr std::string_view kPart = "recipe part";
constexpr std::uint64_t kChunksPerBlockMax = 0xFFFF;
constexpr std::size_t kDictionaryEntryBytesMin = 2;
constexpr std::size_t kRunBytesMin = 5;

template <typename T>
bool fits(const ByteReader& reader, T count, std::size_t entry_bytes_min) {
  return count <= reader.remaining() / entry_bytes_min;
}

Error too_many(std::string_view entries, std::uint32_t count, std::size_t remaining_bytes) {
  return {ErrorCode::kTruncated, "recipe part: " + std::to_string(count) + " " + std::string(entries) +
                                     " do not fit into the remaining " + std::to_string(remaining_bytes) + " bytes"};
}

Result<void> check_unique(std::vector<BlockId> blocks) {
  std::ranges::sort(blocks);
  const auto twice = std::ranges::adjacent_find(blocks);
  if (twice != blocks.end()) return corrupt(kPart, ": block ", to_string(*twice), " is listed twice");
  return {};
}

Result<std::vector<BlockId>> read_dictionary(ByteReader& reader) {
  DRS_ASSIGN_OR_RETURN(SessionList sessions, SessionList::read(reader, kPart));
  const std::uint32_t count = reader.u32();
  if (!fits(reader, count, kDictionaryEntryBytesMin)) return too_many("blocks", count, reader.remaining());
  std::vector<BlockId> blocks(count);
  for (BlockId& block : blocks) {
    const std::uint64_t number = reader.varint();
    block.counter = reader.varint();
    DRS_RETURN_IF_ERROR(reader.check());
    DRS_ASSIGN_OR_RETURN(block.session, sessions.use(number));
  }
  DRS_RETURN_IF_ERROR(sessions.finish());
  DRS_RETURN_IF_ERROR(check_unique(blocks));
  return blocks;
}

// A run as decoded, before range checks.
struct WideRun {
  std::uint64_t block, chunk_first, chunk_count, offset_bytes, bytes;
};

Result<Run> check_run(const WideRun& run, std::size_t run_index, std::size_t block_count) {
  const auto wrong = [&](const auto&... parts) { return corrupt(kPart, ": run ", run_index, ": ", parts...); };
  if (run.block >= block_count) return wrong("block ", run.block, " of ", block_count);
  if (run.chunk_count == 0 || run.chunk_count > kChunksPerBlockMax ||
      run.chunk_first > kChunksPerBlockMax - run.chunk_count)
    return wrong(run.chunk_count, " chunks from ", run.chunk_first, " on lie outside a block of ", kChunksPerBlockMax);
  if (run.bytes > kBlockBytesMax || run.offset_bytes > kBlockBytesMax - run.bytes)
    return wrong(run.bytes, " bytes at ", run.offset_bytes, " lie outside a block of ", kBlockBytesMax);
  if (run.bytes < run.chunk_count) return wrong(run.bytes, " bytes are too few for ", run.chunk_count, " chunks");
  if (run.offset_bytes < run.chunk_first || (run.chunk_first == 0 && run.offset_bytes != 0))
    return wrong("chunk ", run.chunk_first, " cannot begin at ", run.offset_bytes);
  return Run{.block = static_cast<std::uint32_t>(run.block),
             .chunk_first = static_cast<std::uint32_t>(run.chunk_first),
             .chunk_count = static_cast<std::uint32_t>(run.chunk_count),
             .offset_bytes = static_cast<std::uint32_t>(run.offset_bytes),
             .bytes = run.bytes};
}

}  // namespace

std::size_t recipe_run_bytes(const Run& run) {
  return varint_bytes(run.block) + varint_bytes(run.chunk_first) + varint_bytes(run.chunk_count) +
         varint_bytes(run.offset_bytes) + varint_bytes(run.bytes);
}

std::size_t dictionary_entry_bytes(std::uint32_t session_number, std::uint64_t counter) {
  return varint_bytes(session_number) + varint_bytes(counter);
}

Bytes encode_recipe_part(const RecipePart& part) {
  SessionNumbers sessions;
  for (const BlockId& block : part.blocks) sessions.number_of(block.session);
  Bytes out;
  ByteWriter writer(out);
  writer.u64(part.stream_offset_bytes);
  writer.u64(part.stream_bytes);
  sessions.write(writer);
  writer.u32(static_cast<std::uint32_t>(part.blocks.size()));
  for (const BlockId& block : part.blocks) {
    writer.varint(sessions.number_of(block.session));
    writer.varint(block.counter);
  }
  writer.u32(static_cast<std::uint32_t>(part.runs.size()));
  for (const Run& run : part.runs) {
    writer.varint(run.block);
    writer.varint(run.chunk_first);
    writer.varint(run.chunk_count);
    writer.varint(run.offset_bytes);
    writer.varint(run.bytes);
  }
  DRS_ASSERT(out.size() <= kBlockBytesMax, "a recipe part exceeds a block");
  return out;
}

Result<RecipePart> decode_recipe_part(ByteView plain) {
  if (plain.size() > kBlockBytesMax)
    return corrupt(kPart, ": ", plain.size(), " bytes, at most ", kBlockBytesMax, " are allowed");
  ByteReader reader(plain, kPart);
  RecipePart part;
  part.stream_offset_bytes = reader.u64();
  part.stream_bytes = reader.u64();
  DRS_RETURN_IF_ERROR(reader.check());
  if (part.stream_bytes > std::numeric_limits<std::uint64_t>::max() - part.stream_offset_bytes)
    return corrupt(kPart, ": ", part.stream_bytes, " bytes at ", part.stream_offset_bytes, " exceed 64 bits");
  DRS_ASSIGN_OR_RETURN(part.blocks, read_dictionary(reader));
  const std::uint32_t count = reader.u32();
  if (!fits(reader, count, kRunBytesMin)) return too_many("runs", count, reader.remaining());
  part.runs.reserve(count);
  std::uint64_t sum_bytes = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const WideRun run{.block = reader.varint(),
                      .chunk_first = reader.varint(),
                      .chunk_count = reader.varint(),
                      .offset_bytes = reader.varint(),
                      .bytes = reader.varint()};
    DRS_RETURN_IF_ERROR(reader.check());
    DRS_ASSIGN_OR_RETURN(const Run checked, check_run(run, i, part.blocks.size()));
    part.runs.push_back(checked);
    sum_bytes += run.bytes;  // cannot overflow: fewer than 2^20 runs of at most 2^20 bytes
  }
  DRS_RETURN_IF_ERROR(reader.finish());
  if (sum_bytes != part.stream_bytes)
    return corrupt(kPart, ": runs sum to ", sum_bytes, " bytes, expected ", part.stream_bytes);
  return part;
}

}  // namespace drs
