// Lists, adds and removes the key slots of an opened repository.
#pragma once

#include <string>
#include <vector>

#include "engine/repository/repository.h"

namespace drs {

struct SlotInfo {
  Uuid id;
  Slot slot;
  Bytes object;          // empty if it could not be read
  bool current = false;  // the slot that opened this repository
  std::string problem;   // not empty: the slot is damaged, forged, or of another repository, and does not count
};

// Returns every object under keys/. Errors: the store's.
Result<std::vector<SlotInfo>> list_slots(Repository& repository);
// The working slots that `secret` opens. Errors: the store's; kBusy (out of memory for scrypt).
Result<std::vector<Uuid>> slots_opened_by(Repository& repository, const Secret& secret);
// Adds a slot for `secret` and checks that `secret` opens it. Returns its id. Errors: kUsage (a clear slot for an
// encrypted repository, or a secret one for a repository without encryption; an invalid secret); the store's.
Result<Uuid> add_slot(Repository& repository, const Secret& secret, const std::string& label);
// Removes the slot whose id begins with `id_prefix`, in hex. Returns its id. Errors: kNotFound, kUsage (ambiguous; the
// last working slot; the last one after a concurrent removal), the store's.
Result<Uuid> remove_slot(Repository& repository, const std::string& id_prefix);

}  // namespace drs
