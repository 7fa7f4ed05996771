#include "engine/pipeline/push/spooled_push.h"

#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "engine/format/document.h"
#include "engine/format/manifest_object.h"
#include "engine/format/names.h"
#include "engine/pipeline/push/reused_objects.h"
#include "engine/repository/block_index.h"
#include "engine/repository/block_reader.h"
#include "engine/repository/listed_again.h"
#include "engine/repository/pack_catalog.h"
#include "engine/repository/read_again.h"
#include "engine/repository/removal.h"
#include "engine/repository/write_session.h"
#include "io/base/error_class.h"

namespace drs {
namespace {

Error gone(const RecordedPush& push, const std::string& what) {
  return {ErrorCode::kConflict,
          "the snapshot " + push.manifest_name + " can no longer be committed: " + what + " " + push.if_lost};
}

// Whether the manifest is in the store already. Errors: kConflict (a fence has its name), kCorrupt (its name holds
// other bytes), the store's.
Result<bool> is_committed(const Repository& repository, const RecordedPush& push, ObjectStore& store) {
  const auto there = get_document(store, push.manifest_name, kDocumentBytesMax);
  if (!there.ok() && is_absent(there.error())) return false;
  if (!there.ok()) return there.error();
  if (*there == push.object) return true;
  if (is_fence(repository.keys(), push.manifest_name, *there)) return gone(push, "a prune has fenced its session");
  return Error(ErrorCode::kCorrupt, push.manifest_name + " exists, but is damaged");
}

// The same, before anything is done. The push may have committed before it died, so an unreadable manifest does not
// count as absent: returns kUnsettled, unless the error code means already that the outcome is unknown, or is a
// verdict.
Result<bool> look_whether_committed(const Repository& repository, const RecordedPush& push, ObjectStore& store) {
  auto committed = is_committed(repository, push, store);
  if (committed.ok()) return committed;
  Error error = std::move(committed).error();
  const bool verdict = error.code == ErrorCode::kConflict || error.code == ErrorCode::kCancelled;
  if (verdict || leaves_commit_in_doubt(error.code)) return error;
  error.code = ErrorCode::kUnsettled;
  return std::move(error).with_context("it is unknown whether " + push.manifest_name + " is committed");
}

// The error for a block that cannot be located. kConflict is final: the block is lost. Damage is not: it may be
// repaired.
Error missing_block(const RecordedPush& push, BlockIndex& index, ObjectStore& store, const BlockId& block) {
  if (!index.problems().empty()) {
    const BlockIndex::Problem& problem = index.problems().front();
    return {ErrorCode::kCorrupt, "block " + to_string(block) + " was not found; " + problem.object +
                                     ", which may name it, cannot be read: " + problem.error.message};
  }
  const auto claim = index.any_claim(block);
  if (!claim.ok() && !is_absent(claim.error())) return claim.error();
  if (!claim.ok())
    return gone(push, "block " + to_string(block) +
                          ", which it needs, lies in no pack of the repository or of the spool: its pack was deleted");
  const auto pack = index.claimed_pack(*claim);
  if (!pack.ok()) return pack.error();
  const auto there = store.stat(pack_name(pack->name));
  if (there.ok())
    return {ErrorCode::kCorrupt, pack_name(pack->name) + " has " + std::to_string(there->size_bytes) +
                                     " bytes, expected " + std::to_string(pack->bytes)};
  if (!is_absent(there.error())) return there.error();
  return gone(
      push, pack_name(pack->name) + ", which it needs, is neither in the repository nor in the spool: it was deleted");
}

// Checks that every block of the snapshot, recipe blocks included, lies in a pack that a new push could use as well.
Result<void> find_blocks(Repository& repository, const RecordedPush& push, const PackCatalog& packs, BlockIndex& index,
                         ReusedObjects& reused) {
  DRS_ASSIGN_OR_RETURN(BlockReader reader, BlockReader::make(repository, repository.store()));
  const auto find = [&](const BlockId& block) -> Result<void> {
    const auto location = index.locate(block);
    if (!location.ok() && !is_absent(location.error())) return location.error();
    if (!location.ok()) return missing_block(push, index, repository.store(), block);
    reused.add(*location);
    if (location->usable) return {};
    const PackInfo& pack = *packs.find(location->pack);
    if (pack.condemned) return gone(push, pack_name(pack.name) + ", which it needs, was condemned by a prune");
    // Also if `upload` has put it just now: it may have been condemned and deleted since the push.
    if (pack.may_be_condemned)
      return Error(ErrorCode::kCorrupt,
                   "the snapshot " + push.manifest_name + " needs " + pack_name(pack.name) +
                       ", which may be condemned: " + packs.unreadable_condemned().front().warning());
    // Anyone can write a damage mark: read the block before believing it.
    const auto read = reader.read(*location);
    return read.ok() ? Result<void>() : Result<void>(read.error());
  };
  for (const ManifestStream& stream : push.manifest.streams) {
    for (const RecipePartRef& ref : stream.parts) {
      DRS_RETURN_IF_ERROR(find(ref.block));
      const auto part = reader.read_recipe_part(index, ref);
      if (!part.ok() && is_absent(part.error())) return missing_block(push, index, repository.store(), ref.block);
      if (!part.ok()) return part.error();
      for (const BlockId& block : part->blocks) DRS_RETURN_IF_ERROR(find(block));
    }
  }
  return {};
}

// Finds all objects that the snapshot needs, and secures them. If one vanishes after it was listed, lists again: a
// repair may have replaced an index object. A pack counts as lost only if two lists agree.
Result<void> check_blocks(Repository& repository, const RecordedPush& push, std::size_t index_cache_bytes,
                          std::vector<std::string>& warnings) {
  bool gone_before = false;
  for (int attempt = 0; attempt < kListAttempts; ++attempt) {
    // In the order of a push (docs/DESIGN.md "Write order").
    constexpr std::array kListedThen = {ObjectKind::kIndex};
    Listing listing;
    DRS_ASSIGN_OR_RETURN(const PackCatalog packs, PackCatalog::load_with(repository, listing, kListedThen));
    DRS_ASSIGN_OR_RETURN(
        const std::unique_ptr<BlockIndex> index,
        BlockIndex::load(repository, repository.store(), packs, {index_cache_bytes}, std::move(listing)));
    ReusedObjects reused(*index);
    const auto found = find_blocks(repository, push, packs, *index, reused);
    if (found.ok()) {
      for (const CondemnedList::Unreadable& record : packs.unreadable_condemned()) warnings.push_back(record.warning());
      if (auto warning = packs.marks_warning()) warnings.push_back(*std::move(warning));
      return secure_for_commit(repository.store(), reused.names());
    }
    if (index->vanished()) continue;
    if (found.error().code != ErrorCode::kConflict || gone_before) return found;
    gone_before = true;
  }
  return Error(ErrorCode::kUnavailable, "the objects that " + push.manifest_name +
                                            " needs change each time they are listed: run the command again when "
                                            "`drstream repair index` and prunes of this repository have ended");
}

}  // namespace

Result<RecordedPush> open_recorded_push(const Repository& repository, std::string manifest_name, Bytes object) {
  RecordedPush push;
  push.manifest_name = std::move(manifest_name);
  push.object = std::move(object);
  DRS_ASSIGN_OR_RETURN(push.manifest, open_manifest(repository.keys(), push.manifest_name, push.object));
  // What the streams hold does not matter here, as long as it is known.
  if (push.manifest.content != ManifestContent::kTopics) DRS_RETURN_IF_ERROR(require_bytes(push.manifest));
  push.manifest_digest = document_identity(push.object);
  return push;
}

Result<std::vector<std::string>> finish_recorded_push(Repository& repository, const RecordedPush& push,
                                                      const std::function<Result<void>()>& upload,
                                                      std::size_t index_cache_bytes) {
  DRS_ASSIGN_OR_RETURN(const std::unique_ptr<ObjectStore> store, repository.store().clone());
  DRS_ASSIGN_OR_RETURN(const bool committed, look_whether_committed(repository, push, *store));
  // The session first, as in a push: a prune that begins after this keeps what is listed from here on.
  DRS_ASSIGN_OR_RETURN(const std::unique_ptr<WriteSession> session,
                       WriteSession::begin(repository, *store,
                                           {.stream = push.manifest.stream,
                                            .host = push.manifest.host,
                                            .session = push.manifest.session,
                                            .started_ns = push.manifest.started_ns},
                                           {}));
  std::vector<std::string> warnings;
  if (!committed) {
    DRS_RETURN_IF_ERROR(upload());
    auto checked = check_blocks(repository, push, index_cache_bytes, warnings);
    if (!checked.ok()) return session->explain(std::move(checked).error());
  }
  DRS_ASSIGN_OR_RETURN(const Digest digest, session->commit(push.manifest_name, push.object));
  DRS_ASSERT(digest == push.manifest_digest, "a manifest was committed with other bytes");
  return warnings;
}

Result<bool> is_given_up(Repository& repository, const RecordedPush& push) {
  ObjectStore& store = repository.store();
  const auto committed = is_committed(repository, push, store);
  if (!committed.ok() && committed.error().code == ErrorCode::kConflict) return true;  // a fence
  if (!committed.ok()) return committed.error();
  DRS_ASSIGN_OR_RETURN(const auto removed, removal_of(repository.keys(), store, push.manifest_name));
  return removed.has_value();
}

}  // namespace drs
