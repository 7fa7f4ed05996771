#include "tools/child_options.h"

#include "tools/keys.h"
#include "tools/printable.h"
#include "tools/terminal_style.h"

namespace drs {

ChildOptions child_options(std::vector<std::string> argv) {
  ChildOptions options;
  options.argv = std::move(argv);
  options.environment_remove.assign(key_variable_names().begin(), key_variable_names().end());
  const TerminalStyle style = terminal_style(options.stderr_to);
  // Each line takes the place of the status line, which is drawn anew below it.
  if (style.knows_escapes)
    options.stderr_filter = [](std::string_view text) { return std::string(kEraseLine) + printable_speech(text); };
  else if (style.is_terminal)
    options.stderr_filter = printable_speech;
  return options;
}

}  // namespace drs
