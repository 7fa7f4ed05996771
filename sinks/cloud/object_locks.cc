#include "sinks/cloud/object_locks.h"

#include <utility>

namespace drs {

Result<void> ObjectLocks::extend(const std::vector<ObjectKey>& keys) {
  Result<void> result;
  std::size_t next = 0;
  while (next < keys.size() || !locks_.empty()) {
    for (; result.ok() && next < keys.size() && locks_.size() < 2 * store_.parallel_max(); ++next) {
      Lock& lock = locks_.emplace_back();
      lock.key = &keys[next];
      start(lock, protocol_.stat(keys[next]), StoreRequest::Kind::kStat, "stat ");
    }
    if (locks_.empty()) break;
    engine_.run(true);
    for (auto at = locks_.begin(); at != locks_.end();) {
      const auto lock = at++;
      if (lock->done && !goes_on(*lock, result)) locks_.erase(lock);
    }
  }
  return result;
}

void ObjectLocks::start(Lock& lock, StoreRequest request, StoreRequest::Kind kind, const char* verb) {
  lock.done = false;
  request.kind = kind;
  request.what = verb + *lock.key;
  request.deadline = lock.request.deadline;  // one budget for the object
  lock.request = std::move(request);
  lock.request.owner = &lock;
  lock.request.done = [](StoreRequest& finished) { static_cast<Lock*>(finished.owner)->done = true; };
  engine_.start(lock.request);
}

bool ObjectLocks::goes_on(Lock& lock, Result<void>& result) {
  if (!lock.request.result.ok()) {
    const Error& error = lock.request.result.error();
    if (result.ok())
      result = error.code == ErrorCode::kNotFound ? vanished(store_, *lock.key).with_context(error.message) : error;
    return false;
  }
  const bool asked = lock.request.kind == StoreRequest::Kind::kStat;
  if (!asked || !result.ok() || protocol_.locked_long_enough(lock.request.answer)) return false;
  start(lock, protocol_.lock(*lock.key), StoreRequest::Kind::kRetain, "lock ");
  return true;
}

}  // namespace drs
