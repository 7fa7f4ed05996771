// A Source over the standard output of a command: the one stream whose end can be proven, by the command's exit status.
#pragma once

#include <memory>

#include "io/child_process.h"
#include "io/source.h"

namespace drs {

// Starts the command. Errors: kUsage (there is no such command), kSource.
// finish() fails with kSource when the timeout passes (the command is then killed), or when the command has ended but
// something that it started keeps its output open: whether that finished, nobody could tell.
Result<std::unique_ptr<Source>> make_child_source(const ChildOptions& options);

}  // namespace drs
