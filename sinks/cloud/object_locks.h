// Locks existing objects of a bucket, many at the same time.
#pragma once

#include <list>
#include <string>
#include <vector>

#include "sinks/cloud/cloud_store.h"
#include "sinks/object_store.h"
#include "sinks/transport/request_engine.h"

namespace drs {

// Borrows its arguments. Threads: that of the engine.
class ObjectLocks {
 public:
  // `store`: for messages.
  ObjectLocks(const ObjectStore& store, CloudProtocol& protocol, RequestEngine& engine)
      : store_(store), protocol_(protocol), engine_(engine) {}

  // One request reads the lock of an object; a second one extends it only if it is too short. On error some objects may
  // be locked; returns the first error. Errors: as ObjectStore::secure.
  Result<void> extend(const std::vector<ObjectKey>& keys);

 private:
  struct Lock {
    const ObjectKey* key = nullptr;
    StoreRequest request;
    bool done = false;
  };

  void start(Lock& lock, StoreRequest request, StoreRequest::Kind kind, const char* verb);
  // Takes an answer. Returns whether another one will follow.
  bool goes_on(Lock& lock, Result<void>& result);

  const ObjectStore& store_;
  CloudProtocol& protocol_;
  RequestEngine& engine_;
  std::list<Lock> locks_;
};

}  // namespace drs
