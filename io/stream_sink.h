// A Sink over standard output or any other open descriptor that is written from front to back.
#pragma once

#include <memory>
#include <string>

#include "io/fd.h"
#include "io/sink.h"

namespace drs {

// `fd` is borrowed and must outlive the sink. A pipe is enlarged. `name` stands in messages: "stdout". commit() syncs
// what can be synced: a regular file, a block device. abandon() can only stop writing: what a pipe took is gone. The
// program must ignore SIGPIPE (main does), so that a reader who went away is the error kSinkClosed. Errors: kIo.
Result<std::unique_ptr<Sink>> make_stream_sink(int fd, std::string name);

// The same, and closes `fd` at the end.
Result<std::unique_ptr<Sink>> make_owned_stream_sink(Fd fd, std::string name);

}  // namespace drs
