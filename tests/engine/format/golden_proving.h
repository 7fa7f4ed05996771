// Golden records of sweeps, the packs that they are about, and what they prove of each. The files in
// tests/golden/v1-proving/ are never rewritten.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/format/verified.h"

namespace drs::golden {

struct ProvingRecord {
  std::string name;  // of the object
  Verified record;
  WallNs stored_ns = 0;  // by the store's clock
};
// One of a sweep whose machine's clock is ahead of the store's, and a folded one of other times.
std::vector<ProvingRecord> proving_records();

// A pack as a reader lists it at judging_ns(), and what the records prove of it.
struct SweptPack {
  Digest name;
  std::uint64_t bytes = 0;
  WallNs stored_ns = 0;
  bool condemned = false;
  WallNs read_ns = 0, decoded_ns = 0;  // 0: not proven
  bool damaged = false;
};
std::vector<SweptPack> swept_packs();  // sorted by name
WallNs judging_ns();

// The objects by name.
std::map<std::string, Bytes> proving_objects();
// The contents of v1-proving/expected.json: the packs, and what a reader in any language must find of each.
std::string expected_proving_json();

}  // namespace drs::golden
