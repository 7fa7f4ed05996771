#include "tools/output/exit_code.h"

#include <algorithm>
#include <array>

#include "io/base/error_class.h"

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
    // A stored object that others refer to is gone. For a name that the operator gave, commands have other codes.
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
    ExitCodeMapping{ErrorCode::kLimitMissed, ExitCode::kLimitMissed},
    ExitCodeMapping{ErrorCode::kNoSnapshot, ExitCode::kNoSnapshot},
};

constexpr std::array kMeanings = {
    ExitCodeMeaning{ExitCode::kOk, "Success."},
    ExitCodeMeaning{ExitCode::kInternal, "Internal error: a bug, or a machine that computes wrongly."},
    ExitCodeMeaning{ExitCode::kUsage, "Usage or configuration error."},
    ExitCodeMeaning{ExitCode::kSource, "The source failed, was empty or incomplete; nothing was committed."},
    ExitCodeMeaning{ExitCode::kDamage, "Damage found in the repository."},
    ExitCodeMeaning{ExitCode::kDestination, "The destination cannot be written, or has no space left."},
    ExitCodeMeaning{ExitCode::kUnreachable, "The store could not be reached after retries."},
    ExitCodeMeaning{ExitCode::kConflict, "Conflict: another session overtook or fenced this one."},
    ExitCodeMeaning{
        ExitCode::kRestoreIncomplete,
        "The restore is incomplete: its reader or consumer went away, it left holes (--allow-holes), or the "
        "target differs from what was archived."},
    ExitCodeMeaning{ExitCode::kWarnings,
                    "Verified with warnings (only with --warn-exit), or a copy skipped snapshots that are older than "
                    "what is there."},
    ExitCodeMeaning{ExitCode::kNoRepository, "There is no repository at this place."},
    ExitCodeMeaning{
        ExitCode::kBusy,
        "Another process holds what is needed, or this machine is short of descriptors, memory or threads."},
    ExitCodeMeaning{ExitCode::kKey, "Wrong or missing key."},
    ExitCodeMeaning{ExitCode::kRollback, "Rollback or deletion suspected: snapshots seen before are gone or older."},
    ExitCodeMeaning{ExitCode::kFormatTooNew, "The repository was written by a newer drstream."},
    ExitCodeMeaning{ExitCode::kLimitMissed,
                    "A limit or guard was missed: nothing was committed, or nothing removed that it protects."},
    ExitCodeMeaning{ExitCode::kNoSnapshot, "There is no such stream or snapshot."},
};

constexpr std::array kWorstFirst = {
    ExitCode::kInternal,
    ExitCode::kDamage,
    ExitCode::kRollback,
    ExitCode::kFormatTooNew,
    ExitCode::kKey,
    ExitCode::kNoRepository,
    ExitCode::kUsage,
    ExitCode::kNoSnapshot,
    ExitCode::kDestination,
    ExitCode::kSource,
    ExitCode::kLimitMissed,
    ExitCode::kConflict,
    ExitCode::kRestoreIncomplete,
    ExitCode::kUnreachable,
    ExitCode::kBusy,
    ExitCode::kWarnings,
};

// The place in the order; 0 is the worst.
std::size_t rank_of(const Error& error) {
  if (error.code == ErrorCode::kCancelled) return 0;
  const auto* const found = std::find(kWorstFirst.begin(), kWorstFirst.end(), exit_code_of(error));
  return 1 + static_cast<std::size_t>(found - kWorstFirst.begin());
}

}  // namespace

std::span<const ExitCodeMapping> exit_code_table() {
  return kTable;
}

ExitCode exit_code_of(const Error& error) {
  if (is_shortage(error)) return ExitCode::kBusy;
  for (const ExitCodeMapping& row : kTable)
    if (row.error == error.code) return row.exit;
  return ExitCode::kInternal;
}

int exit_status_of(const Error& error, int signal_received) {
  const bool stopped = error.code == ErrorCode::kCancelled || error.code == ErrorCode::kUnsettled;
  if (stopped && signal_received != 0) return exit_status_of_signal(signal_received);
  return static_cast<int>(exit_code_of(error));
}

bool is_worse(const Error& error, const Error& than) {
  return rank_of(error) < rank_of(than);
}

std::span<const ExitCodeMeaning> exit_code_meanings() {
  return kMeanings;
}

}  // namespace drs
