#include "engine/repository/put_hold.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "engine/format/document.h"
#include "engine/format/names.h"
#include "engine/repository/read_again.h"
#include "engine/repository/removal.h"
#include "engine/repository/retention_objects.h"
#include "io/base/error_class.h"
#include "sinks/object_io.h"
#include "sinks/settled_put.h"

namespace drs {
namespace {

constexpr int kNumbersTriedMax = 32;  // far more than holds of one snapshot that are stored at once
// Less than kWriterHoldMax: the store's clock may be behind this machine's.
constexpr std::chrono::hours kWriterHoldAsked = kWriterHoldMax - std::chrono::hours(24);

WallNs after(WallNs from_ns, std::chrono::nanoseconds time) {
  return from_ns + time.count();
}

// The objects of one manifest under a prefix.
Result<std::vector<ObjectInfo>> list_of(const Repository& repository, ObjectKind kind, const ParsedName& manifest) {
  DRS_ASSIGN_OR_RETURN(std::vector<ObjectInfo> listed, repository.list(kind));
  std::erase_if(listed, [&](const ObjectInfo& info) {
    const auto name = parse_name(info.key);
    return name->tag != manifest.tag || name->uuid != manifest.uuid;
  });
  std::ranges::sort(listed, {}, &ObjectInfo::key);  // and so by number
  return listed;
}

// Puts the holds of one manifest.
class HoldWriter {
 public:
  HoldWriter(Repository& repository, const HoldRequest& request)
      : repository_(repository), request_(request), manifest_(*parse_name(request.manifest_name)) {}

  // Under the number after the highest. Under holds/, where numbers mean nothing, under any that is free. Errors: those
  // of put_hold that concern one object.
  Result<void> put(ObjectKind kind, const Hold& hold) {
    DRS_ASSIGN_OR_RETURN(const std::vector<ObjectInfo> listed, list_of(repository_, kind, manifest_));
    std::uint64_t number = listed.empty() ? 0 : std::uint64_t{parse_name(listed.back().key)->number} + 1;
    if (number > kNumberInNameMax && kind == ObjectKind::kHold) {
      number = 0;
      for (const ObjectInfo& info : listed)
        if (parse_name(info.key)->number == number) ++number;
    }
    for (int tries = 0; tries < kNumbersTriedMax; ++tries, ++number) {
      if (number > kNumberInNameMax)
        return Error(ErrorCode::kConflict,
                     listed.back().key +
                         " has the highest number that there is, which drstream never reaches: remove "
                         "it, since drstream did not store it, and run the command again");
      const auto n = static_cast<std::uint32_t>(number);
      const std::string name = kind == ObjectKind::kKept ? kept_name(manifest_.tag, manifest_.uuid, n)
                                                         : hold_name(manifest_.tag, manifest_.uuid, n);
      const Bytes object = encode_document(repository_.keys(), kind, name, encode_hold(hold));
      ObjectStore& store = repository_.store();
      const PutOutcome put = settle_put(store, name, object, put_object(store, name, object));
      if (put.stored()) {
        report.object_name = name;
        report.by_writer = kind == ObjectKind::kHold;
        return {};
      }
      // Another process has taken the number.
      if (put.state != PutOutcome::State::kOtherBytes) return put.result();
    }
    return Error(ErrorCode::kConflict, std::to_string(kNumbersTriedMax) + " numbers in a row were taken for holds of " +
                                           request_.manifest_name + ": run the command again");
  }

  // Under kept/, else under holds/.
  Result<void> put_where_allowed(Hold hold) {
    DRS_ASSIGN_OR_RETURN(hold.overrides, ended_before());
    auto kept = put(ObjectKind::kKept, hold);
    // The system, not a role, refuses with an errno.
    const bool by_role = !kept.ok() && kept.error().code == ErrorCode::kDenied && kept.error().error_number == 0;
    if (!by_role) return kept;
    hold.overrides.clear();
    const WallNs latest_ns = after(hold.held_ns, kWriterHoldAsked);
    if (hold.until_ns == 0 || hold.until_ns > latest_ns) {
      if (request_.too_long == HoldRequest::TooLong::kRefuse)
        return Error(ErrorCode::kUsage,
                     "these credentials may not create objects under kept/, so they can hold a snapshot for at most a "
                     "year: give a time until when (--until), at most " +
                         std::to_string(kWriterHoldAsked.count() / 24) +
                         " days from now, or hold it with a pruner's credentials");
      hold.until_ns = latest_ns;
    }
    return put(ObjectKind::kHold, hold);
  }

