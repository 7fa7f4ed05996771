// The exit codes of `drstream`, and which ErrorCode leads to which: one table (docs/OPERATIONS.md, "Exit codes").
// Scripts and alerts depend on the numbers: frozen, never renumber.
#pragma once

#include <span>
#include <string_view>

#include "io/base/result.h"

namespace drs {

enum class ExitCode : int {
  kOk = 0,
  kInternal = 1,
  kUsage = 2,
  kSource = 3,
  kDamage = 4,
  kDestination = 5,
  kUnreachable = 6,
  kConflict = 7,
  kRestoreIncomplete = 8,
  kWarnings = 9,
  kNoRepository = 10,
  kBusy = 11,
  kKey = 12,
  kRollback = 13,
  kFormatTooNew = 14,
  kLimitMissed = 15,
  kNoSnapshot = 16,
};

struct ExitCodeMapping {
  ErrorCode error;
  ExitCode exit;
};
// One row for each ErrorCode.
std::span<const ExitCodeMapping> exit_code_table();
// A shortage of this machine (io/base/error_class.h) is always kBusy; otherwise the table decides. kCancelled gives
// kInternal here: what asked us to stop is a signal, and `main` exits with 128 + its number.
ExitCode exit_code_of(const Error& error);

struct ExitCodeMeaning {
  ExitCode exit;
  std::string_view meaning;
};
// For the manual: every exit code with its meaning, in order.
std::span<const ExitCodeMeaning> exit_code_meanings();

inline int exit_status_of_signal(int signal_number) {
  return 128 + signal_number;
}
// What the process exits with for `error`, once `signal_received` (0: none) has asked it to stop. A signal during a
// commit leaves it unsettled, and the message says so.
int exit_status_of(const Error& error, int signal_received);

// Where one command works on several repositories, its worst failure decides the exit code. From the worst: stopped by
// a signal; what is stored or seen cannot be trusted (1, 4, 13); nothing is backed up or found there before a person
// changes something (14, 12, 10, 2, 16, 5); only this run is lost (3, 15, 7, 8, 6, 11, 9). A wrong name (16) is a
// narrower mistake than a wrong option (2). A failed source (3) is certain; a missed limit (15) may be the limit's
// fault.
bool is_worse(const Error& error, const Error& than);

}  // namespace drs
