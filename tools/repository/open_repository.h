// From --repository and the key options to an opened store or repository.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/repository/repository.h"
#include "io/file_system.h"
#include "sinks/object_store.h"
#include "tools/command.h"
#include "tools/repository/global_options.h"
#include "tools/repository/open_cloud.h"
#include "tools/repository/repository_location.h"

namespace drs {

// Where a repository is, independent of how it was named: the path of a directory without links; the URL and the server
// of a bucket, since two servers may have buckets of one name. One line. If that cannot be determined (the place could
// not be opened either), the place's name. `cancel` ends the wait for settings in a FIFO.
std::string location_address(const RepositoryLocation& place, CancelToken& cancel);

// The files of a local repository. Errors: kNoRepository when the directory is not there; kDenied.
Result<std::shared_ptr<FileSystem>> open_repository_files(const RepositoryLocation& place,
                                                          const GlobalOptions& options);
Result<std::unique_ptr<ObjectStore>> open_store(const RepositoryLocation& place, const GlobalOptions& options,
                                                const StoreEnvironment& opened_by = {});
// For a command: outages are reported to it, and it can be cancelled during one. The context must outlive the store.
StoreEnvironment store_environment(CommandContext& context);
// Likewise. Warns of --single-writer.
Result<std::unique_ptr<ObjectStore>> open_store(CommandContext& context, const RepositoryLocation& place);
// What --repository names.
Result<std::unique_ptr<ObjectStore>> open_store(CommandContext& context);

// The secret that opens a place: its own, else that of the key options, which can be taken only once in a process
// (tools/repository/keys.h). Logs warnings. Secret{} if none was given.
Result<Secret> take_secret(CommandContext& context, const RepositoryLocation& place);

// What a command reads of a repository. Only commands that prove or repair stored data bypass the local cache.
enum class Reads : std::uint8_t {
  kStored,     // anything, never from the cache
  kAny,        // anything
  kSnapshots,  // the snapshots, which are listed while the repository is opened (ListAhead)
  kData,       // the snapshots and their data, listed likewise
};

// Prompts on the terminal if the repository is encrypted and `secret` is Secret{}; logs warnings. Errors: those of
// open_store, of the keys, and of Repository::open. `listing` receives what was listed meanwhile.
Result<std::unique_ptr<Repository>> open_repository(CommandContext& context, const RepositoryLocation& place,
                                                    const Secret& secret, Reads reads = Reads::kAny,
                                                    Listing* listing = nullptr);
// What --repository names, with the key that is given for it.
Result<std::unique_ptr<Repository>> open_repository(CommandContext& context, Reads reads = Reads::kAny,
                                                    Listing* listing = nullptr);

// Warns if `place` is a directory of another user, who could not use the objects that this command stores. For every
// command that creates objects.
void warn_of_other_owner(CommandContext& context, const RepositoryLocation& place);
// Likewise for what --repository names.
void warn_of_other_owner(CommandContext& context);

// What to do about `error`, if it is a denied permission in a directory that has another owner or holds objects of
// another user; else empty.
std::string next_step_of_denied(const Error& error, const RepositoryLocation& place);

// Removes the temporary files of pushes and copies that died there, if it is a directory. Best effort.
void clean_leftovers(CommandContext& context, const RepositoryLocation& place);

}  // namespace drs
