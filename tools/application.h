// The whole command: builds the model, parses, runs one subcommand, tells how it ended.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>

#include "io/cancel.h"
#include "io/clock.h"
#include "tools/command.h"
#include "tools/signal_state.h"

namespace drs {

// The CLI11 model with every command and option; `options` and the model live as long as this.
struct CommandModel {
  GlobalOptions options;
  CLI::App root;
  CommandSet commands;
  CommandModel();
};

// Everything between main's set-up and its exit status. Does not throw what it can tell as a message.
int run_application(int argc, const char* const* argv, const Clock& clock, CancelToken& cancel,
                    const SignalState& signals);

}  // namespace drs
