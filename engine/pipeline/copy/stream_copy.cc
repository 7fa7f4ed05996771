#include "engine/pipeline/copy/stream_copy.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "engine/pipeline/copy/stream_bridge.h"
#include "engine/pipeline/copy/topic_copy.h"
#include "engine/pipeline/pull/block_recovery.h"
#include "engine/pipeline/pull/pull.h"
#include "engine/pipeline/push/push.h"
#include "engine/repository/removal.h"
#include "engine/repository/snapshot_selection.h"
#include "io/base/catch_thrown.h"
#include "io/base/error_class.h"
#include "io/helper_thread.h"

namespace drs {

Result<StreamCopy> StreamCopy::begin(const CopySource& from, Repository& target, const CopyOptions& options,
                                     const RunControl& control, CopyReport& report) {
  Repository& source = from.repository;
  StreamCopy copy(source, target, options, control, report);
  DRS_ASSIGN_OR_RETURN(
      copy.memory_, plan_copy({.memory_bytes = options.memory_bytes, .threads = options.threads}, options.compression,
                              {.source = needs_of(source.store()), .target = needs_of(target.store())}));
  report.notice = copy.memory_.notice;
  std::multimap<WallNs, DatedSnapshot> originals;  // by the time that their copies have, too
  for (const DatedSnapshot& dated : oldest_first(from.catalog)) {
    copy.made_ns_.emplace(dated.snapshot, dated.made_ns);
    originals.emplace(dated.snapshot->manifest.snapshot_ns, dated);
  }
  DRS_ASSIGN_OR_RETURN(const SnapshotCatalog catalog, load_snapshots(target));
  for (const DatedSnapshot& dated : oldest_first(catalog)) {
    There there{*dated.snapshot, dated.made_ns, 0};
    const auto [first, last] = originals.equal_range(there.snapshot.manifest.snapshot_ns);
    for (auto original = first; original != last; ++original) {
      const DatedSnapshot& one = original->second;
      if (!is_copy(there.snapshot.manifest, one.snapshot->manifest)) continue;
      there.made_ns = one.made_ns;
      there.sequence = one.snapshot->manifest.sequence;
    }
    copy.there_.push_back(std::move(there));
  }
  return copy;
}

const StreamCopy::There* StreamCopy::newer_there(const Snapshot& snapshot) const {
  const WallNs made_ns = made_ns_.at(&snapshot);
  for (const There& there : there_) {
    if (there.snapshot.manifest.stream != snapshot.manifest.stream || there.made_ns < made_ns) continue;
    if (there.sequence == 0 ? there.made_ns > made_ns : there.sequence > snapshot.manifest.sequence) return &there;
  }
  return nullptr;
}

Result<void> StreamCopy::add(const Snapshot& snapshot) {
  if (cancel_->cancelled()) return Error(ErrorCode::kCancelled, "the copy was cancelled");
  const ManifestHeader& manifest = snapshot.manifest;
  SnapshotCopy entry{.source = &snapshot, .outcome = SnapshotCopy::Outcome::kCopied, .target_name = {}, .problem = {}};
  const auto pass_over = [&]() -> Result<void> {
    progress_->bytes += manifest.bytes;
    report_->snapshots.push_back(std::move(entry));
    return {};
  };
  const bool topics = manifest.content == ManifestContent::kTopics;
  if (const auto bytes = topics ? Result<void>() : require_bytes(manifest); !bytes.ok()) {
    entry.outcome = SnapshotCopy::Outcome::kSkipped;
    entry.problem = bytes.error().message;
    entry.reason = bytes.error().code;
    ++progress_->problems;
    return pass_over();
  }
  const auto there = std::find_if(there_.begin(), there_.end(),
                                  [&](const There& other) { return is_copy(other.snapshot.manifest, manifest); });
  if (there != there_.end()) {
    entry.outcome = SnapshotCopy::Outcome::kPresent;
    entry.target_name = there->snapshot.name;
    return pass_over();
  }
  const There* const newer = options_->in_any_order.contains(&snapshot) ? nullptr : newer_there(snapshot);
  if (newer != nullptr) {
    entry.outcome = SnapshotCopy::Outcome::kSkipped;
    entry.is_older = true;
    entry.problem = "the target has snapshot " + newer->snapshot.id() +
                    " of the stream, which is newer; behind it this one would become the latest there. Name this one "
                    "by its id to copy it nevertheless; a replica (init --replica-of) keeps the order";
    return pass_over();
  }
  DRS_ASSIGN_OR_RETURN(const auto damage, topics ? copy_archive(snapshot) : copy_whole(snapshot));
  if (damage) {
    // What a prune of the source has deleted, behind a removal mark, is no damage.
    DRS_ASSIGN_OR_RETURN(const auto removal, removal_of(source_->keys(), source_->store(), snapshot.name));
    const Error reason = removal ? removed_meanwhile() : *damage;
    entry.outcome = removal ? SnapshotCopy::Outcome::kSkipped : SnapshotCopy::Outcome::kDamaged;
    entry.problem = reason.message;
    entry.reason = reason.code;
    ++progress_->problems;
  } else {
    entry.target_name = there_.back().snapshot.name;
  }
  report_->snapshots.push_back(std::move(entry));
  return {};
}

void StreamCopy::report_healed(const std::string& name, std::uint64_t blocks) {
  if (blocks > 0)
    report_->warnings.push_back(
        name + ": " + std::to_string(blocks) +
        (blocks == 1 ? " lost or damaged block of the source was" : " lost or damaged blocks of the source were") +
        " rebuilt from other copies of chunks");
}

Result<std::optional<Error>> StreamCopy::copy_archive(const Snapshot& snapshot) {
  const std::string name = "snapshot " + snapshot.id() + " of " + snapshot.manifest.stream;
  bool source_fault = false;
  auto copied = copy_topics({*source_, snapshot, *target_, *options_, memory_}, {*progress_, *cancel_}, source_fault);
  if (!copied.ok() && source_fault && is_object_fault(copied.error())) return std::optional(copied.error());
  if (!copied.ok()) return copied.error().with_context("copying " + name);
  report_->read_bytes += copied->read_bytes;
  report_->packs += copied->packs;
  report_->stored_bytes += copied->packs_bytes;
  for (const std::string& warning : copied->warnings) report_->warnings.push_back("in the target: " + warning);
  report_healed(name, copied->healed_blocks);
  there_.push_back({std::move(copied->made), made_ns_.at(&snapshot), snapshot.manifest.sequence});
  return std::optional<Error>();
}

Result<std::optional<Error>> StreamCopy::copy_whole(const Snapshot& snapshot) {
  const ManifestHeader& manifest = snapshot.manifest;
  DRS_ASSIGN_OR_RETURN(BufferArena pull_arena, BufferArena::map(memory_.pull.arena_bytes));
  DRS_ASSIGN_OR_RETURN(BufferArena push_arena, BufferArena::map(memory_.push.arena_bytes));
  StreamBridge bridge("snapshot " + snapshot.id() + " of " + manifest.stream, manifest.bytes);
  ProgressCounters pulling;
  Result<PullReport> pulled = Error(ErrorCode::kInternal, "the pull did not run");
  PushOptions options;
  options.stream = manifest.stream;
  options.snapshot_ns = manifest.snapshot_ns;
  options.compression = options_->compression;
  options.stream_sha256 = manifest.sha256.has_value();
  options.tags = manifest.tags;
  options.gates.allow_empty = true;
  options.host = manifest.host;
  options.tool_version = options_->tool_version;
  options.original = &manifest;
  const auto on_thrown = [&](Error thrown) {
    pulled = std::move(thrown);
    bridge.fail(pulled.error());
  };
  const auto run_pull = [&] {
    pulled = pull(*source_, snapshot, bridge, {}, {memory_.pull, pull_arena}, {pulling, *cancel_});
    if (!pulled.ok()) bridge.fail(pulled.error());
  };
  DRS_ASSIGN_OR_RETURN(std::thread puller, start_helper_thread(run_pull, on_thrown));
  const auto pushed = catch_thrown([&] {
    return push(*target_, bridge, options, {memory_.push, push_arena}, {*progress_, *cancel_});
  });
  if (!pushed.ok()) bridge.cancel();
  puller.join();
  if (!pulled.ok() && is_object_fault(pulled.error())) return std::optional(pulled.error());
  if (!pushed.ok()) return pushed.error().with_context("copying " + bridge.name());
  report_->read_bytes += pulled->read_bytes;
  report_->packs += pushed->packs;
  report_->stored_bytes += pushed->packs_bytes;
  for (const std::string& warning : pushed->warnings) report_->warnings.push_back("in the target: " + warning);
  report_healed(bridge.name(), pulled->healed_blocks);
  Snapshot made;
  made.name = pushed->manifest_name;
  made.digest = pushed->manifest_digest;
  made.manifest = pushed->manifest;
  there_.push_back({std::move(made), made_ns_.at(&snapshot), manifest.sequence});
  return std::optional<Error>();
}

}  // namespace drs
