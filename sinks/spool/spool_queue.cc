#include "sinks/spool/spool_queue.h"

#include <utility>

namespace drs {

SpoolQueue::Room SpoolQueue::take_room(std::uint64_t bytes, std::uint64_t used_below_bytes, Size size) {
  const std::lock_guard lock(mutex_);
  const bool below = used_bytes_ < used_below_bytes;
  if (below && (size == Size::kUnlimited || (bytes <= size_bytes_max_ && used_bytes_ <= size_bytes_max_ - bytes))) {
    used_bytes_ += bytes;
    return Room::kTaken;
  }
  return objects_.empty() && under_way_ == 0 ? Room::kThrough : Room::kLater;
}

void SpoolQueue::give_back(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  used_bytes_ -= bytes;
  changed_locked();
}

std::uint64_t SpoolQueue::used_bytes() const {
  const std::lock_guard lock(mutex_);
  return used_bytes_;
}

void SpoolQueue::add_found(SpooledObject object) {
  {
    const std::lock_guard lock(mutex_);
    used_bytes_ += object.bytes;
  }
  add(std::move(object));
}

void SpoolQueue::add(SpooledObject object) {
  const std::lock_guard lock(mutex_);
  if (object.ruling.role == SpoolRole::kCommit) {
    const ObjectKey key = object.key;
    commits_.emplace(key, std::move(object));
  } else {
    objects_.emplace(object.key, object.bytes);
    queue_.push_back(std::move(object));
    ++spooled_count_;
  }
  changed_locked();
}

std::vector<ObjectKey> SpoolQueue::recorded() const {
  const std::lock_guard lock(mutex_);
  std::vector<ObjectKey> keys;
  for (const auto& [key, object] : commits_) keys.push_back(key);
  return keys;
}

bool SpoolQueue::is_recorded(std::string_view key, const Digest& sha256) const {
  const std::lock_guard lock(mutex_);
  const auto found = commits_.find(key);
  return found != commits_.end() && found->second.ruling.sha256 == sha256;
}

void SpoolQueue::upload_commit(const ObjectKey& key) {
  const std::lock_guard lock(mutex_);
  const auto found = commits_.find(key);
  DRS_ASSERT(found != commits_.end(), "a commit is uploaded that was not recorded");
  queue_.push_back(found->second);
  changed_locked();
}

void SpoolQueue::secure_before_commit(std::vector<ObjectKey> keys) {
  const std::scoped_lock lock(mutex_);
  to_secure_.insert(to_secure_.end(), keys.begin(), keys.end());
}

Result<void> SpoolQueue::secure_in(ObjectStore& store) const {
  std::vector<ObjectKey> keys;
  {
    const std::scoped_lock lock(mutex_);
    keys = to_secure_;
  }
  if (keys.empty()) return {};
  return secure_ ? secure_(store, std::move(keys)) : store.secure(keys);
}

Result<bool> SpoolQueue::take_commit_result(const ObjectKey& key) {
  const std::lock_guard lock(mutex_);
  const auto found = commit_results_.find(key);
  if (found != commit_results_.end()) {
    const Result<void> result = std::move(found->second);
    commit_results_.erase(found);
    if (!result.ok()) return result.error();
    return true;
  }
  if (failure_) return *failure_;
  return false;
}

std::optional<std::uint64_t> SpoolQueue::find(std::string_view key) const {
  const std::lock_guard lock(mutex_);
  const auto found = objects_.find(key);
  if (found == objects_.end()) return std::nullopt;
  return found->second;
}

std::vector<ObjectInfo> SpoolQueue::list(std::string_view prefix) const {
  const std::lock_guard lock(mutex_);
  std::vector<ObjectInfo> infos;
  for (auto at = objects_.lower_bound(prefix); at != objects_.end() && at->first.starts_with(prefix); ++at)
    infos.push_back({at->first, at->second, 0});
  return infos;
}

void SpoolQueue::begin_waiting() {
  const std::lock_guard lock(mutex_);
  ++waiting_;
}

void SpoolQueue::end_waiting() {
  const std::lock_guard lock(mutex_);
  --waiting_;
}

bool SpoolQueue::anybody_waits() const {
  const std::lock_guard lock(mutex_);
  return waiting_ > 0;
}

std::uint64_t SpoolQueue::version() const {
  const std::lock_guard lock(mutex_);
  return version_;
}

void SpoolQueue::wait_past(std::uint64_t version, std::optional<std::chrono::milliseconds> longest) {
  std::unique_lock lock(mutex_);
  const auto changed = [&] { return version_ != version || stopped_; };
  if (longest)
    changed_.wait_for(lock, *longest, changed);
  else
    changed_.wait(lock, changed);
}

void SpoolQueue::wake() {
  const std::lock_guard lock(mutex_);
  changed_locked();
}

void SpoolQueue::wake_at_changes(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
}

bool SpoolQueue::uploading() const {
  const std::lock_guard lock(mutex_);
  return !queue_.empty() || under_way_ > 0;
}

void SpoolQueue::fail(Error error) {
  const std::lock_guard lock(mutex_);
  if (!failure_) failure_ = std::move(error);
  changed_locked();
}

std::optional<Error> SpoolQueue::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void SpoolQueue::stop() {
  const std::lock_guard lock(mutex_);
  if (!failure_) failure_ = Error(ErrorCode::kCancelled, "the spool was closed");
  stopped_ = true;
  changed_locked();
}

bool SpoolQueue::stopped() const {
  const std::lock_guard lock(mutex_);
  return stopped_;
}

std::optional<SpooledObject> SpoolQueue::next(std::uint64_t bytes_left) {
  const std::lock_guard lock(mutex_);
  if (queue_.empty() || failure_) return std::nullopt;
  const SpooledObject& front = queue_.front();
  if (under_way_ > 0 && (front.ruling.role != SpoolRole::kAnyOrder || front.bytes > bytes_left)) return std::nullopt;
  SpooledObject object = std::move(queue_.front());
  queue_.pop_front();
  ++under_way_;
  return object;
}

void SpoolQueue::stored(const SpooledObject& object, Copy copy) {
  const std::lock_guard lock(mutex_);
  objects_.erase(object.key);
  if (copy == Copy::kRemoved) used_bytes_ -= object.bytes;
  --under_way_;
  ++uploaded_count_;
  changed_locked();
}

void SpoolQueue::commit_ended(const SpooledObject& object, Result<void> result) {
  const std::lock_guard lock(mutex_);
  commit_results_.insert_or_assign(object.key, std::move(result));
  --under_way_;
  changed_locked();
}

void SpoolQueue::again(SpooledObject object) {
  const std::lock_guard lock(mutex_);
  queue_.push_front(std::move(object));
  --under_way_;
  changed_locked();
}

void SpoolQueue::changed_locked() {
  ++version_;
  if (progress_ != nullptr) {
    progress_->spooled_objects.store(spooled_count_, std::memory_order_relaxed);
    progress_->uploaded_objects.store(uploaded_count_, std::memory_order_relaxed);
    progress_->spool_is_complete.store(!commits_.empty(), std::memory_order_relaxed);
  }
  changed_.notify_all();
  if (wake_) wake_();
}

}  // namespace drs
