#include "sinks/spool_uploader.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "codecs/sha256.h"
#include "io/failpoint.h"

namespace drs {
namespace {

constexpr std::size_t kComparedBytes = 1 * kMiB;  // of a stored object, at a time

}  // namespace

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
    // What they report comes with the operations: both end all of them before.
    static_cast<void>(local_->run(false));
    static_cast<void>(store_->run(false));
    bool moved = false;
    for (auto at = uploads_.begin(); at != uploads_.end();) {
      Upload& upload = *at++;  // finishing it takes it out
      if (upload.read && !upload.put_started) {
        start_put(upload);
        moved = true;
      } else if (upload.put_done) {
        finish(upload);
        moved = true;
      }
    }
    if (moved) continue;
    // The spool's reads take milliseconds, and the queue wakes whoever waits for the store.
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
  // Codes that mean something about the store must not come from the spool.
  if (!upload.get.result.ok())
    return refuse({ErrorCode::kIo, "the spool cannot be read: " + upload.get.result.error().message,
                   upload.get.result.error().error_number});
  const Digest digest = sha256(upload.bytes());
  const auto& expected = upload.object.ruling.sha256;
  if (*upload.get.result != upload.object.bytes || (expected && *expected != digest))
    return refuse({ErrorCode::kCorrupt, local_->name_for_messages() + "/" + upload.object.key +
                                            " is not what was written there: the spool's disk is faulty"});
  if (upload.object.ruling.role == SpoolRole::kCommit) {
    // A snapshot that exists lasts as a whole.
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
  Result<void> result = settle(upload, std::move(upload.put.result));
  if (result.ok()) result = failpoint("spool.after_upload");
  const bool unavailable = !result.ok() && result.error().code == ErrorCode::kUnavailable;
  if (unavailable && !queue_.anybody_waits()) {
    not_before_ = std::chrono::steady_clock::now() + options_.retry_pause;
    queue_.again(std::move(upload.object));
  } else if (commit) {
    queue_.commit_ended(upload.object, std::move(result));
  } else if (!result.ok()) {
    fail(std::move(result).error());
    queue_.again(std::move(upload.object));
  } else {
    // What cannot be removed goes on taking room; whoever ends the spool meets the same error.
    const bool removed = local_->remove(upload.object.key).ok();
    queue_.stored(upload.object, removed);
  }
  memory_bytes_ -= upload.bytes().size() + store_->operation_bytes();
  uploads_.remove_if([&](const Upload& other) { return &other == &upload; });
}

void SpoolUploader::fail(Error error) {
  if (options_.on_failure && !queue_.failure()) options_.on_failure(error);
  queue_.fail(std::move(error));
}

// A name that is taken by the same bytes is a success: an earlier upload got there. Who commits looks by itself.
Result<void> SpoolUploader::settle(const Upload& upload, Result<void> result) {
  const bool taken = !result.ok() && result.error().code == ErrorCode::kAlreadyExists;
  if (!taken || upload.object.ruling.role == SpoolRole::kCommit) return result;
  DRS_ASSIGN_OR_RETURN(const bool same, is_stored(upload));
  if (same) return {};
  return Error{ErrorCode::kCorrupt, store_->name_for_messages() + "/" + upload.object.key +
                                        " is there already, but holds other bytes than the object just spooled"};
}

Result<bool> SpoolUploader::is_stored(const Upload& upload) {
  DRS_ASSIGN_OR_RETURN(const ObjectInfo info, store_->stat(upload.object.key));
  if (info.size_bytes != upload.object.bytes) return false;
  const ByteView bytes = upload.bytes();
  Bytes piece(std::min<std::size_t>(kComparedBytes, bytes.size()));
  for (std::size_t at = 0; at < bytes.size();) {
    const auto view = MutableByteView(piece).first(std::min(piece.size(), bytes.size() - at));
    DRS_RETURN_IF_ERROR(get_range(*store_, upload.object.key, at, view));
    if (!std::equal(view.begin(), view.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at))) return false;
    at += view.size();
  }
  return true;
}

}  // namespace drs
