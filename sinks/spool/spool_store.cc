#include "sinks/spool/spool_store.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <list>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "codecs/sha256.h"
#include "io/base/byte_pieces.h"
#include "io/failpoint.h"
#include "io/helper_thread.h"
#include "sinks/forwarding_store.h"
#include "sinks/object_io.h"
#include "sinks/spool/spool_queue.h"
#include "sinks/spool/spool_uploader.h"

namespace drs {
namespace {

constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

Digest body_sha256(const PutOperation& operation) {
  Sha256 hash;
  for (const ByteView piece : operation.body) hash.update(piece);
  return hash.finish();
}

class SpoolStore final : public ForwardingStore {
 public:
  SpoolStore(std::shared_ptr<SpoolQueue> queue, const SpoolOptions& options, std::unique_ptr<ObjectStore> store,
             std::unique_ptr<ObjectStore> local)
      : ForwardingStore(std::move(store)), queue_(std::move(queue)), options_(options), local_(std::move(local)) {}

  // Operations still in flight are given up without their `done`.
  ~SpoolStore() override {
    for (Put& put : puts_) {
      stop_waiting(put);
      if (put.state == Put::State::kSpooling) queue_->give_back(put.bytes);
    }
    end_inner();
  }

  void put(PutOperation& operation) override {
    DRS_ASSERT(operation.key.empty() || is_valid_object_key(operation.key), "put with an invalid key");
    Put& put = puts_.emplace_back();
    put.outer = &operation;
    put.bytes = total_bytes(operation.body);
    if (!operation.key.empty()) take_name(put);
    advance(put);
  }

  void name(PutOperation& operation, ObjectKey key) override {
    DRS_ASSERT(is_valid_object_key(key), "name with an invalid key");
    Put& put = unnamed(operation);
    operation.key = std::move(key);
    take_name(put);
    const bool belongs_here = put.ruling.role == SpoolRole::kAnyOrder || put.ruling.role == SpoolRole::kInOrder;
    if (put.state == Put::State::kThrough) {
      inner().name(put.inner, operation.key);
    } else if (put.state == Put::State::kSpooling) {
      put.inner.sha256 = operation.sha256;
      if (belongs_here)
        local_->name(put.inner, operation.key);
      else
        local_->drop(put.inner);  // then started again where its name belongs
    }
  }

  void drop(PutOperation& operation) override {
    Put& put = unnamed(operation);
    put.dropped = true;
    if (put.state == Put::State::kThrough) inner().drop(put.inner);
    if (put.state == Put::State::kSpooling) local_->drop(put.inner);
  }

  void get(GetOperation& operation) override {
    DRS_ASSERT(is_valid_object_key(operation.key), "get with an invalid key");
    Get& get = gets_.emplace_back();
    get.outer = &operation;
    get.inner.key = operation.key;
    get.inner.offset_bytes = operation.offset_bytes;
    get.inner.destination = operation.destination;
    get.inner.owner = &get;
    get.inner.done = [](GetOperation& inner) { static_cast<Get*>(inner.owner)->ready = true; };
    get.from_spool = queue_->find(operation.key).has_value();
    if (const auto away = store_is_away(); away && !get.from_spool) {
      get.inner.result = *away;
      get.ready = true;
    } else {
      (get.from_spool ? *local_ : inner()).get(get.inner);
    }
  }

  Result<std::size_t> run(bool wait) override {
    for (;;) {
      const std::uint64_t version = queue_->version();
      for (Put& put : puts_) advance(put);
      // An error of the spool ends its operations, which then go to the store.
      static_cast<void>(local_->run(false));
      Result<std::size_t> moved = inner().run(false);
      for (Put& put : puts_) take_inner(put);
      for (Get& get : gets_) take_inner(get);
      const std::size_t finished = deliver();
      if (!moved.ok()) return moved;
      if (finished > 0 || !wait) {
        // Start what `done` submitted now: the caller may not run the store again for a while.
        static_cast<void>(local_->run(false));
        return finished;
      }
      if (woken_.exchange(false) || !wait_for_something(version)) return std::size_t{0};
    }
  }

  void wake() override {
    woken_ = true;
    inner().wake();
    queue_->wake();
  }
  [[nodiscard]] std::size_t in_flight() const override { return puts_.size() + gets_.size(); }

