// drstream init: makes a repository and its first key slot.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <nlohmann/json.hpp>

#include "engine/format/names.h"
#include "engine/repository/lost_config.h"
#include "tools/cli/identity.h"
#include "tools/cli/option_builder.h"
#include "tools/command.h"
#include "tools/commands/from_repository.h"
#include "tools/repository/keys.h"
#include "tools/repository/open_repository.h"
#include "tools/repository/repository_directory.h"

namespace drs {
namespace {

enum class Encryption { kAes256Gcm, kNone };

struct InitCommand {
  Encryption encryption = Encryption::kAes256Gcm;
  FromOptions replica_of;
  std::string label;
};

constexpr std::string_view kKeyAdvice =
    "Keep the key apart from the repository and from this machine: in a password safe, and printed on paper.\n"
    "Without it nobody can ever read anything in this repository again. Prove that the copy works, from another\n"
    "machine or account: drstream key test. Add a second key for the day the first is lost: drstream key add.\n";

constexpr std::string_view kClearAdvice =
    "THIS REPOSITORY IS NOT ENCRYPTED: anyone who can read its place, a copy of it or its discarded disk can read "
    "every "
    "backup in it. Its master key is stored in it in clear. Encryption cannot be added later: it needs a new "
    "repository.";

Result<Secret> obtain_secret(CommandContext& context, const RepositoryLocation& place, Encryption encryption) {
  if (encryption == Encryption::kNone) {
    if (place.key.any() || key_is_supplied(context.options.key))
      return Error(ErrorCode::kUsage,
                   "--encryption none was given, but a key is supplied as well; give only one of them");
    return Secret{};
  }
  DRS_ASSIGN_OR_RETURN(Secret secret, take_secret(context, place));
  if (secret.kind != SlotKind::kClear) return secret;
  if (const auto prompt = terminal_prompt(context.cancel)) return prompt_new_secret(*prompt);
  return missing_key_error().with_context(
      "a new repository needs a key (openssl rand -hex 32 makes one), or --encryption none");
}

// Makes the directory if only its last component is missing. True: it was made.
Result<bool> make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0) return true;
  if (errno == EEXIST) {
    struct stat there {};
    if (::stat(path.c_str(), &there) == 0 && S_ISDIR(there.st_mode)) return false;
    if (errno == EACCES) return error_from_errno(errno, "look at '" + path + "'");
    return Error(ErrorCode::kUsage, "'" + path + "' exists and is not a directory" +
                                        (errno == ENOENT ? ", but a dangling link" : "") +
                                        "; name another place for the repository, or remove it");
  }
  const Error error = error_from_errno(errno, "make the directory '" + path + "'");
  if (error.code == ErrorCode::kNotFound || error.error_number == ENOTDIR)
    return Error(ErrorCode::kUsage, error.message + " (its parent must exist, and be a directory)", error.error_number);
  return error;
}

// The number of names below a new prefix that are checked, as many as one answer lists: a bucket may hold billions.
constexpr int kLookedAtBelow = 1000;

// The first prefix below the store's own that holds a config; empty: none among the names checked, or the credentials
// may not list.
Result<std::string> repository_below(ObjectStore& store) {
  std::string below;
  int seen = 0;
  const auto listed = store.list("", [&](const ObjectInfo& info) {
    const std::size_t cut = info.key.rfind("/" + std::string(name_prefix(ObjectKind::kConfig)));
    if (cut != std::string::npos && parse_name(info.key.substr(cut + 1))) below = info.key.substr(0, cut);
    const bool enough = !below.empty() || ++seen >= kLookedAtBelow;
    return enough ? Result<void>(Error(ErrorCode::kLimitMissed, "enough is listed")) : Result<void>();
  });
  const bool ended = !listed.ok() && (listed.error().code == ErrorCode::kLimitMissed ||  // by us
                                      listed.error().code == ErrorCode::kDenied);
  if (!listed.ok() && !ended) return listed.error();
  return below;
}

// As check_new_directory, for a bucket: no prefix above is a repository. Prefixes that the credentials may not read are
// skipped.
Result<void> check_new_prefix(CommandContext& context, const RepositoryLocation& place) {
  RepositoryLocation above = place;
  while (above.name.ends_with('/')) above.name.pop_back();
  const std::size_t bucket = above.name.find("://") + 3;
  for (std::size_t cut; (cut = above.name.rfind('/')) != std::string::npos && cut >= bucket;) {
    above.name.resize(cut);
    DRS_ASSIGN_OR_RETURN(const auto store, open_store(above, context.options, store_environment(context)));
    const auto found = holds_config(*store);
    if (!found.ok() && found.error().code != ErrorCode::kDenied) return found.error();
    if (found.ok() && *found)
      return Error(ErrorCode::kUsage, fmt::format("{} lies in the repository {}: a repository in another one would be "
                                                  "copied and removed with it; choose another prefix",
                                                  place.name, above.name));
  }
  DRS_ASSIGN_OR_RETURN(const auto store, open_store(place, context.options, store_environment(context)));
  DRS_ASSIGN_OR_RETURN(const std::string below, repository_below(*store));
  if (below.empty()) return {};
  return Error(ErrorCode::kUsage,
               fmt::format("{} holds the repository {} below it: it would be copied and removed with "
                           "the new one around it; choose another prefix",
                           place.name, below));
}

