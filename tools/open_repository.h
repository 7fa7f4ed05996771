// From --repository and the key options to an opened store or repository.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "engine/repository/repository.h"
#include "io/file_system.h"
#include "tools/command.h"
#include "tools/open_s3.h"
#include "tools/repository_place.h"

namespace drs {

// Of a local repository. Errors: kNoRepository when the directory is not there; kDenied.
Result<std::shared_ptr<FileSystem>> open_repository_files(const RepositoryPlace& place, const GlobalOptions& options);
Result<std::unique_ptr<ObjectStore>> open_store(const RepositoryPlace& place, const GlobalOptions& options,
                                                const StoreSurroundings& opened_by = {});
// Of a command: it hears of an outage, and may be cancelled in it. The context must outlive the store.
StoreSurroundings store_surroundings(CommandContext& context);
// With those surroundings. Warns of --single-writer. The context must outlive
// the store.
Result<std::unique_ptr<ObjectStore>> open_store(CommandContext& context, const RepositoryPlace& place);
// What --repository names.
Result<std::unique_ptr<ObjectStore>> open_store(CommandContext& context);

// The secret that opens a place: its own, else that of the key options (tools/keys.h: those are taken once in the life
// of a process). Tells warnings. Nothing was given: Secret{}.
Result<Secret> take_secret(CommandContext& context, const RepositoryPlace& place);

// What a command reads of a repository. Only proving or mending what is stored goes without the local cache.
enum class Reads : std::uint8_t {
  kStored,     // anything, nothing of it from the cache
  kAny,        // anything
  kSnapshots,  // the snapshots, which are listed while the repository is opened (Repository::open)
  kData,       // the snapshots and their data, all listed likewise
};

// Asks on the terminal where the repository is encrypted and `secret` is Secret{}; tells warnings. Errors: those of
// open_store, of the keys, and of Repository::open.
Result<std::unique_ptr<Repository>> open_repository(CommandContext& context, const RepositoryPlace& place,
                                                    const Secret& secret, Reads reads = Reads::kAny);
// What --repository names, with the key that is given for it.
Result<std::unique_ptr<Repository>> open_repository(CommandContext& context, Reads reads = Reads::kAny);

// Warns where `place` is a directory of another user, who could not use what this command stores.
void warn_of_other_owner(CommandContext& context, const RepositoryPlace& place);

// Removes the temporary files of pushes and copies that died there, where it is a directory. Best effort.
void clean_leftovers(CommandContext& context, const RepositoryPlace& place);

}  // namespace drs
