#include "verify/pack_check.h"

#include <algorithm>
#include <utility>

#include "engine/format/names.h"
#include "engine/format/recipe.h"
#include "io/base/error_class.h"

namespace drs {

Result<PackCheck> PackCheck::make(CheckContext& context, ObjectStore& store, const CheckBuffers::Worker& buffers) {
  DRS_ASSIGN_OR_RETURN(Decompressor decompressor, Decompressor::make());
  return PackCheck(context, store, buffers, std::move(decompressor));
}

Result<PackOutcome> PackCheck::check(const PackInfo& pack) {
  const std::string name = pack_name(pack.name);
  const Counts counts_before = counts_;
  DRS_ASSIGN_OR_RETURN(Verdict verdict, read(store_, pack, name));
  if (verdict.lasting) {
    counts_ = counts_before;
    DRS_ASSIGN_OR_RETURN(verdict, read_again(pack, name, verdict));
  }
  if (verdict.gone) {
    counts_ = counts_before;
    gone_.push_back(pack.name);
    return PackOutcome::kGone;
  }
  if (verdict.problem.empty()) {
    if (!pack.marked) return PackOutcome::kIntact;
    if (context_.options.read_only) {
      context_.findings.report(Finding::Severity::kWarning, name,
                               "is intact, but marked as damaged; the mark stays, because this check is read-only");
    }
    context_.marks.clear(store_, pack.name);
    return PackOutcome::kIntact;
  }
  const auto severity = verdict.too_new ? Finding::Severity::kTooNew : Finding::Severity::kDamage;
  const std::size_t finding = context_.findings.report(severity, name, verdict.problem);
  if (verdict.all_blocks) {
    verdict.damaged_blocks.clear();
    context_.damage.add_pack(pack.name, finding);
    if (verdict.tableless) tableless_.push_back(pack.name);
  } else {
    context_.damage.add_blocks(pack.name, finding, verdict.damaged_blocks);
  }
  // No push uses a condemned pack, so a mark would have no effect, and count as damage until a prune deletes the pack.
  if (verdict.lasting && !pack.condemned)
    context_.marks.set(store_, pack.name, verdict.problem, std::move(verdict.damaged_blocks));
  return verdict.lasting ? PackOutcome::kDamaged : PackOutcome::kUnread;
}

Result<PackOutcome> PackCheck::check_digest(const PackInfo& pack) {
  const std::string name = pack_name(pack.name);
  ObjectScan sweep(store_, buffers_.sweep, context_.progress, context_.cancel);
  const auto digest = sweep.run(name, pack.bytes);
  if (!digest.ok() && !is_object_fault(digest.error())) return digest.error();
  if (digest.ok() && *digest == pack.name) {
    ++counts_.packs;
    counts_.bytes += pack.bytes;
    return PackOutcome::kIntact;
  }
  DRS_ASSIGN_OR_RETURN(const PackOutcome outcome, check(pack));
  if (outcome == PackOutcome::kIntact)
    report_unsteady(name, digest.ok() ? "its SHA-256 was " + digest->hex() : digest.error().message);
  return outcome;
}

// Over another connection, and of a local store past every cache, as each read of it is. Damage in the store is there
// again.
Result<PackCheck::Verdict> PackCheck::read_again(const PackInfo& pack, const std::string& name, const Verdict& first) {
  DRS_ASSIGN_OR_RETURN(const auto other, store_.clone());
  DRS_ASSIGN_OR_RETURN(Verdict second, read(*other, pack, name));
  if (second.problem.empty() && !second.gone) report_unsteady(name, first.problem);
  if (first.digest && second.digest && *first.digest != *second.digest && !second.problem.empty())
    second.add(
        "a read before this one had other bytes: besides, this machine's memory or its way to the store may be "
        "at fault");
  return second;
}

void PackCheck::report_unsteady(const std::string& name, const std::string& first_problem) {
  ++counts_.unsteady;
  context_.findings.report(Finding::Severity::kWarning, name, unsteady_text(first_problem));
}

Result<PackCheck::Verdict> PackCheck::read(ObjectStore& store, const PackInfo& pack, const std::string& name) {
  Verdict verdict;
  const Result<PackTable> table = read_pack_table(context_.repository, store, pack.name, pack.bytes);
  if (!table.ok()) {
    if (!is_object_fault(table.error())) return table.error();
    verdict.gone = is_absent(table.error());
    if (verdict.gone) return verdict;
    verdict.add("its table cannot be read: " + table.error().message);
    verdict.lasting = is_lasting_damage(table.error());
    verdict.too_new = is_too_new(table.error());
    verdict.all_blocks = true;
  }

  // The blocks in the order of the pack.
  std::vector<const TableBlock*> blocks;
  if (table.ok()) {
    for (const TableBlock& block : table->blocks) blocks.push_back(&block);
    std::sort(blocks.begin(), blocks.end(),
              [](const TableBlock* a, const TableBlock* b) { return a->record.offset_bytes < b->record.offset_bytes; });
  }
  std::vector<ScanRegion> regions;
  regions.reserve(blocks.size());
  for (const TableBlock* block : blocks) regions.push_back({block->record.offset_bytes, block->record.sealed_bytes});

  std::string first_damage;
  std::size_t passed = 0;
  ObjectScan sweep(store, buffers_.sweep, context_.progress, context_.cancel);
  const auto digest = sweep.run(name, pack.bytes, regions, [&](std::size_t region, ByteView sealed) {
    passed = region + 1;
    const TableBlock& block = *blocks[region];
    const auto good = check_block(*table, block, sealed);
    if (good.ok()) return;
    if (first_damage.empty()) {
      first_damage = good.error().message + " (at offset " + std::to_string(block.record.offset_bytes) + ")";
    }
    verdict.damaged_blocks.push_back({block.record.offset_bytes, block.record.sealed_bytes});
  });
  if (!digest.ok()) {
    if (!is_object_fault(digest.error())) return digest.error();
    verdict.gone = is_absent(digest.error());
    if (verdict.gone) return verdict;
    verdict.add("it cannot be read to its end: " + digest.error().message);
    verdict.lasting = verdict.lasting || is_lasting_damage(digest.error());
    verdict.too_new = false;
    for (; passed < blocks.size(); ++passed) {
      verdict.damaged_blocks.push_back({blocks[passed]->record.offset_bytes, blocks[passed]->record.sealed_bytes});
    }
  } else {
    ++counts_.packs;
    counts_.bytes += pack.bytes;
    verdict.digest = *digest;
    if (*digest != pack.name) {
      verdict.add("the SHA-256 of its " + std::to_string(pack.bytes) + " bytes is " + digest->hex() +
                  ", expected its name");
      verdict.lasting = true;
      verdict.too_new = false;  // a bit of its version flipped
    }
    verdict.tableless = !table.ok() && !verdict.too_new;
  }
  if (!verdict.damaged_blocks.empty()) {
    verdict.lasting = true;
    verdict.add(std::to_string(verdict.damaged_blocks.size()) + " of its " + std::to_string(blocks.size()) +
                (verdict.damaged_blocks.size() == 1 ? " blocks is damaged" : " blocks are damaged") +
                (first_damage.empty() ? "" : ", first: " + first_damage));
  } else if (!verdict.problem.empty() && !verdict.all_blocks) {
    verdict.add("every block in it still decodes");
  }
  return verdict;
}

Result<void> PackCheck::check_block(const PackTable& table, const TableBlock& block, ByteView sealed) {
  const MutableByteView plain = buffers_.plain.first(block.record.raw_bytes);
  DRS_RETURN_IF_ERROR(decode_block(table.opener, block.record, sealed, decompressor_, buffers_.scratch, plain));
  ++counts_.blocks;
  counts_.decoded_bytes += plain.size();
  if (block.record.kind == BlockKind::kData) return check_chunks(block, plain);
  const auto part = decode_recipe_part(plain);
  if (!part.ok()) return part.error().with_context("block " + to_string(block.record.id));
  return {};
}

Result<void> PackCheck::check_chunks(const TableBlock& block, ByteView plain) {
  messages_.clear();
  std::size_t offset = 0;
  for (const ChunkEntry& chunk : block.chunks) {
    messages_.push_back(plain.subspan(offset, chunk.bytes));  // the table's decoder has checked their sum
    offset += chunk.bytes;
  }
  ids_.resize(messages_.size());
  hasher_.hash(messages_, ids_);
  counts_.chunks += ids_.size();
  for (std::size_t i = 0; i < ids_.size(); ++i) {
    if (ids_[i] == block.chunks[i].id) continue;
    return Error(ErrorCode::kCorrupt, "block " + to_string(block.record.id) + ": chunk " + std::to_string(i) +
                                          " has id " + ids_[i].hex() + ", its table says " + block.chunks[i].id.hex());
  }
  return {};
}

}  // namespace drs
