// An ObjectStore keeps named, immutable byte objects. The rest of drstream relies on these promises: a put that
// succeeded survives power loss, an object never changes, a put never replaces, and a later list shows every successful
// put. The write order in docs/FORMAT.md is built on them.
//
// Puts and gets are asynchronous: the operation is a struct of the caller's, which the store owns from the call until
// it runs `done`, from inside `run` and never earlier. Everything else blocks. Threads: one thread at a time uses an
// instance. `another` makes an independent instance on the same objects, for a second thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/bytes.h"
#include "io/result.h"
#include "sinks/request_counts.h"

namespace drs {

// A name such as "packs/3f/3fa0...": parts of [0-9a-z._-], not starting with '.', joined by '/'; at most 200 bytes.
using ObjectKey = std::string;
bool is_valid_object_key(std::string_view key);
// What `list` takes: empty, or a key followed by '/'.
bool is_valid_object_prefix(std::string_view prefix);

struct ObjectInfo {
  ObjectKey key;
  std::uint64_t size_bytes = 0;
  std::int64_t modified_ns = 0;  // the store's clock, since 1970; 0 where unknown
};

struct PutOperation {
  ObjectKey key;               // may be empty at `put`: see there
  std::vector<ByteView> body;  // the object is these, end to end; borrowed until done
  // Of the body, where the caller has it: some stores have their server check it, and need not compute it again. To be
  // set before the operation has its key.
  std::optional<Digest> sha256 = {};
  // Errors: kAlreadyExists (taken, whatever by; the object there is untouched), kUnavailable (outcome unknown: settle
  // it by reading), kIo and kBusy (failed, or no thread; it may still appear), kNoSpace and kDenied (it stays away).
  Result<void> result;
  void (*done)(PutOperation&) = nullptr;
  void* owner = nullptr;  // the caller's own
};

struct GetOperation {
  ObjectKey key;
  std::uint64_t offset_bytes = 0;
  MutableByteView destination;
  // Bytes delivered: destination.size(), or fewer only where the object ends. Errors: kNotFound, kUnavailable, kDenied,
  // kIo, kBusy (no thread is to be had).
  Result<std::size_t> result = std::size_t{0};
  void (*done)(GetOperation&) = nullptr;
  void* owner = nullptr;
};

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;
  // Starts storing `operation.body`. With an empty key the store may write the bytes already, but the object does not
  // exist until `name` gives it its key; a store that cannot do that waits for the name. An operation that will never
  // be named is ended by `drop`. Until one of them is called `done` does not run, whatever happens. A key must be valid
  // (asserted), and no key may be a whole-part prefix of another ("a" and "a/b").
  virtual void put(PutOperation& operation) = 0;
  // The key of an operation that was put without one. `key` must be valid.
  virtual void name(PutOperation& operation, ObjectKey key) = 0;
  // Gives up a put that has no name yet: `done` runs with kCancelled, and nothing of it stays.
  virtual void drop(PutOperation& operation) = 0;
  virtual void get(GetOperation& operation) = 0;
  // Moves operations on; with `wait` and some in flight, blocks until at least one is done. Returns how many were done:
  // 0 also when all that is in flight waits for its name. `done` may start further operations. Errors: kIo when the
  // store itself broke, kBusy for want of a thread; every operation in flight was ended (its `done` has run) before.
  virtual Result<std::size_t> run(bool wait) = 0;
  // From any thread: a `run` that waits returns soon although nothing is done. For who has more to submit; a store
  // whose operations take no longer than milliseconds need not hear it.
  virtual void wake() = 0;
  [[nodiscard]] virtual std::size_t in_flight() const = 0;
  // Operations that make sense at once; more may be submitted and wait their turn.
  [[nodiscard]] virtual std::size_t parallel_max() const = 0;
  // Memory of the store's own that each operation in flight takes, beside the caller's: 0 where nothing is worth
  // counting. A store that needs some is far away, and wants several operations in flight to be fast.
  [[nodiscard]] virtual std::size_t operation_bytes() const = 0;

