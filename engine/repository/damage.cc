#include "engine/repository/damage.h"

#include <algorithm>
#include <utility>

#include "codecs/random.h"
#include "engine/format/names.h"
#include "engine/repository/listed_again.h"
#include "engine/repository/read_again.h"
#include "io/base/error_class.h"
#include "sinks/settled_put.h"

namespace drs {
namespace {

constexpr std::size_t kProblemBytesMax = 1000;

bool by_offset(const DamagedBlock& a, const DamagedBlock& b) {
  return a.offset_bytes < b.offset_bytes;
}

}  // namespace

bool PackMarks::covers(std::uint32_t offset_bytes, std::uint32_t bytes) const {
  if (whole) return true;
  // The first block that ends after the beginning of the range.
  const auto at = std::partition_point(blocks.begin(), blocks.end(), [&](const DamagedBlock& block) {
    return block.offset_bytes + block.bytes <= offset_bytes;
  });
  return at != blocks.end() && at->offset_bytes < std::uint64_t{offset_bytes} + bytes;
}

void PackMarks::add(std::span<const DamagedBlock> more) {
  blocks.insert(blocks.end(), more.begin(), more.end());
  std::sort(blocks.begin(), blocks.end(), by_offset);
  std::vector<DamagedBlock> merged;
  for (const DamagedBlock& block : blocks) {
    const std::uint32_t end_bytes = block.offset_bytes + block.bytes;  // within a pack: no overflow
    if (merged.empty() || block.offset_bytes > merged.back().offset_bytes + merged.back().bytes)
      merged.push_back(block);
    else
      merged.back().bytes = std::max(merged.back().bytes, end_bytes - merged.back().offset_bytes);
  }
  blocks = std::move(merged);
}

Result<MarkedPacks> load_marks(ObjectStore& store, std::span<const ObjectInfo> listed) {
  MarkedPacks packs;
  std::vector<std::string> absent;
  const auto take = [&](std::size_t place, Result<Bytes> bytes) -> Result<void> {
    const auto name = parse_name(listed[place].key);
    Result<DamagedMark> mark = bytes.ok() ? decode_damaged(*bytes) : Result<DamagedMark>(std::move(bytes).error());
    if (!mark.ok() && !is_object_fault(mark.error())) return std::move(mark).error();
    if (!mark.ok() && is_absent(mark.error())) {
      absent.push_back(listed[place].key);
      return {};
    }
    PackMarks& pack = packs[name->digest];
    const bool good = mark.ok() && mark->pack == name->digest && mark->id == name->uuid;
    pack.marks.push_back({name->uuid, good ? mark->found_by : ""});
    if (!good || mark->blocks.empty())
      pack.whole = true;
    else
      pack.add(mark->blocks);
    return {};
  };
  DRS_RETURN_IF_ERROR(get_documents(store, listed, kDocumentBytesMax, take));
  // A missing mark that is no longer listed was removed in the meantime. One that is still listed is unreadable.
  DRS_ASSIGN_OR_RETURN(const auto unreadable, still_listed(store, absent));
  for (const std::string& key : unreadable) {
    const auto name = parse_name(key);
    PackMarks& pack = packs[name->digest];
    pack.marks.push_back({name->uuid, ""});
    pack.whole = true;
  }
  return packs;
}

Result<void> mark_damaged(ObjectStore& store, const Clock& clock, const Digest& pack, DamageReport report) {
  DamagedMark mark;
  mark.pack = pack;
  random_bytes(mark.id.mutable_view());
  mark.found_ns = clock.wall_ns();
  mark.found_by = std::move(report.found_by);
  mark.problem = report.problem.substr(0, kProblemBytesMax);
  std::sort(report.blocks.begin(), report.blocks.end(), by_offset);
  if (report.blocks.size() <= kDamagedBlocksMax) mark.blocks = std::move(report.blocks);
  return put_settled(store, damaged_name(pack, mark.id), encode_damaged(mark));
}

Result<void> clear_damaged(ObjectStore& store, const Digest& pack, const Uuid& mark) {
  auto removed = store.remove(damaged_name(pack, mark));
  if (!removed.ok() && is_absent(removed.error())) return {};
  return removed;
}

}  // namespace drs
