// Forget: which snapshots are removed, by rules (keep_rules.h) or because they were named. Decides alone: the removal
// marks are those of removal_marks.h.
//
// Rules never drop the newest snapshot of a stream, the newest whose producer was seen to succeed and that has no
// anomaly, what is held, nor what one that stays needs. Named snapshots go always, unless they are held or a held one
// needs them. Threads: as keep_rules.h.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/pipeline/keeping/keep_rules.h"
#include "engine/repository/holds.h"
#include "engine/repository/snapshots.h"
#include "io/base/result.h"

namespace drs {

// Why a snapshot stays, apart from rules.
enum class Shield : std::uint8_t {
  kNewest,        // of its stream: pushed last by its number, or received last by the store
  kNewestProven,  // the newest whose producer was seen to succeed, without the tag anomaly
  kHeld,          // a hold names it
  kNeeded,        // one that stays needs it
  kNoCopy,        // the other repository does not have it (ForgetFilter::has_copy)
  kRefused,       // its stream is refused: PlannedStream::refusal
};
std::string_view shield_name(Shield shield);  // "newest", "newest-proven", ...

struct PlannedSnapshot {
  const Snapshot* snapshot = nullptr;
  std::vector<KeepReason> rules;  // that keep it
  std::vector<Shield> shields;    // each once
  [[nodiscard]] bool stays() const { return !rules.empty() || !shields.empty(); }
};

struct PlannedStream {
  std::string stream;
  std::vector<PlannedSnapshot> snapshots;  // on which the rules decide, in the order of the catalog
  std::optional<Error> refusal;            // kLimitMissed: nothing of this stream is removed
  std::vector<std::string> warnings;
  [[nodiscard]] std::size_t removed() const;  // how many go
};

// What is known when forget decides. All are borrowed.
struct ForgetSources {
  const SnapshotCatalog& catalog;
  const Holds& holds;
  WallNs store_now = 0;                        // the store's present time; 0: unknown
  std::span<const std::string> given_up = {};  // manifests that are damaged or gone, and go as well
};

// Restricts what goes.
struct ForgetFilter {
  // Rules look only at these snapshots; the others stay and count for nothing. Empty: at all.
  std::function<bool(const Snapshot&)> concerns;
  // Whether another repository has the snapshot; one that it does not have stays. Empty: that does not matter.
  std::function<bool(const Snapshot&)> has_copy;
};

// A snapshot that is gone without a mark of its removal is known only by a later one that names it. So whatever the
// guards, a stream with one is refused by rules, and by name the later one, until the lost one is given up.
//
// Guards: a stream is refused if no rule keeps a snapshot of it (a mistyped tag); or if more than half of what an
// earlier forget had kept would go, although no newer snapshot takes its place, as after a mistake in the rules; or if
// one alone would stay of three or more, none of which an earlier forget has judged.
enum class ForgetGuards : std::uint8_t { kOn, kOff };

// Decides by rules, for each of the streams; of several rules for one name the caller has chosen. Damaged manifests do
// not count: warnings name them. A stream without snapshots that the filter concerns has an empty plan.
std::vector<PlannedStream> plan_by_rules(const ForgetSources& sources,
                                         const std::map<std::string, const KeepRules*>& rules,
                                         const ForgetFilter& filter, ForgetGuards guards);

// Decides on snapshots that were named, all of the catalog; only holds and the filter's has_copy let them stay.
// `snapshots` has those alone, by stream.
std::vector<PlannedStream> plan_by_name(const ForgetSources& sources, std::span<const Snapshot* const> named,
                                        const ForgetFilter& filter);

}  // namespace drs
