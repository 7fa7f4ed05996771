// A Sink that feeds the standard input of a command: psql, pg_restore, tar.
#pragma once

#include <chrono>
#include <memory>

#include "io/child_process.h"
#include "io/sink.h"

namespace drs {

struct ConsumerOptions {
  ChildOptions child;
  bool may_stop = false;  // a command that exits with 0 need not have read everything (pg_restore -l)
  // From the moment a command stops reading until it must have ended by itself; and from the last byte that a process
  // which outlives the command took until that counts as one that reads no more.
  std::chrono::milliseconds end_grace{5000};
};

class ConsumerSink : public Sink {
 public:
  // With `may_stop`: the command exited with 0 before the stream was over. write() has then failed with kSinkClosed,
  // and that is no failure.
  [[nodiscard]] virtual bool stopped_well() const = 0;
};

// Starts the command. commit() waits until the command has taken every byte out of the pipe, closes its stdin and waits
// for exit status 0; a command that exits with 0 and leaves bytes unread is kSinkClosed, too, unless it may stop;
// so is one that leaves its stdin to a process that does not read on.
// abandon(), and the destructor before a commit, kill it and what it started before its stdin is closed, so that it
// never takes a torn stream for a whole one; `child.guardian` does the same when we are killed (a loss of the guardian
// ends the restore, too). The program must ignore SIGPIPE (main does), so that a command that went away is the error
// kSinkClosed. Errors: kUsage (there is no such command), kIo.
Result<std::unique_ptr<ConsumerSink>> make_child_sink(const ConsumerOptions& options);

}  // namespace drs
