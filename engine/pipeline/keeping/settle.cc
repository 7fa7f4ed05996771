#include "engine/pipeline/keeping/settle.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "engine/repository/removal.h"
#include "io/base/error_class.h"

namespace drs {
namespace {

constexpr std::chrono::hours kListsLagMax{1};

}  // namespace

Result<Settler> Settler::make(Repository& repository, const Options& options) {
  Settler settler(repository, options);
  // Sessions before manifests: a session that ended in between is settled by its manifest.
  DRS_ASSIGN_OR_RETURN(settler.sessions_, load_sessions(repository));
  DRS_ASSIGN_OR_RETURN(const std::vector<ObjectInfo> manifests, repository.list(ObjectKind::kManifest));
  for (const ObjectInfo& info : manifests) settler.manifests_.insert(info.key);
  return settler;
}

bool Settler::is_silent(const RunningSession& session, const WaitingSession* waiting, WallNs listed_ns) const {
  if (session.stored_ns != 0) return options_.now_ns - session.stored_ns > options_.silence.count();
  // Without the store's time of its object: unchanged since the waits were listed.
  if (waiting == nullptr || waiting->number != session.number || waiting->digest != session.digest) return false;
  return options_.now_ns - listed_ns > options_.silence.count();
}

Result<bool> Settler::has_outcome(const std::string& manifest) {
  if (manifests_.contains(manifest)) return true;
  // Its manifest or fence may have been taken up by a retired object.
  DRS_ASSIGN_OR_RETURN(const auto removed, removal_of(repository_->keys(), repository_->store(), manifest));
  return removed.has_value();
}

Result<std::optional<std::string>> Settler::fence(const RunningSession& session) {
  std::optional<std::string> none;
  if (options_.dry_run) return none;
  if (!session.record)
    return std::optional("the objects of session " + session.session.hex() +
                         " under sessions/ cannot be read, so the session cannot be fenced: run `drstream verify` to "
                         "see why; if no push of that stream runs, remove " +
                         session.objects.front());
  DRS_RETURN_IF_ERROR(put_fence(*repository_, {session.session, session.record->stream}, "prune"));
  fenced_.push_back(session.manifest());
  manifests_.insert(session.manifest());
  return none;
}

Result<void> Settler::judge(const RunningSession& session, const WaitingSession* waiting, WallNs listed_ns,
                            Outcome& outcome) {
  DRS_ASSIGN_OR_RETURN(const bool ended, has_outcome(session.manifest()));
  if (ended) return {};
  if (options_.fence_all || is_silent(session, waiting, listed_ns)) {
    DRS_ASSIGN_OR_RETURN(auto problem, fence(session));
    if (problem) outcome.problems.push_back(*std::move(problem));
    return {};
  }
  AwaitedSession awaited{.session = session.session, .stream = {}, .host = {}, .until_ns = 0};
  if (session.record) {
    awaited.stream = session.record->stream;
    awaited.host = session.record->host;
  }
  if (session.stored_ns != 0) awaited.until_ns = session.stored_ns + options_.silence.count();
  outcome.awaited.push_back(std::move(awaited));
  return {};
}

Result<Settler::Outcome> Settler::settle(const Waits& waits, WallNs record_stored_ns) {
  Outcome outcome;
  for (const RunningSession& session : sessions_) {
    const auto waiting =
        std::ranges::lower_bound(waits.sessions, std::tie(session.session, session.tag), {},
                                 [](const WaitingSession& entry) { return std::tie(entry.session, entry.tag); });
    const bool awaited =
        waiting != waits.sessions.end() && waiting->session == session.session && waiting->tag == session.tag;
    const bool may_lack_the_record =
        record_stored_ns != 0 && session.first_ns != 0 &&
        session.first_ns - record_stored_ns <= std::chrono::nanoseconds(kListsLagMax).count();
    if (awaited || may_lack_the_record)
      DRS_RETURN_IF_ERROR(judge(session, awaited ? &*waiting : nullptr, waits.listed_ns, outcome));
  }
  return outcome;
}

Result<Settler::Cleaned> Settler::clean() {
  Cleaned cleaned;
  std::vector<ObjectKey> removable;
  for (const RunningSession& session : sessions_) {
    DRS_ASSIGN_OR_RETURN(bool ended, has_outcome(session.manifest()));
    if (!ended && is_silent(session, nullptr, 0)) {
      // Its objects are removed by a later run: this one has not seen what the fence has met.
      DRS_ASSIGN_OR_RETURN(auto problem, fence(session));
      if (problem) cleaned.problems.push_back(*std::move(problem));
      continue;
    }
    if (ended) removable.insert(removable.end(), session.objects.begin(), session.objects.end());
  }
  if (options_.dry_run || removable.empty()) return cleaned;
  const auto removed = repository_->store().remove_all(removable);
  if (removed.ok()) cleaned.objects = removable.size();
  // What the store locks goes with a later run: nothing waits for a settled session.
  if (!removed.ok() && removed.error().code != ErrorCode::kDenied) return removed.error();
  return cleaned;
}

std::vector<const RunningSession*> Settler::unsettled() const {
  std::vector<const RunningSession*> found;
  for (const RunningSession& session : sessions_)
    if (!manifests_.contains(session.manifest())) found.push_back(&session);
  return found;
}

}  // namespace drs
