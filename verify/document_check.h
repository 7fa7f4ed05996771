// Reads every small object of a repository in full and checks it with the key: configs, slots, manifests, removal
// marks, retired objects, holds, sessions, records of condemned packs and what their deletion waits for, damage marks.
#pragma once

#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

#include "engine/format/names.h"
#include "verify/absent_objects.h"
#include "verify/check_context.h"

namespace drs {

class DocumentCheck {
 public:
  explicit DocumentCheck(CheckContext& context) : context_(context) {}

  // Lists the objects to check. Without `read_data` this leaves out manifests, removal marks and retired objects:
  // loading the catalog of snapshots has read them. Errors: the store's.
  Result<void> list(ObjectStore& store);
  [[nodiscard]] std::size_t count() const { return objects_.size(); }
  // Checks one of them. Any thread, each with a store of its own. Errors: those that do not concern one object.
  Result<void> check(std::size_t object, ObjectStore& store);
  // After all checks: AbsentObjects::check_again.
  Result<void> check_absent(ObjectStore& store);

  // Contents of the objects that were read; after all checks.
  [[nodiscard]] const std::unordered_set<Digest, FixedBytesHash>& config_digests() const { return config_digests_; }
  [[nodiscard]] const std::unordered_set<Digest, FixedBytesHash>& condemned() const { return condemned_; }

 private:
  struct Object {
    std::string key;
    std::uint64_t bytes = 0;
    ParsedName parsed;
  };
  ListedObject listed(std::size_t number, ObjectStore& store);
  // Damage of a manifest whose snapshot was removed is only a warning.
  Result<void> read(const Object& object, ObjectStore& store);
  Result<void> read_whole(const Object& object, ObjectStore& store);
  void report(const Object& object, const Error& error);
  Result<void> check_bytes(const Object& object, ByteView bytes);
  Result<void> check_body(const Object& object, ByteView bytes, ByteView body);
  Result<void> check_slot(const Object& object, ByteView bytes) const;

  CheckContext& context_;
  std::vector<Object> objects_;
  std::mutex mutex_;
  std::unordered_set<Digest, FixedBytesHash> config_digests_;
  std::unordered_set<Digest, FixedBytesHash> condemned_;
  AbsentObjects absent_;
};

}  // namespace drs
