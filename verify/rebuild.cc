#include "verify/rebuild.h"

#include <string>
#include <utility>

#include "codecs/sha256.h"
#include "codecs/xxh3.h"
#include "engine/format/names.h"
#include "engine/format/recipe.h"
#include "io/base/error_class.h"
#include "verify/recipe_check.h"

namespace drs {

Result<void> Rebuild::run(const Snapshot& snapshot) {
  const auto manifest = read_manifest(context_.repository, store_, snapshot);
  if (!manifest.ok()) return report_lost_manifest(context_, snapshot, manifest.error());
  bool complete = true;
  for (const ManifestStream& stream : manifest->streams) {
    DRS_ASSIGN_OR_RETURN(const bool whole, rebuild_stream(snapshot, stream));
    complete = complete && whole;
  }
  if (complete) whole_ids_.insert(snapshot.id());
  return {};
}

Result<bool> Rebuild::rebuild_stream(const Snapshot& snapshot, const ManifestStream& stream) {
  Sha256 sha256;
  Xxh3Stream xxh3;
  std::uint64_t offset_bytes = 0;
  bool complete = true;
  const auto damaged = [&](const std::string& problem, std::uint64_t at_bytes, std::uint64_t bytes) {
    complete = false;
    const std::size_t finding = context_.findings.report(Finding::Severity::kDamage, snapshot.name, problem);
    context_.findings.affects(finding, snapshot, at_bytes, bytes);
  };
  for (const RecipePartRef& ref : stream.parts) {
    DRS_ASSIGN_OR_RETURN(const Bytes* const recipe, block(snapshot, ref.block));
    offset_bytes = ref.stream_offset_bytes;
    if (recipe == nullptr) {
      complete = false;
      continue;
    }
    const auto part = decode_recipe_part(*recipe);
    if (!part.ok()) {
      damaged("its recipe part " + to_string(ref.block) + ": " + part.error().message, ref.stream_offset_bytes,
              ref.stream_bytes);
      continue;
    }
    for (const Run& run : part->runs) {
      if (context_.cancel.cancelled()) return Error(ErrorCode::kCancelled, "asked to stop");
      DRS_ASSIGN_OR_RETURN(const Bytes* const plain, block(snapshot, part->blocks[run.block]));
      if (plain == nullptr) {
        complete = false;
      } else if (run.offset_bytes > plain->size() || run.bytes > plain->size() - run.offset_bytes) {
        damaged("its run at byte " + std::to_string(offset_bytes) + " goes past the end of block " +
                    to_string(part->blocks[run.block]),
                offset_bytes, run.bytes);
      } else {
        const ByteView piece = ByteView(*plain).subspan(run.offset_bytes, static_cast<std::size_t>(run.bytes));
        sha256.update(piece);
        xxh3.update(piece);
        bytes_ += piece.size();
        context_.progress.bytes.fetch_add(piece.size(), std::memory_order_relaxed);
      }
      offset_bytes += run.bytes;
    }
  }
  if (!complete) return false;
  if (offset_bytes != stream.bytes) {
    damaged(
        "rebuilt, it has " + std::to_string(offset_bytes) + " bytes, its manifest says " + std::to_string(stream.bytes),
        0, stream.bytes);
  }
  if (const Digest got = sha256.finish(); stream.sha256 && got != *stream.sha256) {
    damaged("rebuilt, its SHA-256 is " + got.hex() + ", its manifest says " + stream.sha256->hex(), 0, stream.bytes);
  }
  if (const Xxh3Digest got = xxh3.finish(); got != stream.xxh3) {
    damaged("rebuilt, its XXH3 is " + got.hex() + ", its manifest says " + stream.xxh3.hex(), 0, stream.bytes);
  }
  return complete;
}

Result<const Bytes*> Rebuild::block(const Snapshot& snapshot, const BlockId& id) {
  if (const auto found = kept_places_.find(id); found != kept_places_.end()) {
    kept_.splice(kept_.begin(), kept_, found->second);
    return &kept_.front().plain;
  }
  auto location = index_.locate(id);
  Result<Bytes> plain = location.ok() ? reader_.read(*location) : Result<Bytes>(location.error());
  while (location.ok() && !plain.ok()) {
    DRS_ASSIGN_OR_RETURN(const bool changed, index_.renew(*location, plain.error()));
    if (!changed) break;
    location = index_.locate(id);
    plain = location.ok() ? reader_.read(*location) : Result<Bytes>(location.error());
  }
  if (plain.ok()) {
    if (kept_.size() >= blocks_max_) {
      kept_places_.erase(kept_.back().id);
      kept_.pop_back();
    }
    kept_.push_front({id, *std::move(plain)});
    kept_places_[id] = kept_.begin();
    return &kept_.front().plain;
  }
  if (!is_object_fault(plain.error())) return std::move(plain).error();
  // The check of the recipes finds out which bytes of which snapshots this affects.
  if (location.ok()) {
    if (!context_.damage.find(*location))
      DRS_RETURN_IF_ERROR(report_unreadable_block(context_, *location, plain.error()));
  } else {
    DRS_ASSIGN_OR_RETURN(const auto finding, claims_.explain(store_, id));
    if (!finding) context_.findings.report(Finding::Severity::kDamage, snapshot.name, plain.error().message);
  }
  return static_cast<const Bytes*>(nullptr);
}

}  // namespace drs
