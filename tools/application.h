// The whole command: builds the model, parses, runs one subcommand, reports its result.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>

#include "io/base/cancel.h"
#include "io/base/clock.h"
#include "tools/cli/signals.h"
#include "tools/command.h"

namespace drs {

// The CLI11 model with every command and option; `options` and the model live as long as this.
struct CommandModel {
  GlobalOptions options;
  CLI::App root;
  CommandSet commands;
  CommandModel();
};

// Everything between main's set-up and its exit status. Reports exceptions as messages where it can.
int run_application(int argc, const char* const* argv, const Clock& clock, CancelToken& cancel,
                    const SignalState& signals);

}  // namespace drs
