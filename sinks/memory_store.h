// A store in memory, for tests and for what must not touch a disk. It keeps the contract of ObjectStore, except that
// nothing survives the process. Its objects live in a MemoryObjects, which instances share and a test may damage.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "io/base/bytes.h"
#include "io/base/clock.h"
#include "sinks/object_store.h"

namespace drs {

// The objects themselves. Any thread.
class MemoryObjects {
 public:
  struct Object {
    std::shared_ptr<const Bytes> bytes;
    std::int64_t modified_ns = 0;
  };
  // Creates the object; false if the name is taken.
  bool insert(const ObjectKey& key, Bytes bytes, std::int64_t modified_ns);
  // Empty if there is no such object.
  [[nodiscard]] std::optional<Object> find(const ObjectKey& key) const;
  bool erase(const ObjectKey& key);  // false if there was none
  [[nodiscard]] std::vector<ObjectInfo> list(std::string_view prefix) const;
  // Makes stores of these objects lock (StoreTraits::locks); `locked` counts how often each was locked.
  void lock_objects();
  [[nodiscard]] bool locks() const;
  void lock(const ObjectKey& key);
  [[nodiscard]] std::map<ObjectKey, int, std::less<>> locked() const;
  // Replaces the bytes under a name, as damage would; no store can do that. Creates the object if it is absent.
  void damage(const ObjectKey& key, Bytes bytes);

 private:
  mutable std::mutex mutex_;
  std::map<ObjectKey, Object, std::less<>> objects_;
  bool locks_ = false;
  std::map<ObjectKey, int, std::less<>> locked_;
};

// `clock` dates the objects and must outlive the store and all its clones. If it is null, the creation time of every
// object is 0, which means unknown.
std::unique_ptr<ObjectStore> make_memory_store(std::shared_ptr<MemoryObjects> objects, const Clock* clock = nullptr);

}  // namespace drs
