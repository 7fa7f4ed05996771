// A command that is run for what it prints: a passphrase, credentials. Its output is a secret.
#pragma once

#include <cstddef>

#include "io/bytes.h"
#include "io/cancel.h"
#include "io/child_process.h"

namespace drs {

// Runs the command to its end, with stdin from /dev/null, and returns what it printed until it exited with 0; a process
// that it leaves behind is not waited for. `options.timeout` is its deadline, and `cancel` ends it: SIGTERM, five
// seconds, SIGKILL. Errors: kUsage (it cannot be run), kSource (it failed, was late, or printed more than
// `output_bytes_max`), kCancelled, kIo. The text names argv[0] alone, since arguments may be secret, and never what was
// printed.
Result<SecretBytes> command_output(const ChildOptions& options, std::size_t output_bytes_max, CancelToken& cancel);

}  // namespace drs
