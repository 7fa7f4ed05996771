// The lists of several kinds of objects at one time. A value that is passed on: the code that passes it on ensures that
// it is recent enough for the receiver (docs/DESIGN.md "Write order").
#pragma once

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/format/kinds.h"
#include "io/base/result.h"
#include "sinks/object_store.h"

namespace drs {

class Listing {
 public:
  using Objects = std::vector<ObjectInfo>;
  Listing() = default;

  // Lists several kinds in parallel: with a remote store each list takes a round trip. Skips names that are not names
  // of objects. Errors: the store's.
  static Result<Listing> make(ObjectStore& store, std::span<const ObjectKind> kinds);
  // The same, but if a folder's name is taken by another object the listing is empty: `take` of that kind then reports
  // the error.
  static Result<Listing> make_or_defer(ObjectStore& store, std::span<const ObjectKind> kinds);

  // Returns the objects of `kind` and removes them from the listing. Lists them now if the listing does not have that
  // kind. Errors: the store's.
  Result<Objects> take(ObjectStore& store, ObjectKind kind);
  // Replaces the lists of `kinds` by those of `newer`.
  void replace(std::span<const ObjectKind> kinds, Listing newer);

  // Objects that take the name of a folder of packs: "packs/3f". No pack in that folder can be read.
  [[nodiscard]] const std::vector<std::string>& occupied_folders() const { return occupied_folders_; }

 private:
  std::map<ObjectKind, Objects> objects_;
  std::vector<std::string> occupied_folders_;
};

}  // namespace drs
