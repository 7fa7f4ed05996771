// The environment of this process: what the search for credentials uses (variables, files, children, network), and what
// child commands see.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "io/base/cancel.h"
#include "io/base/clock.h"
#include "io/child_process.h"
#include "sinks/transport/environment.h"
#include "sinks/transport/http_message.h"

namespace drs {

// How long a credential_process may take. A person may have to touch a device for it.
inline constexpr std::chrono::seconds kCredentialProcessTimeout{60};

// `clock` and `cancel` are borrowed. `cancel`, unless null, ends a running command and the wait for a FIFO; a running
// command also ends when this process dies. Files of more than 1 MiB are refused; children do not see the variables
// that hold keys.
Environment process_environment(HttpFetch fetch, const Clock& clock, CancelToken* cancel);

// A whole small file, or what a process writes into a FIFO or /dev/fd/N: configurations, tokens. At most 1 MiB.
// `cancel` ends the wait for a FIFO. Errors: kUsage (larger), those of open_to_read.
Result<SecretBytes> read_small_file(const std::string& path, CancelToken& cancel);

// The names of the variables that hold keys and secrets, which no command that we run must see.
std::vector<std::string> secret_variable_names();

// The options of every command that we run: it does not see the variables that hold keys, and its stderr is made
// printable if that is a terminal.
ChildOptions child_options(std::vector<std::string> argv);

}  // namespace drs
