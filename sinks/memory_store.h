// A store in memory, for tests and for what must not touch a disk. It keeps the contract of ObjectStore except that
// nothing survives the process. Its objects live in a MemoryObjects that instances share and that a test may damage.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "io/bytes.h"
#include "io/clock.h"
#include "sinks/object_store.h"

namespace drs {

// The objects themselves. Any thread.
class MemoryObjects {
 public:
  struct Object {
    std::shared_ptr<const Bytes> bytes;
    std::int64_t modified_ns = 0;
  };
  // Create-if-absent; false when the name is taken.
  bool insert(const ObjectKey& key, Bytes bytes, std::int64_t modified_ns);
  // Empty when there is no such object.
  [[nodiscard]] std::optional<Object> find(const ObjectKey& key) const;
  bool erase(const ObjectKey& key);  // false when it was not there
  [[nodiscard]] std::vector<ObjectInfo> list(std::string_view prefix) const;
  // Makes stores of these objects lock (ObjectStore::locks); `retained` counts how often each was retained.
  void lock_objects();
  [[nodiscard]] bool locks() const;
  void retain(const ObjectKey& key);
  [[nodiscard]] std::map<ObjectKey, int, std::less<>> retained() const;
  // What no store can do: replaces the bytes under a name, as damage would. Creates the object if absent.
  void damage(const ObjectKey& key, Bytes bytes);

 private:
  mutable std::mutex mutex_;
  std::map<ObjectKey, Object, std::less<>> objects_;
  bool locks_ = false;
  std::map<ObjectKey, int, std::less<>> retained_;
};

// `clock` (may be null: all objects are then of time 0) dates the objects and must outlive the store and all
// `another`s.
std::unique_ptr<ObjectStore> make_memory_store(std::shared_ptr<MemoryObjects> objects, const Clock* clock = nullptr);

}  // namespace drs
