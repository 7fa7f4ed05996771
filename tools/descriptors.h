// The descriptors that our caller gave us: whether they are what they are used for, and whether two of them are one
// place, where messages would end up inside a stream.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "io/result.h"

namespace drs {

// A closed descriptor 0, 1 or 2 would be given to the next file that we open, which then got messages written into it.
// Occupies them so that a use of 0 and 1 fails, as of a closed descriptor; what goes to a closed stderr is dropped.
// False where that is not possible. Call it before anything else.
bool occupy_standard_descriptors();

// stdin as the source of a stream. Errors: kUsage (closed, or not open for reading).
Result<void> check_stdin_is_readable();

// For the descriptor of --progress-fd; call it before any file is opened. Errors: kUsage (not open, not for writing, or
// stdin or stdout).
Result<void> check_progress_descriptor(std::optional<std::uint64_t> fd);

// `target`, where a restored stream goes: stdout, or a path of --output (a file that is not there is right). Errors:
// kUsage (stdout is closed or not open for writing; it is the place where messages or progress go).
Result<void> check_stream_target(const std::string& target, std::optional<std::uint64_t> progress_fd);

// Whether `path` names what stdout is: /dev/stdout, /dev/fd/1.
bool is_stdout(const std::string& path);

}  // namespace drs
