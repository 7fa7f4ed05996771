// How every command that we run by its name is started.
#pragma once

#include <string>
#include <vector>

#include "io/child_process.h"

namespace drs {

// It does not see the variables that hold keys, and what it says on stderr is made printable where that is a terminal.
ChildOptions child_options(std::vector<std::string> argv);

}  // namespace drs
