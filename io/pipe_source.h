// A Source over standard input or any other open descriptor that is read sequentially.
#pragma once

#include <memory>
#include <string>

#include "io/source.h"

namespace drs {

// `fd` is borrowed and must outlive the source; it may be blocking or not. A pipe is enlarged. `name` is used in
// messages: "stdin". The proof is kUnseen for a pipe, since a dead producer closes it exactly like one that finished.
// It is kFileEnd for a regular file (`drstream push < file`), which must not have changed meanwhile. Errors: kUsage for
// a directory, kIo.
Result<std::unique_ptr<Source>> make_pipe_source(int fd, std::string name);

}  // namespace drs
