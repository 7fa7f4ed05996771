// A Sink that feeds the standard input of a command: psql, pg_restore, tar.
#pragma once

#include <chrono>
#include <memory>

#include "io/child_process.h"
#include "io/sink.h"

namespace drs {

struct ConsumerOptions {
  ChildOptions child;
  bool may_stop = false;  // accepts a command that exits with 0 before it has read everything (pg_restore -l)
  // How long a command that stopped reading may take to exit, and how long a descendant that outlives the command may
  // go without reading before it counts as stalled.
  std::chrono::milliseconds end_grace{5000};
};

class ConsumerSink : public Sink {
 public:
  // With `may_stop`: the command exited with 0 before the end of the stream. The kSinkClosed that write() returned is
  // then not a failure.
  [[nodiscard]] virtual bool stopped_well() const = 0;
};

// Starts the command. commit() waits until every byte has been read from the pipe, closes the command's stdin and waits
// for exit status 0. It fails with kSinkClosed if the command exits with 0 but leaves bytes unread (unless `may_stop`),
// or leaves its stdin to a descendant that stops reading.
// abandon(), and the destructor before a commit, kill the command and its descendants before they close its stdin, so
// that the command never mistakes a truncated stream for a complete one. `child.guardian` does the same if we are
// killed; the death of the guardian fails the restore. The program must ignore SIGPIPE (main does), so that a command
// that stopped reading yields kSinkClosed. Errors: kUsage (no such command), kIo.
Result<std::unique_ptr<ConsumerSink>> make_child_sink(const ConsumerOptions& options);

}  // namespace drs
