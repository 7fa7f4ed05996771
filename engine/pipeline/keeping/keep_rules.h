// Which snapshots of a stream the rules of a retention keep, as `restic forget` decides it: a snapshot stays if one
// rule keeps it, and each rule is applied as if it were alone.
//
// - last: the newest N.
// - hourly, daily, weekly, monthly, yearly: the newest of each of the last N periods that have a snapshot. While fewer
//   than N are counted, the oldest snapshot stays, too: by its own time, if that is true.
// - within: what is younger than the newest snapshot by less than the span.
// - tags: what has one of the tags.
//
// Every rule is applied twice, to the snapshots' own times and to the times at which the store received them, and a
// snapshot is dropped only if both drop it: own times can be wrong, invented or those of an import, and the store's
// times are those of a copy. A snapshot whose own time contradicts the store's times displaces none that has a true
// time (`TimeClaim`). So snapshots with wrong times only add to what is kept.
//
// Pure functions, apart from the zone of local time (calendar.h). Threads: as calendar.h.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/format/kinds.h"
#include "engine/pipeline/keeping/calendar.h"

namespace drs {

inline constexpr std::uint64_t kKeepAll = std::numeric_limits<std::uint64_t>::max();  // for a count: no limit

struct KeepRules {
  // 0: there is no such rule.
  std::uint64_t last = 0;
  std::uint64_t hourly = 0;
  std::uint64_t daily = 0;
  std::uint64_t weekly = 0;
  std::uint64_t monthly = 0;
  std::uint64_t yearly = 0;
  CalendarSpan within = {};  // zero: there is no such rule
  // Tags by key; each alone keeps a snapshot. No value: any value of the key.
  std::multimap<std::string, std::optional<std::string>> tags = {};

  [[nodiscard]] bool empty() const { return *this == KeepRules(); }
  friend bool operator==(const KeepRules&, const KeepRules&) = default;
};

enum class KeepRule : std::uint8_t { kLast, kHourly, kDaily, kWeekly, kMonthly, kYearly, kWithin, kTag };
std::string_view keep_rule_name(KeepRule rule);  // "last", "hourly", ..., "within", "tag"

// Why a snapshot stays.
struct KeepReason {
  enum class Clock : std::uint8_t { kOwn, kStore };
  enum class Place : std::uint8_t { kNewest, kOldest };
  KeepRule rule = KeepRule::kLast;
  Place place = Place::kNewest;  // of its period; kOldest: of the stream, while the rule has counts left
  Clock clock = Clock::kOwn;     // kStore: by its own time the rule would drop it
  friend bool operator==(const KeepReason&, const KeepReason&) = default;
};

// A snapshot as the rules see it.
struct DatedKeep {
  WallNs own_ns = 0;           // the time of the snapshot
  WallNs stored_ns = 0;        // when the store received it, by the store's clock; 0: unknown
  std::uint64_t sequence = 0;  // decides between equal times
  const std::map<std::string, std::string>* tags = nullptr;  // borrowed; nullptr: none
};

// What a snapshot's own time is, beside the store's times.
enum class TimeClaim : std::uint8_t {
  kTrue,
  // More than an hour after the store received the snapshot. The store's time alone counts.
  kFuture,
  // More than 48 hours before the own time of a snapshot that the store received more than an hour earlier: the time of
  // a late import, of a clock that was set back, or an invented one. An import into an empty stream, oldest first, has
  // true times. Also one whose time in the store is unknown, if those of others are known.
  kBackdated,
};
// One for each snapshot. `now_ns`: the store's present time, for snapshots whose time in the store is unknown.
std::vector<TimeClaim> time_claims(std::span<const DatedKeep> snapshots, WallNs now_ns);

// For each snapshot of one stream, in the order given, the reasons why it stays: none if the rules drop it.
std::vector<std::vector<KeepReason>> apply_keep_rules(const KeepRules& rules, std::span<const DatedKeep> snapshots,
                                                      WallNs now_ns);

}  // namespace drs
