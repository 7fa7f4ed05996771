// From --repository and the key options to an opened store or repository.
#pragma once

#include <memory>

#include "engine/repository/repository.h"
#include "engine/repository/snapshots.h"
#include "io/file_system.h"
#include "tools/command.h"
#include "tools/heads.h"

namespace drs {

// What --repository names: a directory or a URL. Errors: kUsage (none given; a URL that this build does not serve).
Result<std::string> repository_place(const GlobalOptions& options);
bool repository_is_local(const GlobalOptions& options);

// Of a local repository. Errors: as repository_place; kNoRepository when the directory is not there; kDenied.
Result<std::shared_ptr<FileSystem>> open_repository_files(const GlobalOptions& options);
Result<std::unique_ptr<ObjectStore>> open_store(const GlobalOptions& options);

// Takes the key (tools/keys.h), asks on the terminal where the repository is encrypted and none was given, and tells
// warnings. Errors: those of open_store, of the keys, and of Repository::open.
Result<std::unique_ptr<Repository>> open_repository(CommandContext& context);

// The heads of this machine for a repository.
HeadDirectory head_directory(const CommandContext& context, const Repository& repository);

// Warns of everything in the catalog that is damaged, missing, or older than the heads recorded here. Returns how much.
std::size_t warn_of_catalog(CommandContext& context, const Repository& repository, const SnapshotCatalog& catalog);

}  // namespace drs
