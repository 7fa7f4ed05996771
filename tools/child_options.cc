#include "tools/child_options.h"

#include <unistd.h>

#include "tools/keys.h"
#include "tools/printable.h"

namespace drs {

ChildOptions child_options(std::vector<std::string> argv) {
  ChildOptions options;
  options.argv = std::move(argv);
  options.environment_remove.assign(key_variable_names().begin(), key_variable_names().end());
  if (::isatty(options.stderr_to) == 1) options.stderr_filter = printable_speech;
  return options;
}

}  // namespace drs
