#include "engine/pipeline/copy/carried_holds.h"

#include "engine/format/document.h"
#include "engine/repository/holds.h"
#include "engine/repository/put_hold.h"
#include "engine/repository/read_again.h"
#include "io/base/error_class.h"

namespace drs {
namespace {

// A hold of a year at most is renewed when less than this is left.
constexpr std::chrono::hours kRenewBefore{330 * 24};

bool lasts(const HeldSnapshot& there, const HeldSnapshot& wanted, WallNs now_ns) {
  if (there.until_ns == 0) return true;
  if (wanted.until_ns != 0 && wanted.until_ns <= there.until_ns) return true;
  return there.by_writer && there.until_ns - now_ns > std::chrono::nanoseconds(kRenewBefore).count();
}

// Whether the error concerns this snapshot or these credentials, not the store as a whole.
bool is_of_one(const Error& error) {
  return is_object_fault(error) || error.code == ErrorCode::kUsage || error.code == ErrorCode::kDenied ||
         error.code == ErrorCode::kConflict || error.code == ErrorCode::kNoSnapshot;
}

Result<void> hold_there(Repository& target, const std::string& manifest, const HeldSnapshot& wanted) {
  DRS_ASSIGN_OR_RETURN(const Bytes object, get_document(target.store(), manifest, kDocumentBytesMax));
  HoldRequest request{.manifest_name = manifest,
                      .manifest_digest = document_identity(object),
                      .until_ns = wanted.until_ns,
                      .reason = wanted.reason,
                      .too_long = HoldRequest::TooLong::kShorten};
  if (wanted.unreadable && request.reason.empty()) request.reason = "the source has a hold that cannot be read";
  DRS_RETURN_IF_ERROR(put_hold(target, request));
  return {};
}

}  // namespace

Result<void> carry_holds(Repository& source, Repository& target, CopyReport& report) {
  using Outcome = SnapshotCopy::Outcome;
  const WallNs now_ns = source.clock().wall_ns();
  DRS_ASSIGN_OR_RETURN(const Holds holds, load_holds(source, now_ns));
  if (holds.empty()) return {};
  DRS_ASSIGN_OR_RETURN(const Holds there, load_holds(target, now_ns));
  for (const SnapshotCopy& copy : report.snapshots) {
    const bool is_there =
        copy.outcome == Outcome::kCopied || copy.outcome == Outcome::kPresent || copy.outcome == Outcome::kHealed;
    const auto wanted = holds.find(copy.source->name);
    if (!is_there || wanted == holds.end()) continue;
    const auto held = there.find(copy.target_name);
    if (held != there.end() && lasts(held->second, wanted->second, now_ns)) continue;
    auto put = hold_there(target, copy.target_name, wanted->second);
    if (put.ok()) {
      ++report.holds;
    } else if (is_of_one(put.error())) {
      report.warnings.push_back(copy.target_name +
                                " in the target is not held as it is in the source: " + put.error().message);
    } else {
      return std::move(put).error().with_context("holding " + copy.target_name + " in the target");
    }
  }
  return {};
}

}  // namespace drs
