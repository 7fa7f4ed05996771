#include "engine/pipeline/push/snapshot_commit.h"

#include <algorithm>
#include <array>

#include "engine/pipeline/push/reused_objects.h"
#include "engine/repository/snapshot_selection.h"
#include "io/base/error_class.h"

namespace drs {
namespace {

// Warns about the manifests that cannot be read. Errors: kFormatTooNew (a manifest by a newer drstream: its sequence
// number is unknown, so the new snapshot might look older).
Result<void> report_broken(const SnapshotCatalog& snapshots, std::vector<std::string>& warnings) {
  for (std::size_t i = 0; i < snapshots.broken.size(); ++i) {
    const BrokenManifest& broken = snapshots.broken[i];
    if (is_too_new(broken.error)) return broken.error.with_context(broken.name);
    if (i < kBrokenManifestsNamedMax)
      warnings.push_back(broken.name + ": " + broken.error.message + "; run `drstream verify`");
  }
  if (snapshots.broken.size() > kBrokenManifestsNamedMax)
    warnings.push_back(
        std::to_string(snapshots.broken.size()) +
        " manifests and removal marks of this stream cannot be read; the warnings name only the first ones");
  return {};
}

Error other_content(const std::string& stream, ManifestContent content) {
  return {ErrorCode::kUsage, content == ManifestContent::kBytes
                                 ? "the stream " + stream + " holds pushed bytes: archive topics under another name"
                                 : "the stream " + stream + " is an archive of " + std::string(content_name(content)) +
                                       ": `drstream kafka archive " + stream +
                                       "` continues it; push to a stream with another name"};
}

// The warning if the new snapshot becomes the latest of its stream, although another one has a later time.
std::optional<std::string> later_time_warning(const SnapshotCatalog& catalog, const ManifestHeader& manifest) {
  if (has_time_of_a_clock(manifest)) return std::nullopt;
  const DatedSnapshot last = last_by_time(catalog, manifest.stream);
  if (last.snapshot == nullptr || last.made_ns <= manifest.snapshot_ns) return std::nullopt;
  return "snapshot " + manifest.session.hex() + " is now the latest of stream " + manifest.stream + ", although " +
         last.snapshot->id() + " has a later time: `drstream pull " + manifest.stream +
         "` restores the one pushed last, `drstream pull " + last.snapshot->id() + "` the one with the later time";
}

}  // namespace

Result<SnapshotCommit::Beginning> SnapshotCommit::begin(Repository& repository, const Stream& stream,
                                                        std::vector<std::string>& warnings) {
  constexpr std::array kListedFirst = {ObjectKind::kManifest, ObjectKind::kCondemned};
  constexpr std::array kListedThen = {ObjectKind::kRemoved, ObjectKind::kIndex};
  DRS_ASSIGN_OR_RETURN(Listing listing, Listing::make_or_defer(repository.store(), kListedFirst));
  DRS_ASSIGN_OR_RETURN(PackCatalog packs, PackCatalog::load_with(repository, listing, kListedThen));
  for (const CondemnedList::Unreadable& record : packs.unreadable_condemned()) warnings.push_back(record.warning());
  if (auto warning = packs.marks_warning()) warnings.push_back(*std::move(warning));
  DRS_ASSIGN_OR_RETURN(SnapshotCommit snapshot, prepare(repository, stream, listing, warnings));
  return Beginning{std::move(packs), std::move(snapshot), std::move(listing)};
}

Result<SnapshotCommit> SnapshotCommit::prepare(Repository& repository, const Stream& wanted, Listing& listing,
                                               std::vector<std::string>& warnings) {
  const std::string& stream = wanted.name;
  if (repository.store().locks()) DRS_RETURN_IF_ERROR(secure_for_commit(repository.store(), {}));
  DRS_ASSIGN_OR_RETURN(SnapshotCatalog snapshots, load_snapshots(repository, stream, listing));
  DRS_RETURN_IF_ERROR(report_broken(snapshots, warnings));
  SnapshotCommit commit(repository, std::move(snapshots));
  commit.next_ = commit.snapshots_.next(stream);
  std::uint64_t& sequence = commit.next_.sequence;
  sequence = std::max(sequence, std::min(wanted.sequence_seen, kManifestSequenceMax) + 1);
  const Snapshot* const previous = commit.next_.predecessor;
  if (previous != nullptr && previous->manifest.content != wanted.content)
    return other_content(stream, previous->manifest.content);
  if (sequence > kManifestSequenceMax)
    return Error(ErrorCode::kUsage, "the stream " + stream + " has used up its sequence numbers: the next is " +
                                        std::to_string(sequence) + ", the highest allowed is " +
                                        std::to_string(kManifestSequenceMax) + ": push to a stream with another name");
  return commit;
}

Result<std::pair<std::string, Digest>> SnapshotCommit::commit(WriteSession& session, Manifest& manifest,
                                                              std::optional<WallNs> snapshot_ns,
                                                              std::vector<ObjectKey> relies_on,
                                                              std::vector<std::string>& warnings) {
  manifest.session = session.id();
  manifest.sequence = next_.sequence;
  manifest.unreadable = next_.unreadable;
  if (next_.predecessor != nullptr) {
    manifest.predecessor_name = next_.predecessor->name;
    manifest.predecessor_digest = next_.predecessor->digest;
  }
  manifest.started_ns = session.started_ns();
  manifest.snapshot_ns = snapshot_ns.value_or(manifest.started_ns);
  manifest.finished_ns = repository_->clock().wall_ns();
  manifest.config_digest = repository_->config_digest();
  if (auto warning = later_time_warning(snapshots_, manifest)) warnings.push_back(*std::move(warning));
  // Before the manifest: when a snapshot exists, all its objects are durable and locked.
  auto secured = secure_for_commit(repository_->store(), std::move(relies_on));
  if (!secured.ok()) return session.explain(std::move(secured).error());
  return session.commit(manifest);
}

}  // namespace drs
