#include "tools/from_repository.h"

#include <fmt/format.h>

#include "tools/open_repository.h"
#include "tools/option_builder.h"

namespace drs {

void declare_from_key_options(CLI::App& app, FromOptions& from) {
  constexpr const char* kGroup = "Key options of the source (default: the key of --repository)";
  as_setting(
      add_text(app, "--from-key-file", from.key.key_file, "FILE", "Read the source's key, 64 hex digits, from FILE"))
      ->group(kGroup);
  as_setting(add_text(app, "--from-passphrase-file", from.key.passphrase_file, "FILE",
                      "Read the source's passphrase from FILE"))
      ->group(kGroup);
  as_setting(add_text(app, "--from-passphrase-command", from.key.passphrase_command, "CMD",
                      "Run CMD and take what it prints as the source's passphrase"))
      ->group(kGroup);
  as_setting(add_flag(app, "--from-unencrypted", from.unencrypted, "The source is not encrypted: give it no key"))
      ->group(kGroup);
}

Result<std::optional<Secret>> read_from_secret(CommandContext& context, const RepositoryPlace& place,
                                               const FromOptions& from) {
  if (from.unencrypted) {
    if (from.key.any() || place.key.any())
      return Error{ErrorCode::kUsage,
                   fmt::format("--from-unencrypted was given, but a key for {} as well", place.name)};
    return std::optional<Secret>(Secret{});
  }
  DRS_ASSIGN_OR_RETURN(SuppliedSecret supplied, !from.key.any() && place.key.any()
                                                    ? read_secret(place.key, context.cancel)
                                                    : read_source_secret(from.key, context.cancel));
  for (const std::string& warning : supplied.warnings) context.log.warn("{}", warning);
  if (!supplied.given()) return std::optional<Secret>();
  return std::optional(std::move(supplied.secret));
}

Result<std::unique_ptr<Repository>> open_from_repository(CommandContext& context, const RepositoryPlace& place,
                                                         const FromOptions& from, const Secret& secret) {
  auto repository = open_repository(context, place, secret);
  const bool lacks_key =
      !repository.ok() && repository.error().code == ErrorCode::kWrongKey && secret.kind == SlotKind::kClear;
  if (!lacks_key) return repository;
  return Error{
      ErrorCode::kWrongKey,
      fmt::format("the source {} is encrypted, and {}: give its key by --from-key-file FILE, "
                  "--from-passphrase-file FILE or --from-passphrase-command CMD",
                  place.name, from.unencrypted ? "--from-unencrypted says that it is not" : "no key was given for it")};
}

Secret from_secret(std::optional<Secret> given, const Secret& secret) {
  if (given) return *std::move(given);
  return {secret.kind, SecretBytes::copy_of(secret.bytes.view())};
}

}  // namespace drs
