#include "engine/pipeline/stream_copy.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "engine/pipeline/block_rescue.h"
#include "engine/pipeline/pull.h"
#include "engine/pipeline/push.h"
#include "engine/pipeline/stream_bridge.h"
#include "io/catch_thrown.h"
#include "io/error_class.h"
#include "io/helper_thread.h"

namespace drs {
namespace {

// The same stream at the same time with the same bytes: a copy that was made before.
bool is_copy(const ManifestHeader& there, const ManifestHeader& manifest) {
  return there.stream == manifest.stream && there.snapshot_ns == manifest.snapshot_ns &&
         there.bytes == manifest.bytes && there.sha256 == manifest.sha256 && there.xxh3 == manifest.xxh3;
}

}  // namespace

Result<StreamCopy> StreamCopy::begin(Repository& source, Repository& target, const CopyOptions& options,
                                     ProgressCounters& progress, CancelToken& cancel, CopyReport& report) {
  StreamCopy copy(source, target, options, progress, cancel, report);
  DRS_ASSIGN_OR_RETURN(copy.memory_, plan_copy(options.memory_bytes, options.threads, options.compression,
                                               needs_of(source.store()), needs_of(target.store())));
  report.notice = copy.memory_.notice;
  DRS_ASSIGN_OR_RETURN(SnapshotCatalog catalog, load_snapshots(target));
  copy.there_ = std::move(catalog.live);
  return copy;
}

Result<void> StreamCopy::add(const Snapshot& snapshot) {
  if (cancel_->cancelled()) return Error(ErrorCode::kCancelled, "the copy was cancelled");
  const ManifestHeader& manifest = snapshot.manifest;
  SnapshotCopy entry{.source = &snapshot, .outcome = SnapshotCopy::Outcome::kCopied, .target_name = {}, .problem = {}};
  if (const auto bytes = require_bytes(manifest); !bytes.ok()) {
    entry.outcome = SnapshotCopy::Outcome::kSkipped;
    entry.problem = bytes.error().message;
    entry.reason = bytes.error().code;
    report_->snapshots.push_back(std::move(entry));
    ++progress_->problems;
    progress_->bytes += manifest.bytes;
    return {};
  }
  const auto there = std::find_if(there_.begin(), there_.end(),
                                  [&](const Snapshot& other) { return is_copy(other.manifest, manifest); });
  if (there != there_.end()) {
    entry.outcome = SnapshotCopy::Outcome::kPresent;
    entry.target_name = there->name;
    progress_->bytes += manifest.bytes;
    report_->snapshots.push_back(std::move(entry));
    return {};
  }
  DRS_ASSIGN_OR_RETURN(const auto damage, copy_whole(snapshot));
  if (damage) {
    entry.outcome = SnapshotCopy::Outcome::kDamaged;
    entry.problem = damage->message;
    entry.reason = damage->code;
    ++progress_->problems;
  } else {
    entry.target_name = there_.back().name;
  }
  report_->snapshots.push_back(std::move(entry));
  return {};
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
    pulled = pull(*source_, snapshot, bridge, {}, memory_.pull, pull_arena, pulling, *cancel_);
    if (!pulled.ok()) bridge.fail(pulled.error());
  };
  DRS_ASSIGN_OR_RETURN(std::thread puller, start_helper_thread(run_pull, on_thrown));
  const auto pushed =
      catch_thrown([&] { return push(*target_, bridge, options, memory_.push, push_arena, *progress_, *cancel_); });
  if (!pushed.ok()) bridge.cancel();
  puller.join();
  if (!pulled.ok() && is_object_fault(pulled.error())) return std::optional(pulled.error());
  if (!pushed.ok()) return pushed.error().with_context("copying " + bridge.name());
  report_->read_bytes += pulled->read_bytes;
  report_->packs += pushed->packs;
  report_->stored_bytes += pushed->packs_bytes;
  for (const std::string& warning : pushed->warnings) report_->warnings.push_back("in the target: " + warning);
  if (pulled->healed_blocks > 0)
    report_->warnings.push_back(bridge.name() + ": " + std::to_string(pulled->healed_blocks) +
                                " lost or damaged blocks of the source were rebuilt from other copies of their chunks");
  Snapshot made;
  made.name = pushed->manifest_name;
  made.digest = pushed->manifest_digest;
  made.manifest = pushed->manifest;
  there_.push_back(std::move(made));
  return std::optional<Error>();
}

}  // namespace drs
