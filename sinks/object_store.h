// An ObjectStore keeps named, immutable byte objects. The rest of drstream relies on these promises: a put that
// succeeded survives power loss, an object never changes, a put never replaces, and a later list shows every successful
// put. The write order in docs/FORMAT.md is built on them.
//
// Puts and gets are asynchronous. The caller owns the operation, a struct, and lends it to the store until the store
// runs `done`, always from inside `run`. All other calls block. Threads: one thread at a time uses an instance; `clone`
// makes an independent instance on the same objects, for a second thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/base/bytes.h"
#include "io/base/result.h"
#include "sinks/transport/request_counts.h"

namespace drs {

// A name such as "packs/3f/3fa0...": parts of [0-9a-z._-], not starting with '.', joined by '/'; at most 200 bytes.
using ObjectKey = std::string;
bool is_valid_object_key(std::string_view key);
// Whether a list takes it: empty, or a key followed by '/'.
bool is_valid_object_prefix(std::string_view prefix);
Result<void> check_object_prefix(std::string_view prefix);  // kUsage if it is invalid

struct ObjectInfo {
  ObjectKey key;
  std::uint64_t size_bytes = 0;
  std::int64_t modified_ns = 0;  // by the clock of the store, since 1970; 0 if unknown
  // The store bills the object for at least this many days, also if it is removed before. 0: no such time, or unknown.
  std::uint16_t billed_days = 0;
  // Not before the object got its bytes and its name at this place; 0: as modified_ns. In a folder it is later than
  // that once the file was copied there, moved, or touched in any way.
  std::int64_t changed_ns = 0;
};

struct PutOperation {
  ObjectKey key;               // may be empty: see ObjectStore::put
  std::vector<ByteView> body;  // the object is their concatenation; borrowed until done
  // Of the body, if the caller has it: some stores need it, and then do not compute it again. Set it before the
  // operation has its key.
  std::optional<Digest> sha256 = {};
  // Errors: kAlreadyExists (the name is taken, perhaps by an earlier attempt of this put), kUnavailable (outcome
  // unknown; settle both: sinks/settled_put.h), kIo and kBusy (failed, or no thread; the object may still appear),
  // kNoSpace and kDenied (it stays absent).
  Result<void> result;
  void (*done)(PutOperation&) = nullptr;
  void* owner = nullptr;  // for the caller
};

struct GetOperation {
  ObjectKey key;
  std::uint64_t offset_bytes = 0;
  MutableByteView destination;
  // Bytes delivered: destination.size(), or fewer only where the object ends. Errors: kNotFound, kUnavailable, kDenied,
  // kIo, kBusy (no thread could be started).
  Result<std::size_t> result = std::size_t{0};
  void (*done)(GetOperation&) = nullptr;
  void* owner = nullptr;
};

// Properties of a store that never change.
struct StoreTraits {
  // How many operations run at once; more may be submitted, and wait.
  std::size_t parallel_max = 1;
  // Memory that the store allocates for each operation in flight; 0 if it is negligible. A store that needs some is
  // remote, and needs several operations in flight to be fast.
  std::size_t operation_bytes = 0;
  // Whether `secure` has an effect.
  bool secures = false;
  // Whether the store locks objects against removal and replacement for a period (--lock-days).
  bool locks = false;
};

// For people. `io` may change while the store is in use.
struct StoreDescription {
  std::string name;  // "/var/backups/drs"
  std::string io;    // "io_uring, registered buffers, O_DIRECT"
};

// No function has a default, so every store and decorator decides on each (sinks/forwarding_store.h: decorators).
class ObjectStore {
 public:
  // Gives up operations in flight without running `done`; they and their memory belong to the caller again.
  virtual ~ObjectStore() = default;
  // Starts storing `operation.body`. With an empty key the store may write the bytes already, but the object does not
  // exist until `name` gives it its key; a store that cannot do that waits for the name. `drop` ends an operation that
  // will never be named. `done` does not run before one of the two. A key must be valid (asserted), and no key may be a
  // whole-part prefix of another ("a" and "a/b").
  virtual void put(PutOperation& operation) = 0;
  // Gives a key to an operation that was put without one. `key` must be valid.
  virtual void name(PutOperation& operation, ObjectKey key) = 0;
  // Gives up a put without a key: `done` runs with kCancelled, and nothing of it remains.
  virtual void drop(PutOperation& operation) = 0;
  virtual void get(GetOperation& operation) = 0;
  // Advances operations; with `wait` and some in flight, blocks until at least one is done. Returns how many were done,
  // and 0 if all in flight wait for a name. `done` may start further operations. Errors: kIo (the store itself failed),
  // kBusy (no thread); every operation in flight has then ended, and its `done` has run.
  virtual Result<std::size_t> run(bool wait) = 0;
  // From any thread: ends a waiting `run` soon, although nothing is done, so that its caller can submit more. A store
  // whose operations take milliseconds may ignore it.
  virtual void wake() = 0;
  [[nodiscard]] virtual std::size_t in_flight() const = 0;

