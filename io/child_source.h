// A Source over the standard output of a command. The command's exit status proves that the stream is complete.
#pragma once

#include <memory>

#include "io/child_process.h"
#include "io/source.h"

namespace drs {

// Starts the command. Errors: kUsage (no such command), kSource, kBusy (no thread left), kIo.
//
// The command's output is what was written to the pipe until the command exits. A descendant may still hold the pipe.
// If the descendant writes more, or does not close the pipe within `output_grace` of the last byte, finish() fails with
// kSource, because whether it finished cannot be known. If it closes the pipe without writing (the end of a process
// substitution, as in tee >(sha256sum)), the stream is complete. finish() also fails with kSource when the timeout
// passes, and stops the command.
Result<std::unique_ptr<Source>> make_child_source(const ChildOptions& options,
                                                  std::chrono::seconds output_grace = std::chrono::seconds(10));

}  // namespace drs
