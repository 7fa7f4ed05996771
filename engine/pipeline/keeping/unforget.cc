#include "engine/pipeline/keeping/unforget.h"

#include <map>
#include <unordered_set>
#include <utility>

#include "codecs/random.h"
#include "engine/format/document.h"
#include "engine/format/manifest_object.h"
#include "engine/format/names.h"
#include "engine/pipeline/push/spooled_push.h"
#include "engine/repository/block_index.h"
#include "engine/repository/block_mover.h"
#include "engine/repository/block_reader.h"
#include "engine/repository/pack_catalog.h"
#include "engine/repository/pack_table.h"
#include "engine/repository/read_again.h"
#include "io/base/error_class.h"

namespace drs {
namespace {

// Moves the blocks of a snapshot that lie only in condemned packs. What is damaged or missing is left to the check that
// finish_recorded_push makes, whose errors say what it means.
class CondemnedBlocks {
 public:
  CondemnedBlocks(Repository& repository, const Manifest& manifest, const UnforgetOptions& options,
                  const RunControl& control)
      : repository_(repository), manifest_(manifest), options_(options), control_(control) {}

  // Returns how many were moved.
  Result<std::uint64_t> move() {
    DRS_ASSIGN_OR_RETURN(packs_, PackCatalog::load(repository_));
    DRS_ASSIGN_OR_RETURN(index_,
                         BlockIndex::load(repository_, repository_.store(), packs_, {options_.index_cache_bytes}));
    DRS_ASSIGN_OR_RETURN(BlockReader reader, BlockReader::make(repository_, repository_.store()));
    for (const ManifestStream& stream : manifest_.streams) {
      for (const RecipePartRef& ref : stream.parts) {
        if (control_.cancel.cancelled()) return Error(ErrorCode::kCancelled, "unforget was cancelled");
        DRS_RETURN_IF_ERROR(note(ref.block));
        const auto part = reader.read_recipe_part(*index_, ref);
        if (!part.ok() && !is_object_fault(part.error())) return part.error();
        if (!part.ok()) continue;
        for (const BlockId& block : part->blocks) DRS_RETURN_IF_ERROR(note(block));
      }
    }
    return move_noted();
  }

 private:
  Result<void> note(const BlockId& block) {
    if (!seen_.insert(block).second) return {};
    const auto place = index_->locate(block);
    if (!place.ok() && !is_object_fault(place.error())) return place.error();
    if (!place.ok() || place->usable) return {};
    const PackInfo* const pack = packs_.find(place->pack);
    if (pack != nullptr && pack->condemned) by_pack_[pack->name].push_back(*place);
    return {};
  }

  Result<std::uint64_t> move_noted() {
    DRS_ASSIGN_OR_RETURN(BlockMover mover, BlockMover::make(repository_, repository_.store(), {}));
    for (const auto& [pack, places] : by_pack_) {
      const auto moved = [&]() -> Result<void> {
        DRS_ASSIGN_OR_RETURN(const PackTable table,
                             read_pack_table(repository_, repository_.store(), pack, places.front().pack_bytes));
        std::unordered_set<BlockId, BlockIdHash> wanted;
        for (const BlockLocation& place : places) wanted.insert(place.record.id);
        for (const TableBlock& block : table.blocks)
          if (wanted.contains(block.record.id)) DRS_RETURN_IF_ERROR(mover.move({pack, table, block}));
        return {};
      }();
      if (!moved.ok() && !is_object_fault(moved.error())) return moved.error();
    }
    DRS_RETURN_IF_ERROR(mover.flush());
    return mover.totals().blocks;
  }

  Repository& repository_;
  const Manifest& manifest_;
  const UnforgetOptions& options_;
  const RunControl& control_;
  PackCatalog packs_;
  std::unique_ptr<BlockIndex> index_;
  std::unordered_set<BlockId, BlockIdHash> seen_;
  std::map<Digest, std::vector<BlockLocation>> by_pack_;
};

Result<Manifest> read_removed(Repository& repository, const std::string& name) {
  auto manifest = read_again_if_damaged([&]() -> Result<Manifest> {
    DRS_ASSIGN_OR_RETURN(const Bytes object, get_document(repository.store(), name, kDocumentBytesMax));
    if (is_fence(repository.keys(), name, object))
      return Error(ErrorCode::kNoSnapshot,
                   "a prune has fenced the copy of it into this replica, so it was never here: "
                   "`drstream unforget` it in the source, and copy again");
    return open_manifest(repository.keys(), name, object);
  });
  if (!manifest.ok() && is_absent(manifest.error()))
    return Error(ErrorCode::kNotFound,
                 name +
                     " is deleted: the undo time of `drstream prune` has passed, and the snapshot cannot be taken "
                     "back");
  if (!manifest.ok()) return std::move(manifest).error().with_context(name);
  return manifest;
}

}  // namespace

Result<UnforgetReport> unforget(Repository& repository, const std::string& removed_manifest,
                                const UnforgetOptions& options, const RunControl& control) {
  UnforgetReport report;
  DRS_ASSIGN_OR_RETURN(report.manifest, read_removed(repository, removed_manifest));
  // A session of its own: the old name is removed for ever.
  random_bytes(report.manifest.session.mutable_view());
  report.manifest_name = manifest_name(repository.keys().stream_tag(report.manifest.stream), report.manifest.session);
  DRS_ASSIGN_OR_RETURN(const Bytes body, encode_manifest(report.manifest));
  Bytes object = encode_document(repository.keys(), ObjectKind::kManifest, report.manifest_name, body);
  DRS_ASSIGN_OR_RETURN(RecordedPush push, open_recorded_push(repository, report.manifest_name, std::move(object)));
  push.if_lost = "since the snapshot was removed; a copy of the repository may still have it (`drstream copy`)";
  report.manifest_digest = push.manifest_digest;
  // Runs once the session object is stored, and before packs are listed for the check.
  const auto make_room = [&]() -> Result<void> {
    CondemnedBlocks blocks(repository, report.manifest, options, control);
    DRS_ASSIGN_OR_RETURN(report.moved_blocks, blocks.move());
    return {};
  };
  DRS_ASSIGN_OR_RETURN(report.warnings, finish_recorded_push(repository, push, make_room, options.index_cache_bytes));
  return report;
}

}  // namespace drs
