// A Source over standard input or any other open descriptor that is read from front to back.
#pragma once

#include <memory>
#include <string>

#include "io/source.h"

namespace drs {

// `fd` is borrowed and must outlive the source; blocking or not. A pipe is enlarged. `name` stands in messages:
// "stdin". What the end proves: nothing for a pipe, since a producer that died closes it just as one that finished;
// kFileEnd for a regular file (`drstream push < file`), which must not have changed meanwhile. Errors: kUsage for a
// directory, kIo.
Result<std::unique_ptr<Source>> make_pipe_source(int fd, std::string name);

}  // namespace drs