  Result<void> list_together(std::span<const std::string_view> prefixes, const Visit& visit) override {
    if (const auto away = store_is_away()) return *away;
    // List the spool first: what leaves it afterwards is in the store by then.
    std::vector<ObjectInfo> spooled;
    for (const std::string_view prefix : prefixes) {
      const std::vector<ObjectInfo> listed = queue_->list(prefix);
      spooled.insert(spooled.end(), listed.begin(), listed.end());
    }
    std::set<std::string_view> keys;
    for (const ObjectInfo& info : spooled) keys.insert(info.key);
    DRS_RETURN_IF_ERROR(inner().list_together(prefixes, [&](const ObjectInfo& info) -> Result<void> {
      if (keys.contains(info.key)) return {};
      return visit(info);
    }));
    for (const ObjectInfo& info : spooled) DRS_RETURN_IF_ERROR(visit(info));
    return {};
  }

  Result<ObjectInfo> stat(const ObjectKey& key) override {
    if (const auto bytes = queue_->find(key)) return ObjectInfo{key, *bytes, 0};
    if (const auto away = store_is_away()) return *away;
    return inner().stat(key);
  }

  Result<void> remove(const ObjectKey& key) override {
    queue_->begin_waiting();
    for (std::uint64_t version = queue_->version(); queue_->find(key) && !queue_->failure();
         version = queue_->version())
      queue_->wait_past(version);
    queue_->end_waiting();
    if (queue_->find(key)) return *queue_->failure();
    if (const auto away = store_is_away()) return *away;
    return inner().remove(key);
  }
  Result<void> remove_all(std::span<const ObjectKey> keys) override { return remove_each(*this, keys); }

  // Objects that may still wait in the spool are secured in the store later, just before the commit (SpoolSecure).
  Result<void> secure(const std::vector<ObjectKey>& keys) override {
    std::vector<ObjectKey> now;
    std::vector<ObjectKey> later;
    for (const ObjectKey& key : keys) (options_.rule(key).role == SpoolRole::kThrough ? now : later).push_back(key);
    queue_->secure_before_commit(std::move(later));
    return now.empty() ? Result<void>() : inner().secure(now);
  }
  void register_memory(MutableByteView memory) override { local_->register_memory(memory); }
  [[nodiscard]] StoreDescription describe() const override {
    StoreDescription description = ForwardingStore::describe();
    const StoreDescription local = local_->describe();
    description.io += ", spooled in " + local.name + " (" + local.io + ")";
    return description;
  }

 private:
  Result<std::unique_ptr<ObjectStore>> around(std::unique_ptr<ObjectStore> store) override {
    DRS_ASSIGN_OR_RETURN(auto local, local_->clone());
    return std::unique_ptr<ObjectStore>(
        std::make_unique<SpoolStore>(queue_, options_, std::move(store), std::move(local)));
  }

  struct Put {
    enum class State : std::uint8_t {
      kWaiting,   // for room in the spool
      kSpooling,  // on its way there
      kThrough,   // on its way to the store
      kRecorded,  // a commit in the spool, waiting for its upload
      kEnded,
    };
    PutOperation* outer = nullptr;
    PutOperation inner;
    State state = State::kWaiting;
    SpoolRuling ruling;
    std::uint64_t bytes = 0;
    std::uint64_t used_below_bytes = kNoLimit;  // see SpoolQueue::take_room
    bool named = false;
    bool dropped = false;
    bool inner_done = false;
    bool counted = false;  // counted in SpoolQueue::begin_waiting
    Result<void> result;
  };
  struct Get {
    GetOperation* outer = nullptr;
    GetOperation inner;
    bool from_spool = false;
    bool ready = false;
  };

  // The error that ended the uploads, if it means that the store cannot be reached: the spool sends it no more
  // requests.
  [[nodiscard]] std::optional<Error> store_is_away() const {
    auto failure = queue_->failure();
    if (failure && failure->code == ErrorCode::kUnavailable) return failure;
    return std::nullopt;
  }

  Put& unnamed(const PutOperation& operation) {
    const auto found =
        std::find_if(puts_.begin(), puts_.end(), [&](const Put& put) { return put.outer == &operation; });
    DRS_ASSERT(found != puts_.end() && !found->named && !found->dropped, "the put is not waiting for a name");
    return *found;
  }

  void take_name(Put& put) {
    put.named = true;
    put.ruling = options_.rule(put.outer->key);
    // A commit is small. The bytes that are uploaded later are compared with this digest.
    if (put.ruling.role == SpoolRole::kCommit) put.ruling.sha256 = body_sha256(*put.outer);
  }

  void wait_in_line(Put& put) {
    if (!put.counted) queue_->begin_waiting();
    put.counted = true;
  }
  void stop_waiting(Put& put) {
    if (put.counted) queue_->end_waiting();
    put.counted = false;
  }

  void end(Put& put, Result<void> result) {
    stop_waiting(put);
    put.result = std::move(result);
    put.state = Put::State::kEnded;
  }

