#include "engine/pipeline/keeping/keep_rules.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <tuple>

namespace drs {
namespace {

using Clock = KeepReason::Clock;
using Place = KeepReason::Place;
using Reasons = std::vector<std::vector<KeepReason>>;

constexpr WallNs kHourNs = std::chrono::nanoseconds(std::chrono::hours(1)).count();
// Pushes of one stream may overlap: the one that began first may be stored last.
constexpr WallNs kOverlapNs = 48 * kHourNs;

// Whether `time_ns` is later than `other_ns` by more than `by_ns`; the difference may exceed a WallNs.
bool is_later(WallNs time_ns, WallNs other_ns, WallNs by_ns) {
  return time_ns > other_ns &&
         static_cast<std::uint64_t>(time_ns) - static_cast<std::uint64_t>(other_ns) > static_cast<std::uint64_t>(by_ns);
}

// When the store received the snapshot. Where that is unknown: at its own time, but not in the future.
WallNs stored_ns_of(const DatedKeep& snapshot, WallNs now_ns) {
  return snapshot.stored_ns != 0 ? snapshot.stored_ns : std::min(snapshot.own_ns, now_ns);
}

// A snapshot at one of its two times.
struct Moment {
  WallNs time_ns = 0;
  CivilTime civil;
  std::size_t place = 0;  // in the caller's order
};

// The snapshots with their moments, newest first.
std::vector<Moment> newest_first(std::span<const DatedKeep> snapshots, Clock clock, WallNs now_ns) {
  std::vector<Moment> moments;
  moments.reserve(snapshots.size());
  for (std::size_t i = 0; i < snapshots.size(); ++i) {
    const WallNs time_ns = clock == Clock::kOwn ? snapshots[i].own_ns : stored_ns_of(snapshots[i], now_ns);
    moments.push_back({time_ns, civil_time(time_ns), i});
  }
  std::ranges::sort(moments, [&](const Moment& a, const Moment& b) {
    const auto rank = [&](const Moment& moment) {
      return std::tuple(moment.time_ns, snapshots[moment.place].sequence, moment.place);
    };
    return rank(a) > rank(b);
  });
  return moments;
}

struct CountRule {
  KeepRule rule;
  std::uint64_t KeepRules::*count;
  std::optional<Period> period;  // none: each snapshot is a period
};
constexpr std::array kCountRules = {
    CountRule{KeepRule::kLast, &KeepRules::last, std::nullopt},
    CountRule{KeepRule::kHourly, &KeepRules::hourly, Period::kHour},
    CountRule{KeepRule::kDaily, &KeepRules::daily, Period::kDay},
    CountRule{KeepRule::kWeekly, &KeepRules::weekly, Period::kWeek},
    CountRule{KeepRule::kMonthly, &KeepRules::monthly, Period::kMonth},
    CountRule{KeepRule::kYearly, &KeepRules::yearly, Period::kYear},
};

// Whether the oldest is kept while a rule has counts left.
enum class Oldest : std::uint8_t { kKept, kNotKept };

// The snapshots that a pass looks at, newest first, and those among them whose reasons it finds.
struct Pass {
  std::vector<const Moment*> moments;
  std::vector<bool> decides;  // by place
  Clock clock = Clock::kOwn;
  Oldest oldest = Oldest::kKept;
};

// Adds a reason, unless the rule has kept the snapshot before.
void keep(std::vector<KeepReason>& reasons, const KeepReason& reason) {
  const bool is_known = std::ranges::any_of(reasons, [&](const KeepReason& r) { return r.rule == reason.rule; });
  if (!is_known) reasons.push_back(reason);
}

void apply_count(const Pass& pass, const CountRule& rule, std::uint64_t left, Reasons& reasons) {
  std::optional<std::int64_t> last;
  for (std::size_t i = 0; i < pass.moments.size() && left > 0; ++i) {
    const Moment& moment = *pass.moments[i];
    const std::int64_t number =
        rule.period ? period_number(moment.civil, *rule.period) : static_cast<std::int64_t>(moment.place);
    const bool is_new = number != last;
    const bool is_oldest = pass.oldest == Oldest::kKept && i + 1 == pass.moments.size();
    if (!is_new && !is_oldest) continue;
    last = number;
    if (left != kKeepAll) --left;
    if (pass.decides[moment.place])
      keep(reasons[moment.place], {rule.rule, is_new ? Place::kNewest : Place::kOldest, pass.clock});
  }
}

void apply(const Pass& pass, const KeepRules& rules, Reasons& reasons) {
  for (const CountRule& rule : kCountRules) apply_count(pass, rule, rules.*rule.count, reasons);
  if (rules.within.is_zero() || pass.moments.empty()) return;
  const WallNs oldest_ns = time_before(pass.moments.front()->time_ns, rules.within);
  for (const Moment* const moment : pass.moments)
    if (moment->time_ns > oldest_ns && pass.decides[moment->place])
      keep(reasons[moment->place], {KeepRule::kWithin, Place::kNewest, pass.clock});
}

bool has_one_of(const std::map<std::string, std::string>& tags, const KeepRules& rules) {
  return std::ranges::any_of(rules.tags, [&](const auto& wanted) {
    const auto found = tags.find(wanted.first);
    return found != tags.end() && (!wanted.second || found->second == *wanted.second);
  });
}

using ClaimSet = std::initializer_list<TimeClaim>;
bool is_in(ClaimSet set, TimeClaim claim) {
  return std::ranges::find(set, claim) != set.end();
}

// The passes over one stream. What has a true time is decided among itself alone, so that nothing else displaces it.
class Passes {
 public:
  Passes(const KeepRules& rules, std::span<const DatedKeep> snapshots, WallNs now_ns)
      : rules_(rules),
        claims_(time_claims(snapshots, now_ns)),
        own_(newest_first(snapshots, Clock::kOwn, now_ns)),
        stored_(newest_first(snapshots, Clock::kStore, now_ns)) {}