Result<ExitCode> run_init(CommandContext& context, const InitCommand& command) {
  const bool replica = !command.replica_of.place.empty();
  DRS_ASSIGN_OR_RETURN(const RepositoryLocation place,
                       repository_location(context.options, {&command.replica_of.place, 1}));
  // Before the other key is taken: that wipes the environment, which this key may come from.
  std::optional<Secret> from;
  std::optional<RepositoryLocation> origin;
  if (replica) {
    DRS_ASSIGN_OR_RETURN(origin, parse_repository_location(command.replica_of.place, context.options));
    DRS_ASSIGN_OR_RETURN(from, read_from_secret(context, *origin, command.replica_of));
  }
  DRS_ASSIGN_OR_RETURN(InitOptions options, [&]() -> Result<InitOptions> {
    InitOptions out;
    DRS_ASSIGN_OR_RETURN(out.secret, obtain_secret(context, place, command.encryption));
    return out;
  }());
  std::unique_ptr<Repository> source;
  if (replica) {
    DRS_ASSIGN_OR_RETURN(const Secret secret, from_secret(context, std::move(from), place, options.secret));
    DRS_ASSIGN_OR_RETURN(source, open_from_repository(context, *origin, command.replica_of, secret));
  }
  options.label = command.label;
  options.tool_version = version_line();
  const SlotKind kind = options.secret.kind;

  bool made = false;
  if (place.kind == RepositoryLocation::Kind::kLocal) {
    DRS_RETURN_IF_ERROR(check_new_directory(place.name));
    DRS_ASSIGN_OR_RETURN(made, make_directory(place.name));
    if (!made) warn_of_other_owner(context, place);
  } else {
    DRS_RETURN_IF_ERROR(check_new_prefix(context, place));
  }
  const auto create = [&]() -> Result<Uuid> {
    DRS_ASSIGN_OR_RETURN(auto store, open_store(context, place));
    if (replica) {
      DRS_RETURN_IF_ERROR(Repository::init_replica(*store, *source, {copy_of(options.secret), options.label}));
    } else {
      DRS_RETURN_IF_ERROR(Repository::init(*store, context.clock, options));
    }
    // Open it as every later command will.
    DRS_ASSIGN_OR_RETURN(const auto repository,
                         Repository::open(std::move(store), context.clock, options.secret, best_crypto_backend()));
    return repository->config().repository;
  };
  const auto id = create();
  if (!id.ok()) {
    if (made) ::rmdir(place.name.c_str());  // fails, as it should, if something was written
    return id.error();
  }

  nlohmann::ordered_json document;
  document["repository"] = id->hex();
  document["place"] = place.name;
  document["encryption"] = kind == SlotKind::kClear ? "none" : "aes-256-gcm";
  document["slot_kind"] = kind == SlotKind::kClear ? "clear" : kind == SlotKind::kRawKey ? "key" : "passphrase";
  if (replica) document["replica_of"] = origin->name;
  context.output.document("drstream.init/1", document);
  context.output.remark(replica ? fmt::format("made a replica of {}, repository {}, at {}: fill it with drstream copy",
                                              origin->name, id->hex(), place.name)
                                : fmt::format("made repository {} at {}", id->hex(), place.name));
  if (kind == SlotKind::kClear)
    context.log.warn("{}", kClearAdvice);
  else
    context.output.remark(kKeyAdvice);
  return ExitCode::kOk;
}

}  // namespace

void add_init_command(CommandSet& commands) {
  const auto command = std::make_shared<InitCommand>();
  CLI::App* const app = add_subcommand(commands.root(), "init", "Make a new repository",
                                       "  openssl rand -hex 32 > /etc/drstream/key; chmod 600 /etc/drstream/key\n"
                                       "  drstream init -r /var/backups/drs --key-file /etc/drstream/key\n"
                                       "  BACKUP_ENCRYPTION_KEY=<64 hex digits> drstream init -r /var/backups/drs\n"
                                       "  drstream init -r /var/backups/drs --passphrase-command 'pass show backups'\n"
                                       "  drstream init --replica-of /var/backups/drs \\\n"
                                       "    --from-key-file /etc/drstream/key \\\n"
                                       "    -r s3://bucket/drs --key-file /etc/drstream/offsite.key\n");
  add_choice<Encryption>(
      *app, "--encryption", command->encryption, {{"aes-256-gcm", Encryption::kAes256Gcm}, {"none", Encryption::kNone}},
      "Encryption of stored data (default aes-256-gcm); none: it is readable by anyone who can read the repository");
  add_text(*app, "--replica-of", command->replica_of.place, "PLACE",
           "Make a replica of this repository, with its id and master key, so that `drstream copy` stores its packs as "
           "they are; the key that opens the new one can be another");
  declare_from_key_options(*app, command->replica_of);
  add_text(*app, "--label", command->label, "TEXT", "What `key list` shows beside the new key slot");
  commands.add(
      {app, CommandEffect::kChanges, [command](CommandContext& context) { return run_init(context, *command); }});
}

}  // namespace drs
