// Objects that a list named, but the store did not find when a check read them. Usually they were removed in between.
// One that a second list still names is damaged (engine/repository/listed_again.h).
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "io/base/result.h"
#include "sinks/object_store.h"

namespace drs {

// How a check reads one listed object.
struct ListedObject {
  std::string name;
  std::function<Result<void>()> read;
  std::function<void(const Error&)> report;  // records damage
};

class AbsentObjects {
 public:
  // Reads object number `number` of the caller's list, and reports its damage. If it is absent, keeps its number for
  // check_again. Errors: those that do not concern one object. Any thread.
  Result<void> check(std::size_t number, const ListedObject& object);
  // After all calls of check, on one thread: lists the absent objects again. Reads and reports those that are still
  // listed. Errors: as check.
  Result<void> check_again(ObjectStore& store, const std::function<ListedObject(std::size_t number)>& object_of) const;

 private:
  std::mutex mutex_;
  std::vector<std::size_t> numbers_;
};

}  // namespace drs