  // Advances a put that neither store holds.
  void advance(Put& put) {
    if (put.state == Put::State::kRecorded) {
      const Result<bool> stored = queue_->take_commit_result(put.outer->key);
      if (!stored.ok())
        end(put, stored.error());
      else if (*stored)
        end(put, {});
      return;
    }
    if (put.state != Put::State::kWaiting) return;
    if (put.dropped) return end(put, Error(ErrorCode::kCancelled, "the put was dropped before it had a name"));
    if (put.named && put.ruling.role == SpoolRole::kThrough) return start(put, Put::State::kThrough);
    const bool commit = put.ruling.role == SpoolRole::kCommit;
    if (commit && queue_->is_recorded(put.outer->key, *put.ruling.sha256)) return upload_commit(put);
    switch (queue_->take_room(put.bytes, put.used_below_bytes,
                              commit ? SpoolQueue::Size::kUnlimited : SpoolQueue::Size::kLimited)) {
      case SpoolQueue::Room::kTaken: return start(put, Put::State::kSpooling);
      case SpoolQueue::Room::kThrough: return commit ? commit_through(put) : start(put, Put::State::kThrough);
      case SpoolQueue::Room::kLater: break;
    }
    wait_in_line(put);
    if (auto failure = queue_->failure(); failure && put.named) end(put, *std::move(failure));
  }

  void start(Put& put, Put::State where) {
    stop_waiting(put);
    put.state = where;
    put.inner_done = false;
    put.inner = PutOperation{.key = put.outer->key,
                             .body = put.outer->body,
                             .sha256 = put.outer->sha256,
                             .result = {},
                             .done = [](PutOperation& inner) { static_cast<Put*>(inner.owner)->inner_done = true; },
                             .owner = &put};
    (where == Put::State::kSpooling ? *local_ : inner()).put(put.inner);
  }

  // The spool takes nothing more. Everything that precedes the commit is in the store, so the commit goes there
  // directly.
  void commit_through(Put& put) {
    if (auto secured = queue_->secure_in(inner()); !secured.ok()) return end(put, std::move(secured));
    start(put, Put::State::kThrough);
  }

  void upload_commit(Put& put) {
    put.state = Put::State::kRecorded;
    wait_in_line(put);
    queue_->upload_commit(put.outer->key);
  }

  void take_inner(Put& put) {
    if (!put.inner_done || put.state == Put::State::kEnded) return;
    if (put.state == Put::State::kThrough) return end(put, std::move(put.inner.result));
    if (put.state != Put::State::kSpooling) return;
    put.inner_done = false;
    if (put.inner.result.ok()) put.inner.result = failpoint("spool.after_put");
    if (put.inner.result.ok()) {
      queue_->add({put.outer->key, put.bytes, put.ruling});
      if (put.ruling.role != SpoolRole::kCommit) return end(put, {});
      if (options_.on_recorded) options_.on_recorded();
      return upload_commit(put);
    }
    queue_->give_back(put.bytes);
    put.state = Put::State::kWaiting;
    const ErrorCode code = put.inner.result.error().code;
    if (put.dropped || code == ErrorCode::kAlreadyExists) return end(put, std::move(put.inner.result));
    // Skip this after our own drop of a put whose name does not belong here. There is room again when less is in use
    // than now. A spool that cannot be written is not used again.
    if (code == ErrorCode::kNoSpace)
      put.used_below_bytes = queue_->used_bytes();
    else if (code != ErrorCode::kCancelled)
      put.used_below_bytes = 0;
    advance(put);
  }

  void take_inner(Get& get) {
    const bool gone =
        get.ready && get.from_spool && !get.inner.result.ok() && get.inner.result.error().code == ErrorCode::kNotFound;
    if (!gone) return;
    // The object was uploaded and removed from the spool in the meantime.
    get.ready = false;
    get.from_spool = false;
    inner().get(get.inner);
  }

  // The lists must be complete first: `done` may start, name or drop operations.
  std::size_t deliver() {
    std::list<Put> puts;
    std::list<Get> gets;
    for (auto at = puts_.begin(); at != puts_.end();) {
      const auto put = at++;
      if (put->state == Put::State::kEnded) puts.splice(puts.end(), puts_, put);
    }
    for (auto at = gets_.begin(); at != gets_.end();) {
      const auto get = at++;
      if (get->ready) gets.splice(gets.end(), gets_, get);
    }
    for (Put& put : puts) {
      put.outer->result = std::move(put.result);
      put.outer->done(*put.outer);
    }
    for (Get& get : gets) {
      get.outer->result = std::move(get.inner.result);
      get.outer->done(*get.outer);
    }
    return puts.size() + gets.size();
  }

