// Checks of the descriptors that our caller gave us: whether they are usable, and whether two of them lead to one
// place, so that messages would end up inside a stream.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "io/base/result.h"

namespace drs {

// The next file that we open would take a closed descriptor 0, 1 or 2, and messages would be written into that file.
// Occupies closed ones so that reading 0 and writing 1 fail, as with a closed descriptor, and text to a closed stderr
// is dropped. False where that is not possible. Call it before anything else.
bool occupy_standard_descriptors();

// stdin as the source of a stream. Errors: kUsage (closed, or not open for reading).
Result<void> check_stdin_is_readable();

// For the descriptor of --progress-fd; call it before any file is opened. Errors: kUsage (not open, not for writing, or
// stdin or stdout).
Result<void> check_progress_descriptor(std::optional<std::uint64_t> fd);

// `target`, where a restored stream goes: stdout, or a path of --output (the file need not exist). Errors: kUsage
// (stdout is closed or not open for writing; messages or progress go to the same place).
Result<void> check_stream_target(const std::string& target, std::optional<std::uint64_t> progress_fd);

// Whether `path` is stdout: /dev/stdout, /dev/fd/1.
bool is_stdout(const std::string& path);

}  // namespace drs
