// A Sink that feeds the standard input of a command: psql, pg_restore, tar.
#pragma once

#include <memory>

#include "io/child_process.h"
#include "io/sink.h"

namespace drs {

// Starts the command. commit() closes its stdin and waits for exit status 0. abandon(), and the destructor before a
// commit, kill it and what it started before its stdin is closed, so that it never takes a torn stream for a whole one.
// The program must ignore SIGPIPE (main does), so that a command that went away is the error kSinkClosed.
// Errors: kUsage (there is no such command), kIo.
Result<std::unique_ptr<Sink>> make_child_sink(const ChildOptions& options);

}  // namespace drs
