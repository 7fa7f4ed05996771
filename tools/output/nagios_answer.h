// An answer to Nagios, by the guidelines for plugins (https://nagios-plugins.org/doc/guidelines.html): one line with
// what is wrong and figures, and one of the exit codes 0 (ok), 1 (warning), 2 (critical) and 3 (unknown). Any thread.
#pragma once

#include <string>

#include "io/base/result.h"

namespace drs {

struct NagiosAnswer {
  std::string line;
  int exit_status = 3;
};
// Of what could not be looked at: unknown.
NagiosAnswer nagios_answer(const Error& error);

}  // namespace drs
