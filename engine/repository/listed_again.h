// What a list names and a read does not find. Mostly it was removed in between, and a new list no longer names it. What
// two lists in agreement name all the same is broken: the list of a bucket can name an object that its server has lost.
#pragma once

#include <span>
#include <string>
#include <unordered_set>

#include "io/result.h"
#include "sinks/object_store.h"

namespace drs {

// How often lists are made in a row because something that they named had gone.
inline constexpr int kListAttempts = 10;

// Of an object that lists name again and again and that is never found: kCorrupt, so that it counts as damaged.
Error listed_but_absent();

// Those of `names` that the store still lists. Lists the folders they lie in. Errors: the store's.
Result<std::unordered_set<std::string>> still_listed(ObjectStore& store, std::span<const std::string> names);

// For what is listed and read in rounds until all that is listed was read. Threads: one.
class ListingRounds {
 public:
  // An object of this round's list was not found. True: nor was it in the round before, so it is broken. False: another
  // round is due.
  bool is_absent_again(const std::string& name);
  // Ends a round. Whether another is due.
  bool next();

 private:
  std::unordered_set<std::string> absent_before_, absent_;
  bool another_ = false;
};

}  // namespace drs
