// BlockIndex: reads a unit from end to end, and the directories of many units.
#include <algorithm>
#include <utility>

#include "engine/repository/block_index.h"
#include "engine/repository/block_index_unit.h"
#include "engine/repository/read_again.h"
#include "sinks/object_io.h"

namespace drs {
namespace {

constexpr std::size_t kVisitReadBytesMax = 1 * kMiB;
constexpr std::size_t kDirectoriesAtOnce = 64;
constexpr std::size_t kDirectoriesBytesMax = 8 * kMiB;  // read at a time, but for the last

}  // namespace

Result<std::vector<Hook>> BlockIndex::hooks(std::uint32_t number) {
  const Unit& unit = units_.at(number);
  if (!unit.uncovered_pack) {
    DRS_ASSIGN_OR_RETURN(const Bytes plain,
                         open_section(unit, hooks_label(unit.summary), unit.summary.hooks_offset_bytes,
                                      unit.summary.hooks_sealed_bytes));
    auto hooks = decode_index_hooks(plain, unit.summary);
    if (!hooks.ok()) return std::move(hooks).error().with_context(unit.name);
    return hooks;
  }
  std::vector<Hook> hooks;
  DRS_RETURN_IF_ERROR(
      visit_chunks(number, [&](std::uint32_t block, const std::vector<ChunkEntry>& entries) -> Result<void> {
        for (std::uint16_t i = 0; i < entries.size(); ++i) {
          const std::uint64_t word = chunk_word(entries[i].id);
          if ((word & ((1U << kHookShift) - 1)) == 0) hooks.push_back({word, block, i});
        }
        return {};
      }));
  return hooks;
}

Result<void> BlockIndex::visit_chunks(
    std::uint32_t number,
    const std::function<Result<void>(std::uint32_t block, const std::vector<ChunkEntry>& entries)>& visit) {
  DRS_ASSIGN_OR_RETURN(const Directory entries, directory(number));
  const Unit& unit = units_[number];
  if (unit.uncovered_pack) {
    for (std::uint32_t i = 0; i < entries->size(); ++i) {
      DRS_ASSIGN_OR_RETURN(const ChunkList list, chunks({number, i}));
      if (!list->empty()) DRS_RETURN_IF_ERROR(visit(i, *list));
    }
    return {};
  }
  const ObjectOpener opener =
      ObjectOpener::for_salt(repository_.keys(), ObjectKind::kIndex, unit.salt, repository_.crypto());
  Bytes sealed;
  Bytes plain;
  for (std::uint32_t first = 0; first < entries->size();) {
    // One read covers lists that lie end to end, up to kVisitReadBytesMax.
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::uint32_t last = first;
    for (; last < entries->size(); ++last) {
      const DirectoryEntry& entry = (*entries)[last];
      if (entry.record.chunk_count == 0) continue;
      if (end == 0) begin = end = entry.list_offset_bytes;
      const std::uint64_t after = entry.list_offset_bytes + list_sealed_bytes(entry.record);
      if (entry.list_offset_bytes != end || (end > begin && after - begin > kVisitReadBytesMax)) break;
      end = after;
    }
    sealed.resize(end - begin);
    DRS_RETURN_IF_ERROR(read_from(unit, begin, sealed));
    for (std::uint32_t i = first; i < last; ++i) {
      const DirectoryEntry& entry = (*entries)[i];
      if (entry.record.chunk_count == 0) continue;
      const ByteView seal = ByteView(sealed).subspan(entry.list_offset_bytes - begin, list_sealed_bytes(entry.record));
      plain.resize(seal.size() - kSealBytes);
      const std::string where = unit.name + ", chunk list " + std::to_string(i);
      bool is_first = true;
      auto opened = read_again_if_damaged([&]() -> Result<void> {
        if (!std::exchange(is_first, false)) DRS_RETURN_IF_ERROR(read_from(unit, begin, sealed));
        return opener.open(chunk_list_label(i, entry.record.chunk_count), seal, plain);
      });
      if (!opened.ok()) return std::move(opened).error().with_context(where);
      auto list = decode_chunk_list(plain, entry.record.raw_bytes);
      if (!list.ok()) return std::move(list).error().with_context(where);
      DRS_RETURN_IF_ERROR(visit(i, *list));
    }
    first = last;
  }
  return {};
}

// Several at a time: a store may be remote.
Result<void> BlockIndex::visit_directories(
    std::span<const std::uint32_t> units,
    const std::function<Result<void>(std::uint32_t unit, const Result<Directory>&)>& visit) {
  while (!units.empty()) {
    std::size_t count = 0;
    std::vector<Directory> entries;  // null: not cached
    std::vector<Bytes> sealed;
    std::size_t bytes = 0;
    for (; count < std::min(units.size(), kDirectoriesAtOnce) && bytes < kDirectoriesBytesMax; ++count) {
      const Unit& unit = units_.at(units[count]);
      const CacheEntry* const entry = cached(directory_key(units[count]));
      entries.push_back(entry != nullptr ? entry->directory : nullptr);
      sealed.emplace_back(entry != nullptr || unit.uncovered_pack ? 0 : unit.summary.directory_sealed_bytes);
      bytes += sealed.back().size();
    }
    std::vector<RangeRead> reads;
    for (std::size_t i = 0; i < count; ++i) {
      const Unit& unit = units_[units[i]];
      if (!sealed[i].empty()) reads.push_back({unit.name, unit.summary.directory_offset_bytes, sealed[i], {}});
    }
    DRS_RETURN_IF_ERROR(get_ranges(store_, reads));
    auto read = reads.begin();
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t number = units[i];
      Result<Directory> found(entries[i]);
      if (!sealed[i].empty() && (read++)->result.ok()) {
        const Unit& unit = units_[number];
        Bytes plain(sealed[i].size() - std::min(sealed[i].size(), kSealBytes));
        const ObjectOpener opener =
            ObjectOpener::for_salt(repository_.keys(), ObjectKind::kIndex, unit.salt, repository_.crypto());
        if (opener.open(directory_label(unit.summary), sealed[i], plain).ok()) found = decode_directory(number, plain);
      }
      // An uncovered pack, or what could not be read or opened: once more, alone.
      if (!found.ok() || *found == nullptr) found = directory(number);
      sealed[i] = {};
      DRS_RETURN_IF_ERROR(visit(number, found));
    }
    units = units.subspan(count);
  }
  return {};
}

}  // namespace drs
