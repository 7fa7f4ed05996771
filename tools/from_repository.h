// The other repository of a command that reads one and writes another (copy, init --replica-of): where it is, and the
// key that opens it.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>

#include "tools/command.h"
#include "tools/keys.h"
#include "tools/repository_place.h"

namespace drs {

struct FromOptions {
  std::string place;
  KeyOptions key;
  bool unencrypted = false;
};

// --from-key-file and its like; `from` must outlive `app`. The command declares the option of the place itself.
void declare_from_key_options(CLI::App& app, FromOptions& from);

// The key of `place` from these options, the place's own settings, or BACKUP_FROM_ENCRYPTION_KEY_FILE and
// BACKUP_FROM_ENCRYPTION_KEY; Secret{} where it was said to have none. Empty: nothing was said, and the key of the
// other repository is to be tried. Call it before that is taken, for then the environment is wiped. Errors: kUsage,
// kWrongKey.
Result<std::optional<Secret>> read_from_secret(CommandContext& context, const RepositoryPlace& place,
                                               const FromOptions& from);

// Opens it. Errors: those of open_repository; for want of a key, naming the options that give this repository's.
Result<std::unique_ptr<Repository>> open_from_repository(CommandContext& context, const RepositoryPlace& place,
                                                         const FromOptions& from, const Secret& secret);

// What opens the other repository: `given`, or else a copy of `secret`.
Secret from_secret(std::optional<Secret> given, const Secret& secret);

}  // namespace drs
