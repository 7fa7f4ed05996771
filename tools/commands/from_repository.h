// The other repository of a command that reads one and writes another (copy, init --replica-of): where it is, and the
// key that opens it.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>

#include "tools/command.h"
#include "tools/repository/keys.h"
#include "tools/repository/repository_location.h"

namespace drs {

struct FromOptions {
  std::string place;
  KeyOptions key;
  bool unencrypted = false;
};

// --from-key-file and its like; `from` must outlive `app`. The command declares the option of the place itself.
void declare_from_key_options(CLI::App& app, FromOptions& from);

// The key of `place` from these options, the place's own settings, or BACKUP_FROM_ENCRYPTION_KEY_FILE and
// BACKUP_FROM_ENCRYPTION_KEY; Secret{} with --from-unencrypted. Empty: none was given, see from_secret. Call it before
// that key is taken, which wipes the environment. Errors: kUsage, kWrongKey.
Result<std::optional<Secret>> read_from_secret(CommandContext& context, const RepositoryLocation& place,
                                               const FromOptions& from);

// Opens it. Errors: those of open_repository; for a key that is missing or wrong, naming the options that give this
// repository's.
Result<std::unique_ptr<Repository>> open_from_repository(CommandContext& context, const RepositoryLocation& place,
                                                         const FromOptions& from, const Secret& secret);

// What opens the source: `given`, else the key of the settings or the environment, else a copy of `secret`, which opens
// the target `to`. A key of the target's own counts last: it is said to be for that place alone. Call it after the
// target's key was taken, and once. Errors: those of take_supplied_secret.
Result<Secret> from_secret(CommandContext& context, std::optional<Secret> given, const RepositoryLocation& to,
                           const Secret& secret);

}  // namespace drs
