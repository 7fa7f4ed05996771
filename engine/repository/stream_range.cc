#include "engine/repository/stream_range.h"

#include <algorithm>
#include <string>

namespace drs {
namespace {

Error outside(const ManifestStream& stream, std::uint64_t offset_bytes, std::uint64_t bytes) {
  return {ErrorCode::kCorrupt, "stream '" + stream.label + "' of the snapshot has " + std::to_string(stream.bytes) +
                                   " bytes, but " + std::to_string(bytes) + " are expected at offset " +
                                   std::to_string(offset_bytes)};
}

}  // namespace

Result<std::shared_ptr<const StreamRange::Part>> StreamRange::load_part(const RecipePartRef& ref) {
  if (*last_part_ != nullptr && (*last_part_)->ref == ref) return *last_part_;
  last_part_->reset();
  ++block_reads_;
  auto part = std::make_shared<Part>();
  part->ref = ref;
  DRS_ASSIGN_OR_RETURN(part->recipe, reader_.read_recipe_part(index_, ref));
  std::uint64_t end_bytes = ref.stream_offset_bytes;
  for (const Run& run : part->recipe.runs) part->run_ends.push_back(end_bytes += run.bytes);
  *last_part_ = part;
  return *last_part_;
}

// A pack that cannot be read at all may have a copy elsewhere.
Result<Bytes> StreamRange::read_block(const BlockId& id) {
  for (bool again = false;; again = true) {
    DRS_ASSIGN_OR_RETURN(const BlockLocation location, index_.locate(id));
    ++block_reads_;
    auto plain = reader_.read(location);
    if (plain.ok() || again || !is_unreadable(plain.error())) return plain;
    index_.set_unusable(location.pack);
  }
}

Result<void> StreamRange::load_block(const BlockId& id) {
  if (block_id_ == id) return {};
  block_id_.reset();
  DRS_ASSIGN_OR_RETURN(block_, read_block(id));
  block_id_ = id;
  return {};
}

Result<Bytes> StreamRange::read(const ManifestStream& stream, std::uint64_t offset_bytes, std::uint64_t bytes) {
  if (offset_bytes > stream.bytes || bytes > stream.bytes - offset_bytes) return outside(stream, offset_bytes, bytes);
  Bytes out;
  out.reserve(bytes);
  const auto ends_before = [](std::uint64_t offset, const RecipePartRef& part) {
    return offset < part.stream_offset_bytes + part.stream_bytes;
  };
  auto part = std::upper_bound(stream.parts.begin(), stream.parts.end(), offset_bytes, ends_before);
  while (out.size() < bytes) {
    if (part == stream.parts.end()) return outside(stream, offset_bytes, bytes);
    DRS_ASSIGN_OR_RETURN(const auto loaded, load_part(*part));
    const std::vector<std::uint64_t>& run_ends = loaded->run_ends;
    const std::uint64_t from = offset_bytes + out.size();
    const auto first = std::ranges::upper_bound(run_ends, from);
    for (auto end = first; end != run_ends.end() && out.size() < bytes; ++end) {
      const Run& run = loaded->recipe.runs[static_cast<std::size_t>(end - run_ends.begin())];
      DRS_RETURN_IF_ERROR(load_block(loaded->recipe.blocks[run.block]));
      if (run.offset_bytes + run.bytes > block_.size())
        return Error(ErrorCode::kCorrupt, "a recipe names bytes beyond the end of block " + to_string(*block_id_));
      const std::uint64_t skipped = offset_bytes + out.size() - (*end - run.bytes);
      const ByteView piece =
          ByteView(block_).subspan(run.offset_bytes + skipped, std::min(run.bytes - skipped, bytes - out.size()));
      out.insert(out.end(), piece.begin(), piece.end());
    }
    ++part;
  }
  return out;
}

Result<void> StreamRange::visit_blocks(const RecipePartRef& part, const VisitBlock& visit) {
  DRS_RETURN_IF_ERROR(visit(part.block, part.stream_offset_bytes, part.stream_offset_bytes + part.stream_bytes));
  DRS_ASSIGN_OR_RETURN(const auto loaded, load_part(part));
  const RecipePart& recipe = loaded->recipe;
  for (std::size_t i = 0; i < recipe.runs.size(); ++i) {
    const Run& run = recipe.runs[i];
    DRS_RETURN_IF_ERROR(visit(recipe.blocks[run.block], loaded->run_ends[i] - run.bytes, loaded->run_ends[i]));
  }
  return {};
}

}  // namespace drs
