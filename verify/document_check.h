// Every small object of a repository, read whole and checked with the key: configs, slots, manifests, removal marks,
// sessions, records of condemned packs, damage marks.
#pragma once

#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

#include "engine/format/names.h"
#include "verify/check_context.h"

namespace drs {

class DocumentCheck {
 public:
  explicit DocumentCheck(CheckContext& context) : context_(context) {}

  // Lists the objects to check: with `read_data` all, else all but manifests and removal marks, which the catalog of
  // snapshots has read. Errors: the store's.
  Result<void> list(ObjectStore& store);
  [[nodiscard]] std::size_t count() const { return objects_.size(); }
  // Checks one of them. Any thread, each with a store of its own. Errors: those that are not about one object.
  Result<void> check(std::size_t object, ObjectStore& store);
  // After all checks: lists again what was listed and not found, and reports what is listed still. Errors: as check.
  Result<void> check_absent(ObjectStore& store);

  // What the objects said; after all checks.
  [[nodiscard]] const std::unordered_set<Digest, FixedBytesHash>& config_digests() const { return config_digests_; }
  [[nodiscard]] const std::unordered_set<Digest, FixedBytesHash>& condemned() const { return condemned_; }

 private:
  struct Object {
    std::string key;
    std::uint64_t bytes = 0;
    ParsedName parsed;
  };
  Result<void> read(const Object& object, ObjectStore& store);
  void report(const Object& object, const Error& error);
  Result<void> check_bytes(const Object& object, ByteView bytes);
  Result<void> check_body(const Object& object, ByteView bytes, ByteView body);
  Result<void> check_slot(const Object& object, ByteView bytes) const;

  CheckContext& context_;
  std::vector<Object> objects_;
  std::mutex mutex_;
  std::unordered_set<Digest, FixedBytesHash> config_digests_;
  std::unordered_set<Digest, FixedBytesHash> condemned_;
  std::vector<std::size_t> absent_;  // objects that were not found
};

}  // namespace drs
