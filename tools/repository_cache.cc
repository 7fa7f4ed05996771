#include "tools/repository_cache.h"

#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "engine/format/object_rules.h"
#include "sinks/cache_store.h"

namespace drs {
namespace {

std::vector<CachedKind> cached_kinds() {
  std::vector<CachedKind> kinds;
  for (const ObjectRule& rule : object_rules())
    if (rule.cached)
      kinds.push_back({std::string(rule.prefix), rule.check == KeylessCheck::kNameIsDigest
                                                     ? CacheEntry::Check::kNameIsDigest
                                                     : CacheEntry::Check::kEndsInDigest});
  return kinds;
}

}  // namespace

std::unique_ptr<ObjectStore> with_cache(std::unique_ptr<ObjectStore> store, const RepositoryPlace& place,
                                        spdlog::logger& log) {
  const CacheOptions& options = place.cache;
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
