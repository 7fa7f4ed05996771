// Runs a command for its output: a passphrase or credentials. The output is secret.
#pragma once

#include <cstddef>

#include "io/base/bytes.h"
#include "io/base/cancel.h"
#include "io/child_process.h"

namespace drs {

// Runs the command with stdin from /dev/null, waits for exit status 0, and returns its stdout up to then. Does not wait
// for descendants. `options.timeout` limits the run, and `cancel` stops it: SIGTERM, five seconds, SIGKILL. Errors:
// kUsage (it cannot be run), kSource (it failed, timed out, or printed more than `output_bytes_max`), kCancelled, kIo.
// The error text names only argv[0], since arguments may be secret, and never includes the output.
Result<SecretBytes> command_output(const ChildOptions& options, std::size_t output_bytes_max, CancelToken& cancel);

}  // namespace drs