  // The numbers under holds/ that a release names: all, or else those that have not passed by themselves.
  Result<std::vector<std::uint32_t>> to_end(WallNs now_ns) {
    DRS_ASSIGN_OR_RETURN(std::vector<ObjectInfo> listed, list_of(repository_, ObjectKind::kHold, manifest_));
    // Only if there are too many: this machine's clock may be ahead of the store's.
    if (listed.size() > kHoldOverridesMax)
      std::erase_if(listed, [&](const ObjectInfo& info) {
        return info.modified_ns != 0 && after(info.modified_ns, kWriterHoldMax) <= now_ns;
      });
    std::vector<std::uint32_t> numbers;
    for (const ObjectInfo& info : listed) numbers.push_back(parse_name(info.key)->number);
    if (numbers.size() > kHoldOverridesMax)
      return Error(ErrorCode::kConflict, request_.manifest_name + " has " + std::to_string(numbers.size()) +
                                             " holds under holds/, and a release can name " +
                                             std::to_string(kHoldOverridesMax) +
                                             ": each ends by itself, a year after it was stored");
    return numbers;
  }

  // The numbers under holds/ that the newest object under kept/ ends: a later one must end them as well.
  Result<std::vector<std::uint32_t>> ended_before() {
    DRS_ASSIGN_OR_RETURN(const std::vector<ObjectInfo> listed, list_of(repository_, ObjectKind::kKept, manifest_));
    if (listed.empty()) return std::vector<std::uint32_t>();
    const std::string& name = listed.back().key;
    const auto object = get_document(repository_.store(), name, kDocumentBytesMax);
    auto hold = object.ok() ? open_hold(repository_.keys(), name, *object) : Result<Hold>(object.error());
    if (hold.ok()) return std::move(hold->overrides);
    // Then holds of writers count again that it had ended. Too much is held rather than too little.
    if (is_object_fault(hold.error())) return std::vector<std::uint32_t>();
    return hold.error();
  }

  // The store's time of the object that was put; this machine's if the store has none, or if none was put.
  Result<WallNs> stored_ns() {
    if (report.object_name.empty()) return repository_.clock().wall_ns();
    DRS_ASSIGN_OR_RETURN(const ObjectInfo info, repository_.store().stat(report.object_name));
    return info.modified_ns != 0 ? info.modified_ns : repository_.clock().wall_ns();
  }

  // Finds what holds the snapshot now.
  Result<void> look() {
    DRS_ASSIGN_OR_RETURN(const WallNs now_ns, stored_ns());
    DRS_ASSIGN_OR_RETURN(const Holds holds, load_holds(repository_, now_ns));
    if (const auto found = holds.find(request_.manifest_name); found != holds.end()) report.held = found->second;
    return {};
  }

  HoldReport report;

