// SpoolQueue: what the parts of a spool (sinks/spool_store.h) share: which objects lie in it, in which order they go to
// the store, how much room is left, and how the uploads end. Bookkeeping only: no I/O but for `secure_in`. Threads:
// any.
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

#include "io/bytes.h"
#include "io/progress.h"
#include "io/result.h"
#include "sinks/object_store.h"
#include "sinks/spool_rule.h"

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

  // --- For who puts. Room is taken before an object's bytes are written, and given back if it does not get there.
  enum class Room : std::uint8_t {
    kTaken,
    kLater,    // when something has left the spool
    kThrough,  // there is none, and nothing that could leave: straight to the store
  };
  // Room is given while less than `used_below_bytes` is in use: what an earlier try met as the disk's own limit. A
  // commit (`forced`) does not count against the size.
  Room take_room(std::uint64_t bytes, std::uint64_t used_below_bytes, bool forced);
  void give_back(std::uint64_t bytes);
  [[nodiscard]] std::uint64_t used_bytes() const;
  // The object is durable in the spool: it may be read, and is uploaded in its turn. It has its room, or was `found`
  // there.
  void add(SpooledObject object, bool found);

  // --- Commits: recorded by `add`, invisible to `find` and `list`, uploaded only once asked for.
  [[nodiscard]] std::vector<ObjectKey> recorded() const;
  [[nodiscard]] bool is_recorded(std::string_view key, const Digest& sha256) const;
  void upload_commit(const ObjectKey& key);
  // What shall be secured (SpoolSecure) before a commit is put into a store; and its being done there, as late as that.
  // Errors: those of SpoolSecure.
  void secure_before_commit(std::vector<ObjectKey> keys);
  [[nodiscard]] Result<void> secure_in(ObjectStore& store) const;
  // Whether it is in the store. Errors: that of its upload, given once, or the one that ended the uploads.
  Result<bool> take_commit_result(const ObjectKey& key);

  // --- For who reads: size of an object that lies in the spool.
  [[nodiscard]] std::optional<std::uint64_t> find(std::string_view key) const;
  [[nodiscard]] std::vector<ObjectInfo> list(std::string_view prefix) const;

  // --- Waiting. While somebody waits, an outage of the store is not waited out any longer than the store does.
  void begin_waiting();
  void end_waiting();
  [[nodiscard]] std::uint64_t version() const;  // counts the changes of everything here
  // Until something has changed since, or the time is over; at once after `stop`.
  void wait_past(std::uint64_t version, std::optional<std::chrono::milliseconds> longest = std::nullopt);
  // Whether something is on its way to the store.
  [[nodiscard]] bool uploading() const;
  void wake();  // a change of nothing: whoever waits looks around

  // --- The end. The first failure counts; uploads stop at it, and whoever waits for them gets it.
  void fail(Error error);
  [[nodiscard]] std::optional<Error> failure() const;
  void stop();  // the uploader shall leave; whoever waits gets kCancelled

  // --- For the uploader.
  // The next object to upload, unless it has to wait for those under way (`bytes_left`: what may be read into memory
  // beside them; not looked at when none is).
  std::optional<SpooledObject> next(std::uint64_t bytes_left);
  void stored(const SpooledObject& object, bool removed);               // in the store; `removed`: from the spool
  void commit_ended(const SpooledObject& object, Result<void> result);  // the commit's upload
  void again(SpooledObject object);                                     // first of all, when its time comes
  // `wake` is called at each change, and must not use the queue. Empty: no more.
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
  std::size_t under_way_ = 0;     // given by `next`
  std::uint64_t used_bytes_ = 0;  // of the spool, with what is being written
  std::size_t waiting_ = 0;
  std::uint64_t spooled_count_ = 0;
  std::uint64_t uploaded_count_ = 0;
  std::optional<Error> failure_;
  bool stopped_ = false;
  std::function<void()> wake_;
};

}  // namespace drs
