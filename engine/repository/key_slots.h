// The key slots of an opened repository: list, add, remove.
#pragma once

#include <string>
#include <vector>

#include "engine/repository/repository.h"

namespace drs {

struct SlotInfo {
  Uuid id;
  Slot slot;
  bool current = false;  // the one this repository was opened with
  std::string problem;   // not empty: damaged, forged, or of another repository: it does not count as a way in
};

// Every object under keys/. Errors: the store's.
Result<std::vector<SlotInfo>> list_slots(Repository& repository);
// Adds a slot for `secret` and proves that it opens. Returns its id. Errors: kUsage (a clear slot in an encrypted
// repository, or a secret one in a repository without encryption; a bad secret); the store's.
Result<Uuid> add_slot(Repository& repository, const Secret& secret, const std::string& label);
// `id_prefix`: hex. Errors: kNotFound, kUsage (ambiguous; the last slot that works; a concurrent removal left this the
// last).
Result<Uuid> remove_slot(Repository& repository, const std::string& id_prefix);

}  // namespace drs
