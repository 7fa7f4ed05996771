// A store whose small and often needed objects are also kept on local disk: an ObjectStore around any other one, with a
// CacheFolder that several stores and processes may share. Which kinds of objects are kept its caller says; they must
// be ones that can be checked without a key (sinks/cache_folder.h).
//
// What exists is always the store's to say: an object is served from the folder only when a list by this store
// (any of its instances) has shown it. So what was removed is gone, what was just put is read back from the store
// itself, and a bucket that was emptied and filled anew under its old name is seen as it is. An object named by its
// SHA-256 is found in the folder by that name. Any other is found by the place it is at, its name, its size and the
// time at which the store says it was made; where the store tells no time it is not kept.
//
// The folder is filled by puts of objects that are named by their digest, and by reads. A read of an object that is
// small, or a large read of any, fetches the whole object in pieces of bounded size, checks it, and then answers from
// the file; small reads of large objects go to the store until then, so that looking at the end of each of many does
// not fetch them all. Whatever is wrong with the folder, or with the bytes that would be kept in it, the read goes to
// the store as if there were no cache.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sinks/cache_folder.h"
#include "sinks/object_store.h"

namespace drs {

struct CachedKind {
  std::string prefix;  // "index/"
  CacheEntry::Check check = CacheEntry::Check::kNameIsDigest;
};

struct CacheStoreOptions {
  std::string place;  // tells this store's objects from those of others: URL and server
  std::vector<CachedKind> kinds;
};

// `inner` is owned; `folder` shared with every `another`.
std::unique_ptr<ObjectStore> make_cache_store(std::unique_ptr<ObjectStore> inner, std::shared_ptr<CacheFolder> folder,
                                              CacheStoreOptions options);

}  // namespace drs