  // Visits the objects whose key starts with one of `prefixes`, in no order. A prefix consists of whole parts and ends
  // in '/', or is empty for all objects (else kUsage). A prefix without objects is no error. The prefixes must be
  // independent of each other: a remote store lists them at the same time.
  using Visit = std::function<Result<void>(const ObjectInfo&)>;
  virtual Result<void> list_together(std::span<const std::string_view> prefixes, const Visit& visit) = 0;
  Result<void> list(std::string_view prefix, const Visit& visit) { return list_together(std::span(&prefix, 1), visit); }
  virtual Result<ObjectInfo> stat(const ObjectKey& key) = 0;  // kNotFound
  // Durable when it returns. Errors: kNotFound, if the store can tell; the caller knows whether that matters.
  virtual Result<void> remove(const ObjectKey& key) = 0;
  // Removes several, in no order, and ignores missing ones. Durable when it returns. On error some may already be
  // removed; returns one of the failures.
  virtual Result<void> remove_all(std::span<const ObjectKey> keys) = 0;

  // Call it before the put of an object that relies on others, by whichever writer they were put. Makes them last as if
  // they were put now: they survive power loss, even if their own put never ended. If the store locks objects, extends
  // their locks to its period and at least a day more, so that a push of less than a day need not extend its own;
  // leaves a lock that lasts long enough. Looks each object up after that. No effect if the store does not secure.
  // Errors: kIo (an object is missing: it was listed, and has vanished); kUsage (the place cannot lock objects);
  // kDenied, kUnavailable.
  virtual Result<void> secure(const std::vector<ObjectKey>& keys) = 0;

  virtual Result<std::unique_ptr<ObjectStore>> clone() = 0;
  // Announces memory that operations will use, for registered buffers. Best effort.
  virtual void register_memory(MutableByteView memory) = 0;
  [[nodiscard]] virtual StoreTraits traits() const = 0;
  [[nodiscard]] virtual StoreDescription describe() const = 0;
  // Of this instance and all its clones. Empty if requests are not billed.
  [[nodiscard]] virtual std::vector<RequestCount> request_counts() const = 0;

  [[nodiscard]] std::size_t parallel_max() const { return traits().parallel_max; }
  [[nodiscard]] std::size_t operation_bytes() const { return traits().operation_bytes; }
  [[nodiscard]] bool secures() const { return traits().secures; }
  [[nodiscard]] bool locks() const { return traits().locks; }
  [[nodiscard]] std::string name_for_messages() const { return describe().name; }
  [[nodiscard]] std::string io_description() const { return describe().io; }
};

// The `remove_all` of a store that removes one object after the other.
Result<void> remove_each(ObjectStore& store, std::span<const ObjectKey> keys);

// The error of `secure` for a missing object.
Error vanished(const ObjectStore& store, const ObjectKey& key);

}  // namespace drs