  // False if nothing can happen before the caller names a put.
  bool wait_for_something(std::uint64_t version) {
    bool local = false;
    bool through = false;
    bool queue = false;
    for (const Put& put : puts_) {
      if (!put.named && !put.dropped) continue;
      local = local || put.state == Put::State::kSpooling;
      through = through || put.state == Put::State::kThrough;
      queue = queue || put.state == Put::State::kRecorded || put.state == Put::State::kWaiting;
    }
    for (const Get& get : gets_) (get.from_spool ? local : through) = true;
    if (local)
      static_cast<void>(local_->run(true));
    else if (through)
      static_cast<void>(inner().run(true));
    else if (queue)
      queue_->wait_past(version);
    return local || through || queue;
  }

  const std::shared_ptr<SpoolQueue> queue_;
  const SpoolOptions options_;
  std::atomic<bool> woken_ = false;
  std::list<Put> puts_;  // before the local store, which borrows from it until it is destroyed
  std::list<Get> gets_;
  const std::unique_ptr<ObjectStore> local_;
};

// Takes over what an earlier process left in the spool. Its original order is unknown, so objects that need an order
// come last.
Result<void> take_over(ObjectStore& local, const SpoolRule& rule, SpoolQueue& queue) {
  std::vector<SpooledObject> in_order;
  DRS_RETURN_IF_ERROR(local.list("", [&](const ObjectInfo& info) -> Result<void> {
    SpooledObject object{info.key, info.size_bytes, rule(info.key)};
    switch (object.ruling.role) {
      case SpoolRole::kThrough: break;  // never spooled
      case SpoolRole::kAnyOrder: queue.add_found(std::move(object)); break;
      case SpoolRole::kInOrder:
      case SpoolRole::kCommit: in_order.push_back(std::move(object));
    }
    return {};
  }));
  for (SpooledObject& object : in_order) {
    if (object.ruling.role == SpoolRole::kCommit) {
      DRS_ASSIGN_OR_RETURN(const Bytes bytes, get_object(local, object.key, static_cast<std::size_t>(object.bytes)));
      object.ruling.sha256 = sha256(bytes);
    }
    queue.add_found(std::move(object));
  }
  return {};
}

}  // namespace

Spool::Spool(std::shared_ptr<SpoolQueue> queue, std::unique_ptr<ObjectStore> local, SpoolOptions options)
    : queue_(std::move(queue)), local_(std::move(local)), options_(std::move(options)) {}

Result<std::unique_ptr<Spool>> Spool::open(ObjectStore& store, std::unique_ptr<ObjectStore> local,
                                           SpoolOptions options) {
  auto queue = std::make_shared<SpoolQueue>(options.size_bytes_max, options.progress, options.secure);
  DRS_RETURN_IF_ERROR(take_over(*local, options.rule, *queue));
  DRS_ASSIGN_OR_RETURN(auto upload_store, store.clone());
  DRS_ASSIGN_OR_RETURN(auto upload_local, local->clone());
  std::unique_ptr<Spool> spool(new Spool(std::move(queue), std::move(local), std::move(options)));
  spool->uploader_ = std::make_unique<SpoolUploader>(
      *spool->queue_, std::move(upload_store), std::move(upload_local),
      SpoolUploader::Options{spool->options_.upload_bytes_max, spool->options_.retry_pause,
                             spool->options_.on_uploads_stopped});
  SpoolUploader* const uploader = spool->uploader_.get();
  DRS_ASSIGN_OR_RETURN(spool->thread_,
                       start_helper_thread([uploader] { uploader->run(); },
                                           [uploader](Error thrown) { uploader->fail(std::move(thrown)); }));
  return spool;
}

Spool::~Spool() {
  queue_->stop();
  if (thread_.joinable()) thread_.join();
}

Result<std::unique_ptr<ObjectStore>> Spool::wrap(std::unique_ptr<ObjectStore> store) {
  DRS_ASSIGN_OR_RETURN(auto local, local_->clone());
  return std::unique_ptr<ObjectStore>(
      std::make_unique<SpoolStore>(queue_, options_, std::move(store), std::move(local)));
}

std::vector<ObjectKey> Spool::recorded() const {
  return queue_->recorded();
}

Result<void> Spool::drain() {
  queue_->begin_waiting();
  for (;;) {
    const std::uint64_t version = queue_->version();
    if (queue_->failure() || !queue_->uploading()) break;
    queue_->wait_past(version);
  }
  queue_->end_waiting();
  if (auto failure = queue_->failure()) return *std::move(failure);
  return {};
}

void Spool::cancel() {
  queue_->fail({ErrorCode::kCancelled, "the uploads from the spool were cancelled"});
}

}  // namespace drs
