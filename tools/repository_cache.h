// The local cache of a repository that is far away: which of its objects are kept, and where.
#pragma once

#include <memory>
#include <string>

#include "sinks/object_store.h"
#include "tools/global_options.h"
#include "tools/log.h"
#include "tools/repository_place.h"

namespace drs {

// `store`, which is at `place`, with the cache that the place asks for; as it is where it asks for none, and for local
// repositories. `log` must outlive it.
std::unique_ptr<ObjectStore> with_cache(std::unique_ptr<ObjectStore> store, const RepositoryPlace& place,
                                        spdlog::logger& log);

// $XDG_CACHE_HOME/drstream, or ~/.cache/drstream; without either /var/cache/drstream for root, and none for others.
std::string default_cache_dir();

}  // namespace drs
