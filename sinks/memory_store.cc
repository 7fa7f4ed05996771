#include "sinks/memory_store.h"

#include <algorithm>
#include <utility>

namespace drs {
namespace {

Bytes joined(const std::vector<ByteView>& pieces) {
  Bytes bytes;
  for (const ByteView piece : pieces) bytes.insert(bytes.end(), piece.begin(), piece.end());
  return bytes;
}

Error not_found(const ObjectKey& key) {
  return Error(ErrorCode::kNotFound, "memory/" + key + " is not there");
}

class MemoryStore final : public ObjectStore {
 public:
  MemoryStore(std::shared_ptr<MemoryObjects> objects, const Clock* clock)
      : objects_(std::move(objects)), clock_(clock) {}

  void put(PutOperation& operation) override {
    DRS_ASSERT(operation.key.empty() || is_valid_object_key(operation.key), "put with an invalid key");
    (operation.key.empty() ? unnamed_ : puts_).push_back(&operation);
  }

  void name(PutOperation& operation, ObjectKey key) override {
    DRS_ASSERT(is_valid_object_key(key), "name with an invalid key");
    take_unnamed(operation);
    operation.key = std::move(key);
    puts_.push_back(&operation);
  }

  void drop(PutOperation& operation) override {
    take_unnamed(operation);
    dropped_.push_back(&operation);
  }

  void get(GetOperation& operation) override {
    DRS_ASSERT(is_valid_object_key(operation.key), "get with an invalid key");
    gets_.push_back(&operation);
  }

  Result<std::size_t> run(bool /*wait*/) override {
    // Taken out first: `done` may start further operations, which belong to the next run.
    const auto puts = std::exchange(puts_, {});
    const auto dropped = std::exchange(dropped_, {});
    const auto gets = std::exchange(gets_, {});
    for (PutOperation* put : puts) finish(*put);
    for (PutOperation* put : dropped) {
      put->result = Error(ErrorCode::kCancelled, "the put was dropped before it had a name");
      put->done(*put);
    }
    for (GetOperation* get : gets) finish(*get);
    return puts.size() + dropped.size() + gets.size();
  }

  void wake() override {}
  [[nodiscard]] std::size_t in_flight() const override {
    return unnamed_.size() + puts_.size() + dropped_.size() + gets_.size();
  }

  Result<void> list_together(std::span<const std::string_view> prefixes, const Visit& visit) override {
    for (const std::string_view prefix : prefixes) {
      DRS_RETURN_IF_ERROR(check_object_prefix(prefix));
      for (const ObjectInfo& info : objects_->list(prefix)) DRS_RETURN_IF_ERROR(visit(info));
    }
    return {};
  }

  Result<ObjectInfo> stat(const ObjectKey& key) override {
    const auto object = objects_->find(key);
    if (!object) return not_found(key);
    return ObjectInfo{key, object->bytes->size(), object->modified_ns};
  }

  Result<void> remove(const ObjectKey& key) override {
    if (!objects_->erase(key)) return not_found(key);
    return {};
  }

  Result<void> remove_all(std::span<const ObjectKey> keys) override { return remove_each(*this, keys); }

  Result<void> secure(const std::vector<ObjectKey>& keys) override {
    if (!objects_->locks()) return {};
    for (const ObjectKey& key : keys) {
      if (!objects_->find(key)) return vanished(*this, key);
      objects_->lock(key);
    }
    return {};
  }

  Result<std::unique_ptr<ObjectStore>> clone() override { return make_memory_store(objects_, clock_); }
  void register_memory(MutableByteView /*memory*/) override {}
  [[nodiscard]] StoreTraits traits() const override {
    return {.parallel_max = 4, .operation_bytes = 0, .secures = objects_->locks(), .locks = objects_->locks()};
  }
  [[nodiscard]] StoreDescription describe() const override { return {"memory", "memory"}; }
  [[nodiscard]] std::vector<RequestCount> request_counts() const override { return {}; }

 private:
  void take_unnamed(PutOperation& operation) {
    const auto found = std::find(unnamed_.begin(), unnamed_.end(), &operation);
    DRS_ASSERT(found != unnamed_.end(), "the put is not waiting for a name");
    unnamed_.erase(found);
  }

  void finish(PutOperation& put) {
    const std::int64_t now_ns = clock_ == nullptr ? 0 : clock_->wall_ns();
    put.result = Result<void>{};
    if (!objects_->insert(put.key, joined(put.body), now_ns)) {
      put.result = Error(ErrorCode::kAlreadyExists, "memory/" + put.key + " is there already");
    }
    put.done(put);
  }

  void finish(GetOperation& get) {
    const auto object = objects_->find(get.key);
    if (!object) {
      get.result = not_found(get.key);
    } else {
      const ByteView bytes = *object->bytes;
      const auto from = static_cast<std::size_t>(std::min<std::uint64_t>(get.offset_bytes, bytes.size()));
      const std::size_t count = std::min(get.destination.size(), bytes.size() - from);
      std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(from), count, get.destination.begin());
      get.result = count;
    }
    get.done(get);
  }

  const std::shared_ptr<MemoryObjects> objects_;
  const Clock* const clock_;
  std::vector<PutOperation*> unnamed_;
  std::vector<PutOperation*> puts_;
  std::vector<PutOperation*> dropped_;
  std::vector<GetOperation*> gets_;
};

}  // namespace

bool MemoryObjects::insert(const ObjectKey& key, Bytes bytes, std::int64_t modified_ns) {
  const std::scoped_lock lock(mutex_);
  return objects_.try_emplace(key, Object{std::make_shared<const Bytes>(std::move(bytes)), modified_ns}).second;
}

std::optional<MemoryObjects::Object> MemoryObjects::find(const ObjectKey& key) const {
  const std::scoped_lock lock(mutex_);
  const auto found = objects_.find(key);
  if (found == objects_.end()) return std::nullopt;
  return found->second;
}

bool MemoryObjects::erase(const ObjectKey& key) {
  const std::scoped_lock lock(mutex_);
  return objects_.erase(key) != 0;
}

std::vector<ObjectInfo> MemoryObjects::list(std::string_view prefix) const {
  const std::scoped_lock lock(mutex_);
  std::vector<ObjectInfo> infos;
  for (auto at = objects_.lower_bound(prefix); at != objects_.end() && at->first.starts_with(prefix); ++at) {
    infos.push_back({at->first, at->second.bytes->size(), at->second.modified_ns});
  }
  return infos;
}

void MemoryObjects::lock_objects() {
  const std::scoped_lock lock(mutex_);
  locks_ = true;
}

bool MemoryObjects::locks() const {
  const std::scoped_lock lock(mutex_);
  return locks_;
}

void MemoryObjects::lock(const ObjectKey& key) {
  const std::scoped_lock lock(mutex_);
  ++locked_[key];
}

std::map<ObjectKey, int, std::less<>> MemoryObjects::locked() const {
  const std::scoped_lock lock(mutex_);
  return locked_;
}

void MemoryObjects::damage(const ObjectKey& key, Bytes bytes) {
  const std::scoped_lock lock(mutex_);
  objects_[key].bytes = std::make_shared<const Bytes>(std::move(bytes));
}

std::unique_ptr<ObjectStore> make_memory_store(std::shared_ptr<MemoryObjects> objects, const Clock* clock) {
  return std::make_unique<MemoryStore>(std::move(objects), clock);
}

}  // namespace drs
