// Objects that a list names but a read does not find. Usually such an object was removed in between, and a new list
// does not name it. If a second list still names it, it counts as damaged: a bucket can list an object that its server
// has lost.
#pragma once

#include <span>
#include <string>
#include <unordered_set>

#include "io/base/result.h"
#include "sinks/object_store.h"

namespace drs {

// How many times in a row lists are made because a listed object has vanished.
inline constexpr int kListAttempts = 10;

// The error for an object that is listed repeatedly but never found: kCorrupt, so that it counts as damaged.
Error listed_but_absent();

// Returns those of `names` that the store still lists. Lists their folders. Errors: the store's.
Result<std::unordered_set<std::string>> still_listed(ObjectStore& store, std::span<const std::string> names);

// Tracks missing objects while objects are listed and read in rounds, until every listed object was read. Threads: one
// thread at a time.
class ListingRounds {
 public:
  // Reports that an object of this round's list was not found. Returns true if it was missing in the previous round,
  // too, and counts as damaged; otherwise another round is needed.
  bool is_absent_again(const std::string& name);
  // Ends a round. Returns whether another one is needed.
  bool next();

 private:
  std::unordered_set<std::string> absent_before_, absent_;
  bool another_ = false;
};

}  // namespace drs