  void run(Reasons& reasons) const {
    constexpr TimeClaim kTrue = TimeClaim::kTrue, kFuture = TimeClaim::kFuture, kBackdated = TimeClaim::kBackdated;
    pass(Clock::kOwn, {kTrue}, {kTrue}, reasons);
    // The oldest of these is kept above: by the store's time, an import would keep the first that arrived, too.
    pass(Clock::kStore, {kTrue}, {kTrue}, reasons, Oldest::kNotKept);
    if (std::ranges::count(claims_, kTrue) == std::ssize(claims_)) return;
    pass(Clock::kOwn, {kTrue, kBackdated}, {kBackdated}, reasons);
    pass(Clock::kStore, {kTrue, kFuture, kBackdated}, {kFuture, kBackdated}, reasons);
  }

 private:
  // Looks at the snapshots whose claims are `seen`, and decides on those whose claims are `decided`.
  void pass(Clock clock, ClaimSet seen, ClaimSet decided, Reasons& reasons, Oldest oldest = Oldest::kKept) const {
    Pass one;
    one.clock = clock;
    one.oldest = oldest;
    for (const Moment& moment : clock == Clock::kOwn ? own_ : stored_)
      if (is_in(seen, claims_[moment.place])) one.moments.push_back(&moment);
    for (const TimeClaim claim : claims_) one.decides.push_back(is_in(decided, claim));
    apply(one, rules_, reasons);
  }

  const KeepRules& rules_;
  const std::vector<TimeClaim> claims_;
  const std::vector<Moment> own_, stored_;
};

}  // namespace

std::string_view keep_rule_name(KeepRule rule) {
  switch (rule) {
    case KeepRule::kLast: return "last";
    case KeepRule::kHourly: return "hourly";
    case KeepRule::kDaily: return "daily";
    case KeepRule::kWeekly: return "weekly";
    case KeepRule::kMonthly: return "monthly";
    case KeepRule::kYearly: return "yearly";
    case KeepRule::kWithin: return "within";
    case KeepRule::kTag: return "tag";
  }
  return "";
}

std::vector<TimeClaim> time_claims(std::span<const DatedKeep> snapshots, WallNs now_ns) {
  std::vector<TimeClaim> claims(snapshots.size(), TimeClaim::kTrue);
  std::vector<std::size_t> by_store;  // those with a known time in the store and no future time of their own
  const bool all_unknown = std::ranges::all_of(snapshots, [](const DatedKeep& one) { return one.stored_ns == 0; });
  for (std::size_t i = 0; i < snapshots.size(); ++i) {
    if (is_later(snapshots[i].own_ns, stored_ns_of(snapshots[i], now_ns), kHourNs))
      claims[i] = TimeClaim::kFuture;
    else if (snapshots[i].stored_ns != 0)
      by_store.push_back(i);
    else if (!all_unknown)
      claims[i] = TimeClaim::kBackdated;
  }
  std::ranges::sort(by_store, {}, [&](std::size_t i) { return snapshots[i].stored_ns; });
  std::optional<WallNs> latest_ns;  // own time of what the store received more than an hour before
  auto earlier = by_store.begin();
  for (const std::size_t i : by_store) {
    for (; is_later(snapshots[i].stored_ns, snapshots[*earlier].stored_ns, kHourNs); ++earlier)
      latest_ns = std::max(latest_ns.value_or(snapshots[*earlier].own_ns), snapshots[*earlier].own_ns);
    if (latest_ns && is_later(*latest_ns, snapshots[i].own_ns, kOverlapNs)) claims[i] = TimeClaim::kBackdated;
  }
  return claims;
}

Reasons apply_keep_rules(const KeepRules& rules, std::span<const DatedKeep> snapshots, WallNs now_ns) {
  Reasons reasons(snapshots.size());
  for (std::size_t i = 0; i < snapshots.size(); ++i)
    if (snapshots[i].tags != nullptr && has_one_of(*snapshots[i].tags, rules))
      reasons[i].push_back({KeepRule::kTag, Place::kNewest, Clock::kOwn});
  Passes(rules, snapshots, now_ns).run(reasons);
  for (std::vector<KeepReason>& one : reasons) std::ranges::sort(one, {}, &KeepReason::rule);
  return reasons;
}

}  // namespace drs
