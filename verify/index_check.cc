#include "verify/index_check.h"

#include <algorithm>
#include <utility>

#include "codecs/sha256.h"
#include "engine/format/names.h"
#include "engine/repository/pack_table.h"
#include "engine/repository/read_again.h"
#include "io/base/error_class.h"
#include "verify/too_new.h"

namespace drs {
namespace {

std::vector<IndexSession> sessions_of(const std::vector<DirectoryEntry>& directory) {
  std::vector<IndexSession> sessions;
  for (const DirectoryEntry& entry : directory) {
    const BlockId& id = entry.record.id;
    if (sessions.empty() || sessions.back().session != id.session)
      sessions.push_back({id.session, id.counter, id.counter, 0});
    sessions.back().counter_max = id.counter;
    ++sessions.back().block_count;
  }
  return sessions;
}

bool is_hook(const ChunkId& id) {
  return (chunk_word(id) & ((1U << kHookShift) - 1)) == 0;
}

}  // namespace

void report_unreadable_index(FindingList& findings, const std::string& name, const Error& error) {
  const Finding::Severity severity = severity_of(error);
  findings.report(severity, name, error.message);
  findings.report(severity, name,
                  severity == Finding::Severity::kTooNew
                      ? "its packs can still be read by their own tables"
                      : "its packs can still be read by their own tables; next: drstream repair index");
}

void IndexCheck::damaged(const std::string& name, const std::string& problem) {
  report_unreadable_index(context_.findings, name, {ErrorCode::kCorrupt, problem});
}

Result<bool> IndexCheck::check(const ObjectInfo& info, ObjectStore& store, const CheckBuffers::Worker& buffers) {
  auto object = IndexObject::open(context_.repository, store, info);
  if (object.ok()) {
    DRS_ASSIGN_OR_RETURN(auto lost_packs, find_lost_packs(*object, store));
    claims_.add(info, object->summary(), std::move(lost_packs));
    if (!context_.options.read_data) return true;
    auto checked = check_whole(*object, store, buffers);
    if (checked.ok()) return true;
    object = std::move(checked).error();
  }
  if (!is_object_fault(object.error())) return std::move(object).error();
  Error error = std::move(object).error();
  DRS_RETURN_IF_ERROR(tell_from_damage(store, info.key, error));
  if (is_absent(error)) return false;
  report_unreadable_index(context_.findings, info.key, error);
  return true;
}

Result<std::map<std::uint32_t, std::size_t>> IndexCheck::find_lost_packs(const IndexObject& object,
                                                                         ObjectStore& store) {
  std::map<std::uint32_t, std::size_t> lost;
  const std::vector<IndexedPack>& named = object.summary().packs;
  for (std::uint32_t i = 0; i < named.size(); ++i) {
    const std::string name = pack_name(named[i].name);
    std::uint64_t bytes = 0;
    if (const PackInfo* listed = packs_.find(named[i].name)) {
      bytes = listed->bytes;
      const std::scoped_lock lock(mutex_);
      covered_[static_cast<std::size_t>(listed - packs_.packs().data())] = true;
    }
    if (bytes != named[i].bytes) {
      // A push may have stored it since packs were listed, and lists have no checksum.
      const auto info = store.stat(name);
      if (!info.ok() && !is_object_fault(info.error())) return info.error();
      if (!info.ok() && !is_absent(info.error())) {
        lost[i] = context_.findings.report(Finding::Severity::kDamage, name, info.error().message);
        continue;
      }
      if (!info.ok()) {
        const bool pruned = condemned_.contains(named[i].name);
        lost[i] = context_.findings.report(
            pruned ? Finding::Severity::kWarning : Finding::Severity::kDamage, name,
            pruned
                ? "is missing: a prune has condemned it, but " + object.name() + " still names it"
                : "is missing, but " + object.name() + " names it with " + std::to_string(named[i].bytes) + " bytes");
        continue;
      }
      bytes = info->size_bytes;
    }
    if (bytes == named[i].bytes) continue;
    const std::string problem =
        "has " + std::to_string(bytes) + " bytes, but " + object.name() + " says " + std::to_string(named[i].bytes);
    lost[i] = context_.findings.report(Finding::Severity::kDamage, name, problem);
    context_.damage.add_pack(named[i].name, lost[i]);
    if (!condemned_.contains(named[i].name)) context_.marks.set(store, named[i].name, problem);
  }
  return lost;
}

Result<void> IndexCheck::check_whole(const IndexObject& object, ObjectStore& store,
                                     const CheckBuffers::Worker& buffers) {
  const auto digest_only = [&](Error error) -> Result<void> {
    // A section cannot be read. The digest of the whole object still shows whether its bytes changed.
    ObjectScan whole(store, buffers.sweep, context_.progress, context_.cancel);
    DRS_ASSIGN_OR_RETURN(const Digest digest, whole.run(object.name(), object.bytes()));
    if (index_name(digest) != object.name()) error.message += "; the SHA-256 of its bytes is " + digest.hex();
    return error;
  };
  auto directory = object.read_directory(store);
  if (!directory.ok()) return digest_only(std::move(directory).error().with_context("its directory"));
  auto hooks = object.read_hooks(store);
  if (!hooks.ok()) return digest_only(std::move(hooks).error().with_context("its hooks"));
  if (sessions_of(*directory) != object.summary().sessions) {
    damaged(object.name(), "the sessions in its summary differ from those in its directory");
  }
  DRS_ASSIGN_OR_RETURN(const ListDigests lists, sweep(object, *directory, *hooks, store, buffers));
  return compare_with_packs(object, *directory, lists, store);
}

Result<IndexCheck::ListDigests> IndexCheck::sweep(const IndexObject& object,
                                                  const std::vector<DirectoryEntry>& directory,
                                                  const std::vector<Hook>& hooks, ObjectStore& store,
                                                  const CheckBuffers::Worker& buffers) {
  std::vector<std::uint32_t> blocks;  // those with a list, in the order of the lists
  for (std::uint32_t i = 0; i < directory.size(); ++i)
    if (directory[i].record.chunk_count > 0) blocks.push_back(i);
  std::sort(blocks.begin(), blocks.end(), [&](std::uint32_t a, std::uint32_t b) {
    return directory[a].list_offset_bytes < directory[b].list_offset_bytes;
  });
  std::vector<ScanRegion> regions;
  for (const std::uint32_t block : blocks) {
    regions.push_back(
        {directory[block].list_offset_bytes,
         static_cast<std::uint32_t>(directory[block].record.chunk_count * kChunkEntryBytes + kSealBytes)});
  }

  ListDigests lists;
  std::vector<Hook> expected_hooks;
  std::uint64_t chunk_count = 0;
  Digest digest;
  std::vector<std::string> problems;
  const auto take_list = [&](std::size_t region, ByteView sealed) {
    const std::uint32_t block = blocks[region];
    const BlockRecord& record = directory[block].record;
    const auto unreadable = [&](const Error& error) {
      problems.push_back("the chunk list of block " + to_string(record.id) + ": " + error.message);
    };
    const auto plain = object.opener().open(chunk_list_label(block, record.chunk_count), sealed);
    if (!plain.ok()) return unreadable(plain.error());
    const auto chunks = decode_chunk_list(*plain, record.raw_bytes);
    if (!chunks.ok()) return unreadable(chunks.error());
    lists[block] = sha256(*plain);
    chunk_count += chunks->size();
    for (std::size_t i = 0; i < chunks->size(); ++i) {
      const ChunkId& id = (*chunks)[i].id;
      if (is_hook(id)) expected_hooks.push_back({chunk_word(id), block, static_cast<std::uint16_t>(i)});
    }
  };
  const auto read_lists = [&]() -> Result<void> {
    lists.assign(directory.size(), Digest());
    expected_hooks.clear();
    chunk_count = 0;
    problems.clear();
    ObjectScan reader(store, buffers.sweep, context_.progress, context_.cancel);
    DRS_ASSIGN_OR_RETURN(digest, reader.run(object.name(), object.bytes(), regions, take_list));
    return {};
  };
  DRS_RETURN_IF_ERROR(read_again_if_damaged(read_lists));
  if (!problems.empty() || index_name(digest) != object.name()) DRS_RETURN_IF_ERROR(read_lists());
  for (const std::string& problem : problems) damaged(object.name(), problem);
  if (index_name(digest) != object.name()) {
    damaged(object.name(), "the SHA-256 of its bytes is " + digest.hex() + ", expected its name");
    return lists;  // further differences between sections follow from this
  }
  std::sort(expected_hooks.begin(), expected_hooks.end(),
            [](const Hook& a, const Hook& b) { return std::pair(a.block, a.chunk) < std::pair(b.block, b.chunk); });
  if (expected_hooks != hooks) damaged(object.name(), "its hooks differ from its chunk lists");
  if (chunk_count != object.summary().chunk_count) {
    damaged(object.name(), "its chunk lists hold " + std::to_string(chunk_count) + " chunks, its summary says " +
                               std::to_string(object.summary().chunk_count));
  }
  return lists;
}

Result<void> IndexCheck::compare_with_packs(const IndexObject& object, const std::vector<DirectoryEntry>& directory,
                                            const ListDigests& lists, ObjectStore& store) {
  const std::vector<IndexedPack>& named = object.summary().packs;
  std::vector<std::size_t> block_counts(named.size());
  for (const DirectoryEntry& entry : directory) ++block_counts[entry.pack];
  for (std::uint32_t i = 0; i < named.size(); ++i) {
    const PackInfo* listed = packs_.find(named[i].name);
    if (listed == nullptr || listed->bytes != named[i].bytes) continue;  // reported, or newer than this check
    const auto table = read_pack_table(context_.repository, store, listed->name, listed->bytes);
    if (!table.ok()) {
      if (!is_object_fault(table.error())) return table.error();
      continue;  // the check of the pack reports it
    }
    const std::string pack = pack_name(named[i].name);
    if (table->salt != named[i].salt) damaged(object.name(), "it names another salt for " + pack);
    if (table->blocks.size() != block_counts[i]) {
      damaged(object.name(), "it lists " + std::to_string(block_counts[i]) + " blocks in " + pack +
                                 ", whose table lists " + std::to_string(table->blocks.size()));
    }
    for (const TableBlock& block : table->blocks) {
      auto entry = std::lower_bound(directory.begin(), directory.end(), block.record.id,
                                    [](const DirectoryEntry& e, const BlockId& id) { return e.record.id < id; });
      while (entry != directory.end() && entry->record.id == block.record.id && entry->pack != i) ++entry;
      const bool listed_block = entry != directory.end() && entry->record.id == block.record.id;
      if (!listed_block || entry->record != block.record) {
        damaged(object.name(), "it and the table of " + pack + " disagree about block " + to_string(block.record.id));
        continue;
      }
      const Digest& list = lists[static_cast<std::size_t>(entry - directory.begin())];
      if (block.chunks.empty() || list.is_zero()) continue;  // no list, or an unreadable one, which is reported
      if (sha256(encode_chunk_list(block.chunks)) != list) {
        damaged(object.name(),
                "it and the table of " + pack + " disagree about the chunks of block " + to_string(block.record.id));
      }
    }
  }
  return {};
}

void IndexCheck::report_uncovered() {
  std::size_t count = 0;
  std::string first;
  for (std::size_t i = 0; i < covered_.size(); ++i) {
    const PackInfo& pack = packs_.packs()[i];
    if (covered_[i] || pack.condemned) continue;
    if (count++ == 0) first = pack_name(pack.name);
  }
  if (count == 0) return;
  context_.findings.report(Finding::Severity::kWarning, "index/",
                           std::to_string(count) + (count == 1 ? " pack is" : " packs are") +
                               " not covered by an index object (first: " + first +
                               "): their own tables are read instead; a running or interrupted push leaves such packs, "
                               "too; next: drstream repair index");
}

}  // namespace drs
