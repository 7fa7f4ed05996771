#include "sinks/spool/spool_uploader.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "codecs/sha256.h"
#include "io/failpoint.h"
#include "sinks/object_io.h"
#include "sinks/settled_put.h"

namespace drs {

struct SpoolUploader::Upload {
  SpooledObject object;
  BufferArena memory;
  GetOperation get = {};
  PutOperation put = {};
  bool read = false;
  bool put_started = false;
  bool put_done = false;
  [[nodiscard]] MutableByteView bytes() const { return memory.whole().first(static_cast<std::size_t>(object.bytes)); }
};

SpoolUploader::SpoolUploader(SpoolQueue& queue, std::unique_ptr<ObjectStore> store, std::unique_ptr<ObjectStore> local,
                             Options options)
    : queue_(queue), options_(std::move(options)), local_(std::move(local)), store_(std::move(store)) {
  queue_.wake_at_changes([this] { store_->wake(); });
}

SpoolUploader::~SpoolUploader() {
  queue_.wake_at_changes({});
}

void SpoolUploader::run() {
  while (!queue_.stopped()) {
    const std::uint64_t version = queue_.version();
    const bool pausing = std::chrono::steady_clock::now() < not_before_;
    if (!pausing) start_next();
    // A failure of `run` needs no handling: both stores have ended all operations before they report it.
    static_cast<void>(local_->run(false));
    static_cast<void>(store_->run(false));
    bool moved = false;
    for (auto at = uploads_.begin(); at != uploads_.end();) {
      Upload& upload = *at++;  // `finish` removes it from the list
      if (upload.read && !upload.put_started) {
        start_put(upload);
        moved = true;
      } else if (upload.put_done) {
        finish(upload);
        moved = true;
      }
    }
    if (moved) continue;
    // Reads of the spool take milliseconds, and the queue wakes callers that wait for the store.
    if (std::any_of(uploads_.begin(), uploads_.end(), [](const Upload& upload) { return !upload.read; }))
      static_cast<void>(local_->run(true));
    else if (!uploads_.empty())
      static_cast<void>(store_->run(true));
    else if (pausing)
      queue_.wait_past(version, options_.retry_pause);
    else
      queue_.wait_past(version);
  }
}

void SpoolUploader::start_next() {
  for (;;) {
    const std::uint64_t taken_bytes = memory_bytes_ + store_->operation_bytes();
    const std::uint64_t left =
        options_.upload_bytes_max - std::min<std::uint64_t>(taken_bytes, options_.upload_bytes_max);
    std::optional<SpooledObject> object = queue_.next(left);
    if (!object) return;
    auto memory = BufferArena::map(std::max<std::size_t>(static_cast<std::size_t>(object->bytes), 1));
    if (!memory.ok()) {
      fail(std::move(memory).error().with_context("upload " + object->key));
      queue_.again(*std::move(object));
      return;
    }
    memory_bytes_ += object->bytes + store_->operation_bytes();
    Upload& upload = uploads_.emplace_back(Upload{.object = *std::move(object), .memory = *std::move(memory)});
    upload.get.key = upload.object.key;
    upload.get.destination = upload.bytes();
    upload.get.owner = &upload;
    upload.get.done = [](GetOperation& get) { static_cast<Upload*>(get.owner)->read = true; };
    local_->get(upload.get);
  }
}

void SpoolUploader::start_put(Upload& upload) {
  upload.put_started = true;
  const auto refuse = [&](Error error) {
    upload.put.result = std::move(error);
    upload.put_done = true;
  };
  // The spool must not end an upload with a code that describes the store.
  if (!upload.get.result.ok())
    return refuse({ErrorCode::kIo, "the spool cannot be read: " + upload.get.result.error().message,
                   upload.get.result.error().error_number});
  const Digest digest = sha256(upload.bytes());
  const auto& expected = upload.object.ruling.sha256;
  if (*upload.get.result != upload.object.bytes || (expected && *expected != digest))
    return refuse({ErrorCode::kCorrupt, local_->name_for_messages() + "/" + upload.object.key +
                                            " is not what was written there: the spool's disk is faulty"});
  if (upload.object.ruling.role == SpoolRole::kCommit) {
    // Everything that a snapshot relies on must last as long as the snapshot.
    if (auto secured = queue_.secure_in(*store_); !secured.ok()) return refuse(std::move(secured).error());
  }
  upload.put.key = upload.object.key;
  upload.put.body = {upload.bytes()};
  upload.put.sha256 = digest;
  upload.put.owner = &upload;
  upload.put.done = [](PutOperation& put) { static_cast<Upload*>(put.owner)->put_done = true; };
  store_->put(upload.put);
}

void SpoolUploader::finish(Upload& upload) {
  const bool commit = upload.object.ruling.role == SpoolRole::kCommit;
  const auto is_outage = [&](const Result<void>& ended) {
    return !ended.ok() && ended.error().code == ErrorCode::kUnavailable && !queue_.anybody_waits();
  };
  Result<void> result = std::move(upload.put.result);
  // A put that an outage ended is repeated after the outage, and settled then. The writer of a commit settles it
  // itself.
  if (!commit && !is_outage(result))
    result = settle_put(*store_, upload.object.key, upload.bytes(), std::move(result), {.sha256 = upload.put.sha256})
                 .result();
  if (result.ok()) result = failpoint("spool.after_upload");
  if (is_outage(result)) {
    not_before_ = std::chrono::steady_clock::now() + options_.retry_pause;
    queue_.again(std::move(upload.object));
  } else if (commit) {
    queue_.commit_ended(upload.object, std::move(result));
  } else if (!result.ok()) {
    fail(std::move(result).error());
    queue_.again(std::move(upload.object));
  } else {
    // An object that cannot be removed keeps its room; the owner of the spool meets the same error when it ends the
    // spool.
    const bool removed = local_->remove(upload.object.key).ok();
    queue_.stored(upload.object, removed ? SpoolQueue::Copy::kRemoved : SpoolQueue::Copy::kLeft);
  }
  memory_bytes_ -= upload.bytes().size() + store_->operation_bytes();
  uploads_.remove_if([&](const Upload& other) { return &other == &upload; });
}

void SpoolUploader::fail(Error error) {
  if (options_.on_failure && !queue_.failure()) options_.on_failure(error);
  queue_.fail(std::move(error));
}

}  // namespace drs
