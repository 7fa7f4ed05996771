// The arcs of a sweep: which packs they are, in a form whose size does not grow with their number. Pure. Any thread.
//
// An arc is a window of names and of the store's times. A sweep of all packs needs one. One that reads what was pushed
// since the last needs one as well: a window of times round the whole ring of names.
#pragma once

#include <chrono>
#include <span>
#include <vector>

#include "engine/format/verified.h"
#include "engine/repository/pack_catalog.h"

namespace drs {

// A pack whose time is later than this before a list may have been missing in it: its put had begun, and its name was
// not there yet.
inline constexpr std::chrono::hours kListedLate{1};

// Since when the pack has been at this place with these bytes, at the latest; 0: unknown. Copies of a folder, and files
// that were put back with an old time, are new by it.
WallNs there_since_ns(const PackInfo& pack);

// Whether the arc is about this pack, if it was listed. Condemned packs are in no arc: they will go.
bool is_within(const VerifiedArc& arc, const PackInfo& pack);
// The packs within the names of the arc. `packs`: sorted by name.
std::span<const PackInfo> between(std::span<const PackInfo> packs, const Digest& from, const Digest& to);
// Of the packs that are within the arc.
NamesDigest names_digest(const VerifiedArc& arc, std::span<const PackInfo> packs);

struct ArcsRequest {
  std::span<const PackInfo> packs;  // as listed, sorted by name
  const std::vector<bool>& proven;  // for each of them: it was read now, and is intact
  std::vector<WallNs> bounds;       // the times at which earlier arcs begin and end, in any order
  WallNs listed_ns = 0;             // VerifiedArc::listed_ns; packs that claim to be newer are in no arc
  WallNs proven_ns = 0;
  ProofLevel level = ProofLevel::kDigest;
};
// Arcs in which exactly the proven packs are: the fewer of those that take packs of all times, and of those that take
// the packs of each time between two of `bounds`.
std::vector<VerifiedArc> arcs_of(const ArcsRequest& request);

}  // namespace drs
