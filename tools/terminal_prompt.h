// Asks on the terminal itself (/dev/tty), so that stdin and stdout stay free for streams.
#pragma once

#include <optional>

#include "io/cancel.h"
#include "tools/keys.h"

namespace drs {

// Empty where the process has no terminal, or its stderr is not on one. `cancel` must outlive the prompt; a cancelled
// prompt restores the echo.
std::optional<Prompt> terminal_prompt(const CancelToken& cancel);

}  // namespace drs
