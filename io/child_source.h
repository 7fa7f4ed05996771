// A Source over the standard output of a command: the one stream whose end can be proven, by the command's exit status.
#pragma once

#include <memory>

#include "io/child_process.h"
#include "io/source.h"

namespace drs {

// Starts the command. Errors: kUsage (there is no such command), kSource.
//
// What the command wrote is what the pipe has taken when the command exits: its own writes are over then. A process
// that it started may still hold the pipe. If that one writes on, or does not close the pipe within `output_grace` of
// the last byte, finish() fails with kSource: whether it finished cannot be known. If it closes the pipe in silence
// (the end of a process substitution, as in tee >(sha256sum)), the stream is whole. finish() also fails with kSource
// when the timeout passes; the command is then killed.
Result<std::unique_ptr<Source>> make_child_source(const ChildOptions& options,
                                                  std::chrono::seconds output_grace = std::chrono::seconds(10));

}  // namespace drs
