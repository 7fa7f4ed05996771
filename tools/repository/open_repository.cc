#include "tools/repository/open_repository.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "codecs/crypto_backend.h"
#include "engine/format/object_rules.h"
#include "io/base/error_class.h"
#include "sinks/cache/cache_store.h"
#include "sinks/local/local_store.h"
#include "tools/repository/keys.h"
#include "tools/repository/open_cloud.h"
#include "tools/repository/repository_directory.h"

namespace drs {
namespace {

// Retired objects are not listed here, in parallel with the removal marks, but after them
// (load_snapshots).
constexpr std::array kSnapshotKinds = {ObjectKind::kManifest, ObjectKind::kRemoved, ObjectKind::kKept,
                                       ObjectKind::kHold};
constexpr std::array kDataKinds = {ObjectKind::kManifest, ObjectKind::kRemoved, ObjectKind::kCondemned,
                                   ObjectKind::kPack,     ObjectKind::kDamaged, ObjectKind::kIndex};

std::span<const ObjectKind> kinds_ahead(Reads reads) {
  switch (reads) {
    case Reads::kStored:
    case Reads::kAny: break;
    case Reads::kSnapshots: return kSnapshotKinds;
    case Reads::kData: return kDataKinds;
  }
  return {};
}

std::vector<CachedKind> cached_kinds() {
  std::vector<CachedKind> kinds;
  for (const ObjectRule& rule : object_rules())
    if (rule.cached) kinds.push_back({std::string(rule.prefix), rule.check});
  return kinds;
}

// $XDG_CACHE_HOME/drstream, or ~/.cache/drstream; without either /var/cache/drstream for root, and none for others.
std::string default_cache_dir() {
  const auto absolute = [](const char* variable) -> std::string_view {
    const char* const value = std::getenv(variable);
    return value != nullptr && *value == '/' ? value : "";
  };
  if (const auto cache = absolute("XDG_CACHE_HOME"); !cache.empty()) return std::string(cache) + "/drstream";
  if (const auto home = absolute("HOME"); !home.empty()) return std::string(home) + "/.cache/drstream";
  return ::geteuid() == 0 ? "/var/cache/drstream" : "";
}

// Adds the cache that the place asks for; returns the store unchanged without one, and for local repositories. `log`
// must outlive it.
std::unique_ptr<ObjectStore> with_cache(std::unique_ptr<ObjectStore> store, const RepositoryLocation& place,
                                        spdlog::logger& log) {
  const CacheOptions& options = place.cache;
  const std::string folder = options.folder.empty() ? default_cache_dir() : options.folder;
  if (place.kind == RepositoryLocation::Kind::kLocal || options.off || folder.empty()) return store;
  CacheFolder::Options shared{folder, options.size_bytes, {}, {}};
  shared.report = [&log](const std::string& text) { log.debug("{}", text); };
  shared.warn = [&log](const std::string& text) { log.warn("{}", text); };
  // The same bucket name on another server is another place.
  CacheStoreOptions cache{place.name + '\n' + store->io_description(), cached_kinds()};
  return make_cache_store(std::move(store), std::make_shared<CacheFolder>(std::move(shared)), std::move(cache));
}

}  // namespace

std::string location_address(const RepositoryLocation& place, CancelToken& cancel) {
  std::string address = place.name;
  if (place.kind == RepositoryLocation::Kind::kLocal) {
    std::error_code error;
    const auto path = std::filesystem::canonical(place.name, error);
    if (!error) address = path.string();
  } else {
    const StoreEnvironment opened_by{.cancel = &cancel};
    const bool s3 = place.kind == RepositoryLocation::Kind::kS3;
    const auto server = s3 ? s3_server(place, opened_by) : gcs_server(place, opened_by);
    if (server.ok()) address += " at " + *server;
  }
  std::replace(address.begin(), address.end(), '\n', ' ');
  return address;
}

Result<std::shared_ptr<FileSystem>> open_repository_files(const RepositoryLocation& place,
                                                          const GlobalOptions& options) {
  auto files = open_file_system(place.name, options.io);
  if (files.ok()) return std::shared_ptr<FileSystem>(*std::move(files));
  if (files.error().code == ErrorCode::kNotFound)
    return Error(ErrorCode::kNoRepository,
                 fmt::format("there is no repository at '{}': no such directory", place.name));
  return std::move(files).error();
}

Result<std::unique_ptr<ObjectStore>> open_store(const RepositoryLocation& place, const GlobalOptions& options,
                                                const StoreEnvironment& opened_by) {
  switch (place.kind) {
    case RepositoryLocation::Kind::kS3: return open_s3(place, opened_by);
    case RepositoryLocation::Kind::kGcs: return open_gcs(place, opened_by);
    case RepositoryLocation::Kind::kLocal: break;
  }
  DRS_ASSIGN_OR_RETURN(auto files, open_repository_files(place, options));
  return open_local_store(std::move(files), LocalStoreOptions{});
}

StoreEnvironment store_environment(CommandContext& context) {
  spdlog::logger& log = context.log;
  return {.cancel = &context.cancel, .report = [&log](const std::string& text) { log.warn("{}", text); }};
}

Result<std::unique_ptr<ObjectStore>> open_store(CommandContext& context, const RepositoryLocation& place) {
  if (place.cloud.single_writer && place.kind != RepositoryLocation::Kind::kLocal)
    context.log.warn(
        "--single-writer: {} is written without conditional writes; if anything else writes to it at the same time, "
        "backups can be lost",
        place.name);
  return open_store(place, context.options, store_environment(context));
}

Result<std::unique_ptr<ObjectStore>> open_store(CommandContext& context) {
  DRS_ASSIGN_OR_RETURN(const RepositoryLocation place, repository_location(context.options));
  return open_store(context, place);
}

Result<Secret> take_secret(CommandContext& context, const RepositoryLocation& place) {
  DRS_ASSIGN_OR_RETURN(SuppliedSecret supplied, place.key.any()
                                                    ? read_secret(place.key, context.cancel)
                                                    : take_supplied_secret(context.options.key, context.cancel));
  for (const std::string& warning : supplied.warnings) context.log.warn("{}", warning);
  return std::move(supplied.secret);
}

Result<std::unique_ptr<Repository>> open_repository(CommandContext& context, const RepositoryLocation& place,
                                                    const Secret& secret, Reads reads, Listing* listing) {
  const auto open_with = [&](const Secret& with) -> Result<std::unique_ptr<Repository>> {
    DRS_ASSIGN_OR_RETURN(auto store, open_store(context, place));
    if (reads != Reads::kStored) store = with_cache(std::move(store), place, context.log);
    return Repository::open(std::move(store), context.clock, with, best_crypto_backend(),
                            {kinds_ahead(listing == nullptr ? Reads::kAny : reads), listing});
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
    context.next_step = next_step_of_denied(repository.error(), place);
    // Only a repository that opens can be verified.
    if (is_lasting_damage(repository.error()))
      context.next_step =
          "put the named object back, from a replica of the repository or a backup of its config/ and keys/; until "
          "then no command can open the repository; its packs are not affected";
    return repository;
  }
  for (const std::string& warning : (*repository)->warnings()) context.log.warn("{}", warning);
  if (!(*repository)->config().encrypted)
    context.log.warn("this repository is NOT encrypted: anyone who can read {} can read every backup in it",
                     place.name);
  return repository;
}

Result<std::unique_ptr<Repository>> open_repository(CommandContext& context, Reads reads, Listing* listing) {
  DRS_ASSIGN_OR_RETURN(const RepositoryLocation place, repository_location(context.options));
  DRS_ASSIGN_OR_RETURN(const Secret secret, take_secret(context, place));
  return open_repository(context, place, secret, reads, listing);
}

void warn_of_other_owner(CommandContext& context, const RepositoryLocation& place) {
  if (place.kind != RepositoryLocation::Kind::kLocal) return;
  if (const std::string warning = other_owner_warning(place.name); !warning.empty()) context.log.warn("{}", warning);
}

void warn_of_other_owner(CommandContext& context) {
  const auto place = parse_repository_location(context.options.repository, context.options);
  if (place.ok()) warn_of_other_owner(context, *place);
}

std::string next_step_of_denied(const Error& error, const RepositoryLocation& place) {
  const bool denied = error.code == ErrorCode::kDenied && place.kind == RepositoryLocation::Kind::kLocal;
  return denied ? permission_advice(place.name) : "";
}

// The next command tries again.
void clean_leftovers(CommandContext& context, const RepositoryLocation& place) {
  if (place.kind != RepositoryLocation::Kind::kLocal) return;
  const auto files = open_repository_files(place, context.options);
  if (!files.ok()) return;
  const auto cleaned = clean_incoming(**files, kIncomingAgeNs, context.clock.wall_ns());
  if (cleaned.ok() && *cleaned > 0) context.log.info("removed {} temporary files of interrupted pushes", *cleaned);
  if (!cleaned.ok())
    context.log.debug("temporary files of interrupted pushes could not be removed: {}", cleaned.error().message);
}

}  // namespace drs
