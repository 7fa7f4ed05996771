// What behind "--" is a line of a shell, and not the program with its arguments that drstream runs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "io/result.h"

namespace drs {

// Refuses a single word that a shell would cut ("pg_dump app | gzip") and that is no program. Errors: kUsage, saying
// how to run it.
Result<void> check_child_command(const std::vector<std::string>& words);

// A shell that runs a pipe gives the exit status of its last command: what to say where a failing producer in front of
// it would not be seen. Empty where there is no such pipe, or pipefail is set.
std::optional<std::string> unseen_pipe_warning(const std::vector<std::string>& words);

}  // namespace drs
