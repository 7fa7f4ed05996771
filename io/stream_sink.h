// A Sink over standard output or any other open descriptor that is written sequentially.
#pragma once

#include <memory>
#include <string>

#include "io/fd.h"
#include "io/sink.h"

namespace drs {

// `fd` is borrowed and must outlive the sink. A pipe is enlarged. `name` is used in messages: "stdout". commit() syncs
// a regular file or a block device. abandon() only stops writing: bytes already written to a pipe cannot be taken back.
// The program must ignore SIGPIPE (main does), so that a reader that closed its end yields kSinkClosed. Errors: kIo.
Result<std::unique_ptr<Sink>> make_stream_sink(int fd, std::string name);

// The same, but owns `fd` and closes it.
Result<std::unique_ptr<Sink>> make_owned_stream_sink(Fd fd, std::string name);

}  // namespace drs
