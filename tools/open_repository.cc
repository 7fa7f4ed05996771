#include "tools/open_repository.h"

#include <fmt/format.h>

#include <array>

#include "codecs/crypto_backend.h"
#include "io/error_class.h"
#include "sinks/local_store.h"
#include "tools/access_check.h"
#include "tools/open_gcs.h"
#include "tools/open_s3.h"
#include "tools/repository_cache.h"
#include "tools/terminal_prompt.h"

namespace drs {
namespace {

// Those of the snapshots first.
constexpr std::array kKinds = {ObjectKind::kManifest, ObjectKind::kRemoved, ObjectKind::kCondemned,
                               ObjectKind::kPack,     ObjectKind::kDamaged, ObjectKind::kIndex};
constexpr std::size_t kSnapshotKindCount = 2;

std::span<const ObjectKind> kinds_ahead(Reads reads) {
  switch (reads) {
    case Reads::kStored:
    case Reads::kAny: break;
    case Reads::kSnapshots: return std::span(kKinds).first(kSnapshotKindCount);
    case Reads::kData: return kKinds;
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<FileSystem>> open_repository_files(const RepositoryPlace& place, const GlobalOptions& options) {
  auto files = open_file_system(place.name, options.io);
  if (files.ok()) return std::shared_ptr<FileSystem>(*std::move(files));
  if (files.error().code == ErrorCode::kNotFound)
    return Error{ErrorCode::kNoRepository,
                 fmt::format("there is no repository at '{}': no such directory", place.name)};
  return std::move(files).error();
}

Result<std::unique_ptr<ObjectStore>> open_store(const RepositoryPlace& place, const GlobalOptions& options,
                                                const StoreSurroundings& opened_by) {
  switch (place.kind) {
    case RepositoryPlace::Kind::kS3: return open_s3(place, opened_by);
    case RepositoryPlace::Kind::kGcs: return open_gcs(place, opened_by);
    case RepositoryPlace::Kind::kLocal: break;
  }
  DRS_ASSIGN_OR_RETURN(auto files, open_repository_files(place, options));
  return open_local_store(std::move(files), LocalStoreOptions{});
}

StoreSurroundings store_surroundings(CommandContext& context) {
  spdlog::logger& log = context.log;
  return {.cancel = &context.cancel, .tell = [&log](const std::string& text) { log.warn("{}", text); }};
}

Result<std::unique_ptr<ObjectStore>> open_store(CommandContext& context, const RepositoryPlace& place) {
  if (place.cloud.single_writer && place.kind != RepositoryPlace::Kind::kLocal)
    context.log.warn(
        "--single-writer: {} is written without conditional writes; if anything else writes to it at the same time, "
        "backups can be lost",
        place.name);
  return open_store(place, context.options, store_surroundings(context));
}

Result<std::unique_ptr<ObjectStore>> open_store(CommandContext& context) {
  DRS_ASSIGN_OR_RETURN(const RepositoryPlace place, repository_place(context.options));
  return open_store(context, place);
}

Result<Secret> take_secret(CommandContext& context, const RepositoryPlace& place) {
  DRS_ASSIGN_OR_RETURN(SuppliedSecret supplied, place.key.any()
                                                    ? read_secret(place.key, context.cancel)
                                                    : take_supplied_secret(context.options.key, context.cancel));
  for (const std::string& warning : supplied.warnings) context.log.warn("{}", warning);
  return std::move(supplied.secret);
}

Result<std::unique_ptr<Repository>> open_repository(CommandContext& context, const RepositoryPlace& place,
                                                    const Secret& secret, Reads reads) {
  const auto open_with = [&](const Secret& with) -> Result<std::unique_ptr<Repository>> {
    DRS_ASSIGN_OR_RETURN(auto store, open_store(context, place));
    if (reads != Reads::kStored) store = with_cache(std::move(store), place, context.log);
    return Repository::open(std::move(store), context.clock, with, best_crypto_backend(), kinds_ahead(reads));
  };
  auto repository = open_with(secret);
  const bool key_is_missing =
      secret.kind == SlotKind::kClear && !repository.ok() && repository.error().code == ErrorCode::kWrongKey;
  if (key_is_missing) {
    const auto prompt = terminal_prompt(context.cancel);
    if (!prompt) return missing_key_error().with_context(repository.error().message);
    DRS_ASSIGN_OR_RETURN(SecretBytes answer,
                         (*prompt)(fmt::format("Passphrase of {} (or the key, 64 hex digits): ", place.name)));
    DRS_ASSIGN_OR_RETURN(const Secret typed, secret_of_answer(std::move(answer)));
    repository = open_with(typed);
  }
  if (!repository.ok()) {
    // Only a repository that opens can be verified.
    if (is_lasting_damage(repository.error()))
      context.next_step =
          "put back what the message names, from a replica of the repository or a backup of its config/ and keys/; no "
          "command opens the repository before that, and its packs are not touched by it";
    return repository;
  }
  for (const std::string& warning : (*repository)->warnings()) context.log.warn("{}", warning);
  if (!(*repository)->config().encrypted)
    context.log.warn("this repository is NOT encrypted: whoever reads {} reads every backup in it", place.name);
  return repository;
}

Result<std::unique_ptr<Repository>> open_repository(CommandContext& context, Reads reads) {
  DRS_ASSIGN_OR_RETURN(const RepositoryPlace place, repository_place(context.options));
  DRS_ASSIGN_OR_RETURN(const Secret secret, take_secret(context, place));
  return open_repository(context, place, secret, reads);
}

void warn_of_other_owner(CommandContext& context, const RepositoryPlace& place) {
  if (place.kind != RepositoryPlace::Kind::kLocal) return;
  if (const std::string warning = other_owner_warning(place.name); !warning.empty()) context.log.warn("{}", warning);
}

// What cannot be cleaned now can be next time.
void clean_leftovers(CommandContext& context, const RepositoryPlace& place) {
  if (place.kind != RepositoryPlace::Kind::kLocal) return;
  const auto files = open_repository_files(place, context.options);
  if (!files.ok()) return;
  const auto cleaned = clean_incoming(**files, kIncomingAgeNs, context.clock.wall_ns());
  if (cleaned.ok() && *cleaned > 0) context.log.info("removed {} temporary files of interrupted pushes", *cleaned);
  if (!cleaned.ok()) context.log.debug("temporary files of interrupted pushes stay: {}", cleaned.error().message);
}

}  // namespace drs
