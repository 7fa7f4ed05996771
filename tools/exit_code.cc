#include "tools/exit_code.h"

#include <array>

namespace drs {
namespace {

constexpr std::array kTable = {
    ExitCodeMapping{ErrorCode::kInternal, ExitCode::kInternal},
    ExitCodeMapping{ErrorCode::kUsage, ExitCode::kUsage},
    ExitCodeMapping{ErrorCode::kSource, ExitCode::kSource},
    ExitCodeMapping{ErrorCode::kCorrupt, ExitCode::kDamage},
    ExitCodeMapping{ErrorCode::kTruncated, ExitCode::kDamage},
    ExitCodeMapping{ErrorCode::kIo, ExitCode::kDestination},
    ExitCodeMapping{ErrorCode::kNoSpace, ExitCode::kDestination},
    ExitCodeMapping{ErrorCode::kDenied, ExitCode::kDestination},
    ExitCodeMapping{ErrorCode::kUnavailable, ExitCode::kUnreachable},
    // A stored object that others refer to is gone. Where a name is the operator's, commands answer kUsage themselves.
    ExitCodeMapping{ErrorCode::kNotFound, ExitCode::kDamage},
    ExitCodeMapping{ErrorCode::kAlreadyExists, ExitCode::kUsage},
    ExitCodeMapping{ErrorCode::kConflict, ExitCode::kConflict},
    ExitCodeMapping{ErrorCode::kNoRepository, ExitCode::kNoRepository},
    ExitCodeMapping{ErrorCode::kBusy, ExitCode::kBusy},
    ExitCodeMapping{ErrorCode::kWrongKey, ExitCode::kKey},
    ExitCodeMapping{ErrorCode::kRollback, ExitCode::kRollback},
    ExitCodeMapping{ErrorCode::kFormatTooNew, ExitCode::kFormatTooNew},
    ExitCodeMapping{ErrorCode::kSinkClosed, ExitCode::kRestoreIncomplete},
    ExitCodeMapping{ErrorCode::kCancelled, ExitCode::kInternal},
    ExitCodeMapping{ErrorCode::kUnsettled, ExitCode::kDestination},
    ExitCodeMapping{ErrorCode::kAnomaly, ExitCode::kSource},
};

constexpr std::array kMeanings = {
    ExitCodeMeaning{ExitCode::kOk, "Success."},
    ExitCodeMeaning{ExitCode::kInternal, "Internal error: a bug, or a machine that computes wrongly."},
    ExitCodeMeaning{ExitCode::kUsage, "Usage or configuration error."},
    ExitCodeMeaning{ExitCode::kSource, "The source failed or was incomplete; nothing was committed."},
    ExitCodeMeaning{ExitCode::kDamage, "Damage found in the repository."},
    ExitCodeMeaning{ExitCode::kDestination, "The destination cannot be written, or has no space left."},
    ExitCodeMeaning{ExitCode::kUnreachable, "The store could not be reached after retries."},
    ExitCodeMeaning{ExitCode::kConflict, "Conflict: another session overtook or fenced this one."},
    ExitCodeMeaning{ExitCode::kRestoreIncomplete, "The restore is incomplete: its reader or consumer went away."},
    ExitCodeMeaning{ExitCode::kWarnings, "Verified with warnings (only with --warn-exit)."},
    ExitCodeMeaning{ExitCode::kNoRepository, "There is no repository at this place."},
    ExitCodeMeaning{ExitCode::kBusy, "Somebody else holds what is needed."},
    ExitCodeMeaning{ExitCode::kKey, "Wrong or missing key."},
    ExitCodeMeaning{ExitCode::kRollback, "Rollback or deletion suspected: what was seen before is gone or older."},
    ExitCodeMeaning{ExitCode::kFormatTooNew, "The repository was written by a newer drstream."},
};

}  // namespace

std::span<const ExitCodeMapping> exit_code_table() {
  return kTable;
}

ExitCode exit_code_of(ErrorCode code) {
  for (const ExitCodeMapping& row : kTable)
    if (row.error == code) return row.exit;
  return ExitCode::kInternal;
}

std::span<const ExitCodeMeaning> exit_code_meanings() {
  return kMeanings;
}

}  // namespace drs
