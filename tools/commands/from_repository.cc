#include "tools/commands/from_repository.h"

#include <fmt/format.h>

#include "tools/cli/option_builder.h"
#include "tools/repository/open_repository.h"

namespace drs {

void declare_from_key_options(CLI::App& app, FromOptions& from) {
  constexpr const char* kGroup = "Key options of the source (default: the key of the settings or the environment)";
  as_setting(
      add_text(app, "--from-key-file", from.key.key_file, "FILE", "Read the source's key, 64 hex digits, from FILE"))
      ->group(kGroup);
  as_setting(add_text(app, "--from-passphrase-file", from.key.passphrase_file, "FILE",
                      "Read the source's passphrase from FILE"))
      ->group(kGroup);
  as_setting(add_text(app, "--from-passphrase-command", from.key.passphrase_command, "CMD",
                      "Run CMD and take what it prints as the source's passphrase"))
      ->group(kGroup);
  as_setting(add_flag(app, "--from-unencrypted", from.unencrypted, "The source is not encrypted: use no key for it"))
      ->group(kGroup);
}

Result<std::optional<Secret>> read_from_secret(CommandContext& context, const RepositoryLocation& place,
                                               const FromOptions& from) {
  if (from.unencrypted) {
    if (from.key.any() || place.key.any())
      return Error(
          ErrorCode::kUsage,
          fmt::format("--from-unencrypted was given, and a key for {} as well; give only one of them", place.name));
    return std::optional<Secret>(Secret{});
  }
  DRS_ASSIGN_OR_RETURN(SuppliedSecret supplied, !from.key.any() && place.key.any()
                                                    ? read_secret(place.key, context.cancel)
                                                    : read_source_secret(from.key, context.cancel));
  for (const std::string& warning : supplied.warnings) context.log.warn("{}", warning);
  if (!supplied.given()) return std::optional<Secret>();
  return std::optional(std::move(supplied.secret));
}

Result<std::unique_ptr<Repository>> open_from_repository(CommandContext& context, const RepositoryLocation& place,
                                                         const FromOptions& from, const Secret& secret) {
  auto repository = open_repository(context, place, secret);
  if (repository.ok() || repository.error().code != ErrorCode::kWrongKey) return repository;
  const std::string problem =
      secret.kind != SlotKind::kClear ? fmt::format("the source {}: {}", place.name, repository.error().message)
      : from.unencrypted
          ? fmt::format("the source {} is encrypted, and --from-unencrypted says that it is not", place.name)
          : fmt::format("the source {} is encrypted, and no key was given for it", place.name);
  return Error(ErrorCode::kWrongKey, problem +
                                         ": give its key by --from-key-file FILE, --from-passphrase-file FILE or "
                                         "--from-passphrase-command CMD");
}

Result<Secret> from_secret(CommandContext& context, std::optional<Secret> given, const RepositoryLocation& to,
                           const Secret& secret) {
  if (given) return *std::move(given);
  if (to.key.any()) {
    DRS_ASSIGN_OR_RETURN(Secret shared, take_secret(context, {}));
    if (shared.kind != SlotKind::kClear) return shared;
  }
  return copy_of(secret);
}

}  // namespace drs