  // Objects whose key starts with `prefix` (whole parts, ending in '/', or empty for all; else kUsage), in no order. An
  // empty answer is no error.
  using Visit = std::function<Result<void>(const ObjectInfo&)>;
  virtual Result<void> list(std::string_view prefix, const Visit& visit) = 0;
  // Several lists, none of which may depend on another having been made before: a store that is far away makes them at
  // the same time.
  virtual Result<void> list_together(std::span<const std::string_view> prefixes, const Visit& visit);
  virtual Result<ObjectInfo> stat(const ObjectKey& key) = 0;  // kNotFound
  // Durable when it returns. kNotFound is an error too, where the store can tell: the caller knows whether it matters.
  virtual Result<void> remove(const ObjectKey& key) = 0;
  // Several, in no order; what is not there is passed over. Durable when it returns. Errors: of one of those that stay;
  // others may be gone.
  virtual Result<void> remove_all(std::span<const ObjectKey> keys);

  // Before an object is put that relies on others, put by whomever: makes sure that these last as if they were put now.
  // They survive power loss, also where their own put never ended, and where the store locks objects, they are locked
  // (`retain`). Each is looked up after that. Errors: kIo (one of them is not there: it was listed, and has vanished),
  // those of `retain`, the store's. Where `secures` says no, there is nothing to do.
  virtual Result<void> secure(const std::vector<ObjectKey>& keys);
  [[nodiscard]] virtual bool secures() const { return locks(); }

  // Whether what is put here cannot be removed or replaced for a while, by nobody whom the store holds to it
  // (--lock-days).
  [[nodiscard]] virtual bool locks() const { return false; }
  // Protects objects that are there already as if they were put now: for the store's period, and at least a day more,
  // so that a push of less than a day need not come back to its own. What is protected long enough is left as it is.
  // Only where `locks`. Errors: kNotFound; kUsage (the place cannot lock objects); kDenied, kUnavailable.
  virtual Result<void> retain(const std::vector<ObjectKey>& keys);

  virtual Result<std::unique_ptr<ObjectStore>> another() = 0;
  // Of this instance and all others made from the same by `another`. Empty where nobody bills requests.
  [[nodiscard]] virtual std::vector<RequestCount> request_counts() const { return {}; }
  // Memory that operations' bytes will lie in, for registered buffers. Best effort.
  virtual void register_memory(MutableByteView memory) = 0;
  [[nodiscard]] virtual std::string name_for_messages() const = 0;  // "/var/backups/drs"
  [[nodiscard]] virtual std::string io_description() const = 0;     // "io_uring, registered buffers, O_DIRECT"
};

// The error of `secure` for an object that is not there.
Error vanished(const ObjectStore& store, const ObjectKey& key);

// Blocking forms for small objects: start one operation and run the store until it is done.
// `sha256`: of the body, where the caller has it.
Result<void> put_object(ObjectStore& store, const ObjectKey& key, ByteView body,
                        const std::optional<Digest>& sha256 = {});
// For a name that nobody gives to other bytes: their digest, or a random number. Where the outcome is unknown or the
// name is taken - an earlier answer was lost - the object is read, and the same bytes are a success. kAlreadyExists: it
// holds others.
Result<void> put_own_object(ObjectStore& store, const ObjectKey& key, ByteView body);
// The whole object. kCorrupt when it is larger than `size_bytes_max` (checked before memory is taken).
Result<Bytes> get_object(ObjectStore& store, const ObjectKey& key, std::size_t size_bytes_max);
// The same for objects that a list has named, so that none need be asked for its size, several at a time. `visit` takes
// each object's place in `objects` and its bytes, in the order in which they come, or why it could not be read:
// kCorrupt as above, kTruncated when it is shorter than listed, the store's. What `visit` returns ends it.
Result<void> get_objects(ObjectStore& store, std::span<const ObjectInfo> objects, std::size_t size_bytes_max,
                         const std::function<Result<void>(std::size_t, Result<Bytes>)>& visit);
// Exactly destination.size() bytes from the offset; kTruncated if the object ends before.
Result<void> get_range(ObjectStore& store, const ObjectKey& key, std::uint64_t offset_bytes,
                       MutableByteView destination);

// One of several ranges that are read at the same time.
struct RangeRead {
  ObjectKey key;
  std::uint64_t offset_bytes = 0;
  MutableByteView destination;
  Result<void> result;  // as get_range
};
// Errors: of `run`; each read has its own result.
Result<void> get_ranges(ObjectStore& store, std::span<RangeRead> reads);

}  // namespace drs
