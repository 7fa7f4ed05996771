#include "tools/repository_cache.h"

#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "sinks/cache_store.h"

namespace drs {
namespace {

// What opening a repository and deduplicating read again and again, and what checks itself (docs/FORMAT.md "Objects").
// Not config/: the next repository under this name has the same names. Not keys/: a slot that was removed must not live
// on here, and one without a passphrase holds the key itself.
std::vector<CachedKind> cached_kinds() {
  return {{"index/", CacheEntry::Check::kNameIsDigest},
          {"manifests/", CacheEntry::Check::kEndsInDigest},
          {"removed/", CacheEntry::Check::kEndsInDigest}};
}

}  // namespace

std::unique_ptr<ObjectStore> with_cache(std::unique_ptr<ObjectStore> store, const RepositoryPlace& place,
                                        const CacheOptions& options, spdlog::logger& log) {
  const std::string folder = options.folder.empty() ? default_cache_dir() : options.folder;
  if (place.kind == RepositoryPlace::Kind::kLocal || options.off || folder.empty()) return store;
  CacheFolder::Options shared{folder, options.size_bytes, {}, {}};
  shared.tell = [&log](const std::string& text) { log.debug("{}", text); };
  shared.warn = [&log](const std::string& text) { log.warn("{}", text); };
  // The same bucket name on another server is another place.
  CacheStoreOptions cache{place.name + '\n' + store->io_description(), cached_kinds()};
  return make_cache_store(std::move(store), std::make_shared<CacheFolder>(std::move(shared)), std::move(cache));
}

std::string default_cache_dir() {
  const auto absolute = [](const char* variable) -> std::string_view {
    const char* const value = std::getenv(variable);
    return value != nullptr && *value == '/' ? value : "";
  };
  if (const auto cache = absolute("XDG_CACHE_HOME"); !cache.empty()) return std::string(cache) + "/drstream";
  if (const auto home = absolute("HOME"); !home.empty()) return std::string(home) + "/.cache/drstream";
  return ::geteuid() == 0 ? "/var/cache/drstream" : "";
}

}  // namespace drs
