#include "verify/recipe_check.h"

#include <algorithm>
#include <string>
#include <utility>

#include "engine/format/names.h"
#include "engine/repository/removal.h"
#include "io/base/error_class.h"
#include "verify/index_check.h"
#include "verify/too_new.h"

namespace drs {

Result<void> report_lost_manifest(CheckContext& context, const Snapshot& snapshot, const Error& error) {
  if (!is_object_fault(error)) return error;
  if (is_absent(error)) {
    DRS_ASSIGN_OR_RETURN(const auto removed,
                         removal_of(context.repository.keys(), context.repository.store(), snapshot.name));
    if (removed) return {};
  }
  const std::size_t finding = context.findings.report(severity_of(error), snapshot.name, error.message);
  context.findings.affects(finding, snapshot, 0, snapshot.manifest.bytes);
  return {};
}

Result<std::size_t> report_unreadable_block(CheckContext& context, const BlockLocation& location, Error error) {
  if (!is_object_fault(error)) return error;
  const std::string name = pack_name(location.pack);
  ObjectStore& store = context.repository.store();
  DRS_RETURN_IF_ERROR(tell_from_damage(store, name, error));
  const std::vector<DamagedBlock> blocks = {{location.record.offset_bytes, location.record.sealed_bytes}};
  // If a pack cannot be read, nothing is known about its other blocks: mark the whole pack.
  const bool unreadable = is_unreadable(error);
  if (is_lasting_damage(error))
    context.marks.set(store, location.pack, error.message, unreadable ? std::vector<DamagedBlock>() : blocks);
  const std::size_t finding = context.findings.report(severity_of(error), name, error.message);
  if (is_absent(error)) {
    context.damage.add_pack(location.pack, finding);
    context.absent.push_back(location.pack);
  } else {
    context.damage.add_blocks(location.pack, finding, blocks);
  }
  return finding;
}

Result<void> RecipeCheck::check(const Snapshot& snapshot) {
  const auto manifest = read_manifest(context_.repository, store_, snapshot);
  if (!manifest.ok()) return report_lost_manifest(context_, snapshot, manifest.error());
  for (const ManifestStream& stream : manifest->streams) {
    for (const RecipePartRef& ref : stream.parts) {
      if (context_.cancel.cancelled()) return Error(ErrorCode::kCancelled, "asked to stop");
      ++parts_;
      DRS_ASSIGN_OR_RETURN(const auto part, read_part(snapshot, ref));
      if (part) DRS_RETURN_IF_ERROR(check_part(snapshot, *part));
    }
  }
  return {};
}

std::optional<std::size_t> RecipeCheck::damage_of(const Snapshot& snapshot, const BlockLocation& location) const {
  const auto finding = context_.damage.find(location);
  if (!finding || !rebuilt_ids_.contains(snapshot.id())) return finding;
  // The snapshot was rebuilt from this block, so an earlier finding does not affect it; a pack that is missing since
  // does.
  const auto& absent = context_.absent;
  return std::find(absent.begin(), absent.end(), location.pack) == absent.end() ? std::nullopt : finding;
}

Result<RecipeCheck::Located> RecipeCheck::locate(const Snapshot& snapshot, const BlockId& id, BlockKind kind) {
  Located located;
  auto location = index_.locate(id);
  if (!location.ok()) {
    if (!is_object_fault(location.error())) return std::move(location).error();
    DRS_ASSIGN_OR_RETURN(located.finding, claims_.explain(store_, id));
    if (!located.finding) {
      located.finding = context_.findings.report(Finding::Severity::kDamage, snapshot.name, location.error().message);
    }
    return located;
  }
  located.finding = damage_of(snapshot, *location);
  const BlockRecord& record = location->record;
  if (record.kind != kind) {
    located.finding = context_.findings.report(
        Finding::Severity::kDamage, snapshot.name,
        "it needs block " + to_string(id) + " as " +
            (kind == BlockKind::kData ? "data, but it is a recipe" : "a recipe, but it is data"));
  } else if (record.offset_bytes < kEnvelopeBytes ||
             std::uint64_t{record.offset_bytes} + record.sealed_bytes + kPackFooterBytes > location->pack_bytes) {
    located.finding =
        context_.findings.report(Finding::Severity::kDamage, index_.index().unit_name(location->place.unit),
                                 "it places block " + to_string(id) + " outside " + pack_name(location->pack));
  }
  located.location = *std::move(location);
  return located;
}

Result<std::optional<RecipePart>> RecipeCheck::read_part(const Snapshot& snapshot, const RecipePartRef& ref) {
  const auto unreadable = [&](std::size_t finding) {
    context_.findings.affects(finding, snapshot, ref.stream_offset_bytes, ref.stream_bytes);
    return std::optional<RecipePart>();
  };
  DRS_ASSIGN_OR_RETURN(Located located, locate(snapshot, ref.block, BlockKind::kRecipe));
  if (located.finding) return unreadable(*located.finding);
  auto plain = reader_.read(*located.location);
  while (!plain.ok()) {
    DRS_ASSIGN_OR_RETURN(const bool changed, index_.renew(located.location, plain.error()));
    if (!changed) break;
    DRS_ASSIGN_OR_RETURN(located, locate(snapshot, ref.block, BlockKind::kRecipe));
    if (located.finding) return unreadable(*located.finding);
    plain = reader_.read(*located.location);
  }
  const BlockLocation& location = *located.location;
  if (!plain.ok()) {
    DRS_ASSIGN_OR_RETURN(const std::size_t finding, report_unreadable_block(context_, location, plain.error()));
    return unreadable(finding);
  }
  if (!context_.options.read_data) {
    context_.progress.bytes.fetch_add(location.record.sealed_bytes, std::memory_order_relaxed);
  }
  auto part = decode_recipe_part(*plain);
  if (part.ok() && (part->stream_offset_bytes != ref.stream_offset_bytes || part->stream_bytes != ref.stream_bytes)) {
    part = Error(ErrorCode::kCorrupt, "it describes " + std::to_string(part->stream_bytes) + " bytes at offset " +
                                          std::to_string(part->stream_offset_bytes) + " of the stream, the manifest " +
                                          "states " + std::to_string(ref.stream_bytes) + " at offset " +
                                          std::to_string(ref.stream_offset_bytes));
  }
  if (!part.ok()) {
    return unreadable(
        context_.findings.report(Finding::Severity::kDamage, snapshot.name,
                                 "its recipe part " + to_string(ref.block) + ": " + part.error().message));
  }
  return std::optional<RecipePart>(*std::move(part));
}

Result<void> RecipeCheck::check_part(const Snapshot& snapshot, const RecipePart& part) {
  std::vector<Block> blocks;
  blocks.reserve(part.blocks.size());
  for (const BlockId& id : part.blocks) {
    if (context_.cancel.cancelled()) return Error(ErrorCode::kCancelled, "asked to stop");
    DRS_ASSIGN_OR_RETURN(const Located located, locate(snapshot, id, BlockKind::kData));
    Block block;
    block.finding = located.finding;
    block.id = id;
    block.lists = index_.lists_made();
    if (located.location) {
      block.place = located.location->place;
      block.raw_bytes = located.location->record.raw_bytes;
      block.chunk_count = located.location->record.chunk_count;
    }
    blocks.push_back(block);
  }
  blocks_ += blocks.size();
  std::uint64_t offset_bytes = part.stream_offset_bytes;
  for (const Run& run : part.runs) {
    DRS_RETURN_IF_ERROR(check_run(snapshot, run, blocks[run.block], offset_bytes));
    offset_bytes += run.bytes;
  }
  return {};
}

Result<void> RecipeCheck::check_run(const Snapshot& snapshot, const Run& run, Block& block,
                                    std::uint64_t offset_bytes) {
  std::optional<std::size_t> finding = block.finding;
  if (!finding) {
    DRS_ASSIGN_OR_RETURN(const std::string problem, run_problem(run, block));
    if (!problem.empty()) {
      finding = context_.findings.report(Finding::Severity::kDamage, snapshot.name,
                                         "its run at byte " + std::to_string(offset_bytes) + " " + problem);
    }
  }
  if (finding) context_.findings.affects(*finding, snapshot, offset_bytes, run.bytes);
  return {};
}

Result<ChunkList> RecipeCheck::chunks_of(Block& block) {
  for (;;) {
    if (block.lists != index_.lists_made()) {
      DRS_ASSIGN_OR_RETURN(const BlockLocation location, index_.locate(block.id));
      block.place = location.place;
      block.lists = index_.lists_made();
    }
    auto chunks = index_.index().chunks(block.place);
    if (chunks.ok() || !is_object_fault(chunks.error())) return chunks;
    DRS_ASSIGN_OR_RETURN(const bool changed, index_.renew(std::nullopt, chunks.error()));
    if (!changed) return chunks;
  }
}

Result<std::string> RecipeCheck::run_problem(const Run& run, Block& block) {
  const std::uint64_t end_bytes = run.offset_bytes + run.bytes;
  const std::uint64_t chunk_end = std::uint64_t{run.chunk_first} + run.chunk_count;
  if (end_bytes > block.raw_bytes || chunk_end > block.chunk_count) {
    return "ends at byte " + std::to_string(end_bytes) + " and chunk " + std::to_string(chunk_end) +
           " of a block that has " + std::to_string(block.raw_bytes) + " bytes and " +
           std::to_string(block.chunk_count) + " chunks";
  }
  if (!context_.options.read_data) return std::string();
  if (resolved_ != block.id) {
    const auto chunks = chunks_of(block);
    if (!chunks.ok()) {
      if (!is_object_fault(chunks.error())) return chunks.error();
      if (block.lists != index_.lists_made())
        return "needs block " + to_string(block.id) + ", which is lost: " + chunks.error().message;
      // Restoring needs no chunk lists: the snapshot is not affected.
      report_unreadable_index(context_.findings, index_.index().unit_name(block.place.unit), chunks.error());
      return std::string();
    }
    chunk_begins_.assign(1, 0);
    for (const ChunkEntry& chunk : **chunks) chunk_begins_.push_back(chunk_begins_.back() + chunk.bytes);
    resolved_ = block.id;
  }
  if (chunk_end >= chunk_begins_.size()) return std::string("names chunks that its block's list does not have");
  const std::uint32_t begin = chunk_begins_[run.chunk_first];
  const std::uint32_t end = chunk_begins_[static_cast<std::size_t>(chunk_end)];
  if (begin == run.offset_bytes && end == end_bytes) return std::string();
  return "states bytes " + std::to_string(run.offset_bytes) + " to " + std::to_string(end_bytes) +
         " of its block, but its chunks are at " + std::to_string(begin) + " to " + std::to_string(end);
}

}  // namespace drs
