// SpoolQueue: the state that the parts of a spool (sinks/spool/spool_store.h) share: the objects in it, their upload
// order, the room left, and the results of uploads. It does no I/O except in `secure_in`. Threads: any.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "io/base/bytes.h"
#include "io/base/progress.h"
#include "io/base/result.h"
#include "sinks/object_store.h"
#include "sinks/spool/spool_rule.h"

namespace drs {

struct SpooledObject {
  ObjectKey key;
  std::uint64_t bytes = 0;
  SpoolRuling ruling;
};

class SpoolQueue {
 public:
  // `progress` (may be null) must outlive the queue. `secure` may be empty (SpoolOptions).
  SpoolQueue(std::uint64_t size_bytes_max, ProgressCounters* progress, SpoolSecure secure)
      : size_bytes_max_(size_bytes_max), progress_(progress), secure_(std::move(secure)) {}

  // --- For puts. Take room before writing the bytes of an object, and give it back if the write fails.
  enum class Room : std::uint8_t {
    kTaken,
    kLater,    // wait until an object has left the spool
    kThrough,  // the object does not fit, and nothing can leave: put it directly into the store
  };
  enum class Size : std::uint8_t {
    kLimited,    // the object must fit into `size_bytes_max`
    kUnlimited,  // a commit always fits
  };
  // Gives room only while less than `used_below_bytes` is in use: the capacity of the disk, as an earlier attempt found
  // it.
  Room take_room(std::uint64_t bytes, std::uint64_t used_below_bytes, Size size);
  void give_back(std::uint64_t bytes);
  [[nodiscard]] std::uint64_t used_bytes() const;
  // The object is durable in the spool: from now on it can be read, and it is uploaded in its turn. The caller has
  // taken its room.
  void add(SpooledObject object);
  // The same for an object that an earlier process left in the spool. Takes its room, whatever the limit.
  void add_found(SpooledObject object);

  // --- Commits. `add` records them; `find` and `list` do not show them; `upload_commit` starts their upload.
  [[nodiscard]] std::vector<ObjectKey> recorded() const;
  [[nodiscard]] bool is_recorded(std::string_view key, const Digest& sha256) const;
  void upload_commit(const ObjectKey& key);
  // Adds keys that `secure_in` secures in the store (SpoolSecure) just before a commit is put there. Errors: those of
  // SpoolSecure.
  void secure_before_commit(std::vector<ObjectKey> keys);
  [[nodiscard]] Result<void> secure_in(ObjectStore& store) const;
  // Whether the commit is in the store. Errors: that of its upload, returned once, or the one that ended the uploads.
  Result<bool> take_commit_result(const ObjectKey& key);

  // --- For reads: the size of an object in the spool.
  [[nodiscard]] std::optional<std::uint64_t> find(std::string_view key) const;
  [[nodiscard]] std::vector<ObjectInfo> list(std::string_view prefix) const;

  // --- Waiting. While a caller waits, an outage of the store is not retried beyond the budget of the store itself.
  void begin_waiting();
  void end_waiting();
  [[nodiscard]] std::uint64_t version() const;  // increases with every change of the queue
  // Returns after a change since `version`, when `longest` is over, or at once after `stop`.
  void wait_past(std::uint64_t version, std::optional<std::chrono::milliseconds> longest = std::nullopt);
  // Whether an upload is queued or in flight.
  [[nodiscard]] bool uploading() const;
  void wake();  // wakes every waiter without a change

  // --- The end. The first failure is kept; uploads stop at it, and every waiter for them gets it.
  void fail(Error error);
  [[nodiscard]] std::optional<Error> failure() const;
  void stop();  // ends the uploader; every waiter gets kCancelled

  // --- For the uploader.
  // The next object to upload, unless it has to wait for uploads in flight. `bytes_left`: memory for it beside them;
  // ignored if there are none.
  std::optional<SpooledObject> next(std::uint64_t bytes_left);
  enum class Copy : std::uint8_t { kRemoved, kLeft };                   // the object's bytes in the spool
  void stored(const SpooledObject& object, Copy copy);                  // the object is in the store
  void commit_ended(const SpooledObject& object, Result<void> result);  // of the upload of the commit
  void again(SpooledObject object);                                     // puts the object back at the head of the queue
  // Calls `wake` after each change, with the queue locked: `wake` must not use the queue. Empty: no further calls.
  void wake_at_changes(std::function<void()> wake);
  [[nodiscard]] bool anybody_waits() const;
  [[nodiscard]] bool stopped() const;

 private:
  void changed_locked();

  const std::uint64_t size_bytes_max_;
  ProgressCounters* const progress_;
  const SpoolSecure secure_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t version_ = 0;
  std::map<ObjectKey, std::uint64_t, std::less<>> objects_;        // readable: key and size
  std::map<ObjectKey, SpooledObject, std::less<>> commits_;        // recorded
  std::map<ObjectKey, Result<void>, std::less<>> commit_results_;  // not taken yet
  std::vector<ObjectKey> to_secure_;
  std::deque<SpooledObject> queue_;
  std::size_t under_way_ = 0;     // returned by `next` and not ended
  std::uint64_t used_bytes_ = 0;  // in the spool, including objects being written
  std::size_t waiting_ = 0;
  std::uint64_t spooled_count_ = 0;
  std::uint64_t uploaded_count_ = 0;
  std::optional<Error> failure_;
  bool stopped_ = false;
  std::function<void()> wake_;
};

}  // namespace drs
