// A question to the person at the terminal.
#pragma once

#include <string>

#include "io/base/cancel.h"
#include "io/base/result.h"

namespace drs {

// Whether a person can be asked: stdin is a terminal, and so is stderr, or there is one that can show the question.
bool can_ask();

// Prints `question` on stderr, or on the terminal itself where stderr is not one, and reads a line from stdin. True for
// "y" and "yes"; false for anything else, and at the end of input. Errors: kCancelled.
Result<bool> ask_yes_or_no(const std::string& question, const CancelToken& cancel);

}  // namespace drs
