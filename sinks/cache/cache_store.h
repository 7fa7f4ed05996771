// An ObjectStore around any other one that keeps small, frequently read objects also on local disk, in a CacheFolder
// that several stores and processes may share. The caller says which kinds of objects to keep; each must be checkable
// without a key (KeylessCheck).
//
// The store alone decides what exists: an object is served from the folder only after a list by this store (any of its
// instances) has shown it. So a removed object is gone, a new object is read back from the store itself, and a bucket
// that was emptied and refilled under its old name is seen as it is. The folder finds an object that is named by its
// SHA-256 by that name, and any other by its place, name, size and creation time; it keeps none whose store reports no
// creation time.
//
// Puts of objects named by their digest fill the folder, and so do reads. A read of a small object, or a large read of
// any object, fetches the whole object in pieces of bounded size, checks it, and answers from the file. Small reads of
// large objects go to the store until then, so that reading the end of each of many objects does not fetch them all. If
// anything is wrong with the folder, or with the bytes to be kept, the read goes to the store as if there were no
// cache.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "codecs/keyless_check.h"
#include "sinks/cache/cache_folder.h"
#include "sinks/object_store.h"

namespace drs {

struct CachedKind {
  std::string prefix;  // "index/"
  KeylessCheck check = KeylessCheck::kNameIsDigest;
};

struct CacheStoreOptions {
  std::string place;  // URL and server; distinguishes this store's objects from those of others
  std::vector<CachedKind> kinds;
};

// Owns `inner`; every `clone` shares `folder`.
std::unique_ptr<ObjectStore> make_cache_store(std::unique_ptr<ObjectStore> inner, std::shared_ptr<CacheFolder> folder,
                                              CacheStoreOptions options);

}  // namespace drs