 private:
  Repository& repository_;
  const HoldRequest& request_;
  const ParsedName manifest_;
};

Error outcome_unknown(Error error, const HoldReport& report) {
  if (report.object_name.empty()) return error;
  return std::move(error).with_context("the hold is stored as " + report.object_name +
                                       ", but whether it holds the snapshot is unknown");
}

Result<std::optional<Removal>> removal_now(Repository& repository, const std::string& manifest) {
  return removal_of(repository.keys(), repository.store(), manifest,
                    {.older = {}, .damaged = RemovalLook::Damaged::kIsAnError});
}

// Rule 4 of docs/decisions/0006-deletion-is-modelled.md: a forget and prunes that have not seen the hold may have run
// since. Prunes list holds after removal marks, so from here on they see it.
Result<void> check_still_live(Repository& repository, const HoldRequest& request, const HoldReport& report) {
  DRS_ASSIGN_OR_RETURN(const auto removed, removal_now(repository, request.manifest_name));
  if (removed)
    return Error(ErrorCode::kConflict, request.manifest_name + " was removed while it was being held; " +
                                           (report.object_name.empty() ? "the hold" : report.object_name) +
                                           " keeps its data until it is released: bring the snapshot back with "
                                           "`drstream unforget " +
                                           parse_name(request.manifest_name)->uuid.hex() + "`");
  const auto there = repository.store().stat(request.manifest_name);
  if (there.ok()) return {};
  if (!is_absent(there.error())) return there.error();
  return Error(ErrorCode::kConflict, request.manifest_name +
                                         " was deleted while it was being held, without a mark of "
                                         "removal: run `drstream verify`");
}

// Whether exactly this hold is there. Errors: kUsage (there is one that ends later).
Result<bool> is_held_already(Repository& repository, const HoldRequest& request, WallNs now_ns) {
  DRS_ASSIGN_OR_RETURN(const Holds holds, load_holds(repository, now_ns));
  const auto held = holds.find(request.manifest_name);
  if (held == holds.end() || held->second.unreadable) return false;
  const WallNs until_ns = held->second.until_ns;
  if (until_ns == request.until_ns) return held->second.reason == request.reason;
  if (until_ns != 0 && (request.until_ns == 0 || request.until_ns > until_ns)) return false;
  return Error(ErrorCode::kUsage,
               "the snapshot is held already, " + std::string(until_ns == 0 ? "for ever" : "and for longer") +
                   ": a hold is never shortened by another one; to end it earlier, release it first (--release)");
}

}  // namespace

Result<void> check_hold(const HoldRequest& request, WallNs now_ns) {
  if (request.reason.size() > kHoldReasonBytesMax)
    return Error(ErrorCode::kUsage, "the reason has " + std::to_string(request.reason.size()) +
                                        " bytes; a hold stores at most " + std::to_string(kHoldReasonBytesMax));
  if (request.until_ns != 0 && request.until_ns <= now_ns)
    return Error(ErrorCode::kUsage,
                 "the time until when the snapshot is to be held has passed by this machine's clock");
  return {};
}

Result<HoldReport> put_hold(Repository& repository, const HoldRequest& request) {
  const WallNs now_ns = repository.clock().wall_ns();
  DRS_RETURN_IF_ERROR(check_hold(request, now_ns));
  DRS_ASSIGN_OR_RETURN(const auto removed, removal_now(repository, request.manifest_name));
  if (removed)
    return Error(ErrorCode::kNoSnapshot, request.manifest_name + " is removed: `drstream unforget " +
                                             parse_name(request.manifest_name)->uuid.hex() +
                                             " --hold` brings the snapshot back and holds it");
  DRS_ASSIGN_OR_RETURN(const bool held_already, is_held_already(repository, request, now_ns));
  HoldWriter writer(repository, request);
  if (!held_already)
    DRS_RETURN_IF_ERROR(writer.put_where_allowed({.manifest_name = request.manifest_name,
                                                  .manifest_digest = request.manifest_digest,
                                                  .held_ns = now_ns,
                                                  .until_ns = request.until_ns,
                                                  .reason = request.reason,
                                                  .overrides = {}}));
  if (auto live = check_still_live(repository, request, writer.report); !live.ok()) {
    if (live.error().code == ErrorCode::kConflict) return std::move(live).error();
    return outcome_unknown(std::move(live).error(), writer.report);
  }
  if (auto looked = writer.look(); !looked.ok()) return outcome_unknown(std::move(looked).error(), writer.report);
  if (!writer.report.held)
    return Error(ErrorCode::kUsage, "the snapshot is not held: by the store's clock the time until when has passed");
  return std::move(writer.report);
}

Result<HoldReport> release_hold(Repository& repository, const HoldRequest& request) {
  const WallNs now_ns = repository.clock().wall_ns();
  DRS_RETURN_IF_ERROR(
      check_hold({.manifest_name = {}, .manifest_digest = {}, .until_ns = 0, .reason = request.reason}, now_ns));
  // Also those that have passed by now, since this machine's clock may be ahead of the store's.
  DRS_ASSIGN_OR_RETURN(const Holds before, load_holds(repository, 0));
  if (!before.contains(request.manifest_name)) return HoldReport{};
  HoldWriter writer(repository, request);
  DRS_ASSIGN_OR_RETURN(std::vector<std::uint32_t> ended, writer.to_end(now_ns));
  auto stored = writer.put(ObjectKind::kKept, {.manifest_name = request.manifest_name,
                                               .manifest_digest = request.manifest_digest,
                                               .held_ns = now_ns,
                                               .until_ns = now_ns,
                                               .reason = request.reason,
                                               .overrides = std::move(ended)});
  if (!stored.ok() && stored.error().code == ErrorCode::kDenied)
    return std::move(stored).error().with_context(
        "only credentials that may create objects under kept/, such as a pruner's, end a hold");
  DRS_RETURN_IF_ERROR(std::move(stored));
  if (auto looked = writer.look(); !looked.ok()) return outcome_unknown(std::move(looked).error(), writer.report);
  return std::move(writer.report);
}

}  // namespace drs
