#include "verify/sweep_record.h"

#include <algorithm>
#include <utility>

#include "engine/repository/verified_arcs.h"

namespace drs {
namespace {

// Moves at most `count_max` entries from the end of `from` to `to`.
template <typename Entry>
void move_some(std::vector<Entry>& from, std::vector<Entry>& to, std::size_t count_max) {
  const std::size_t count = std::min(from.size(), count_max);
  to.insert(to.end(), from.end() - static_cast<std::ptrdiff_t>(count), from.end());
  from.resize(from.size() - count);
}

}  // namespace

SweepRecord::SweepRecord(std::span<const PackInfo> packs, Options options)
    : packs_(packs),
      options_(std::move(options)),
      reading_since_ns_(options_.workers, 0),
      proven_(packs.size(), false) {
  // The newest time of a pack is one before the list was made, unless a clock was ahead.
  constexpr WallNs kClocksApart = std::chrono::nanoseconds(std::chrono::seconds(10)).count();
  for (const PackInfo& pack : packs_)
    if (there_since_ns(pack) <= options_.now_ns + kClocksApart) listed_ns_ = std::max(listed_ns_, there_since_ns(pack));
}

void SweepRecord::begin(std::size_t worker, WallNs now_ns) {
  const std::scoped_lock lock(mutex_);
  reading_since_ns_[worker] = now_ns;
  if (since_ns_ == 0) since_ns_ = now_ns;
}

void SweepRecord::end(std::size_t worker, std::size_t pack, PackOutcome outcome) {
  const std::scoped_lock lock(mutex_);
  if (outcome == PackOutcome::kIntact) {
    proven_[pack] = true;
    any_ = true;
  } else if (outcome == PackOutcome::kDamaged) {
    damaged_.push_back({packs_[pack].name, options_.level, reading_since_ns_[worker]});
    ++damaged_count_;
  }
  reading_since_ns_[worker] = 0;
}

void SweepRecord::rebuilt(const RebuiltSnapshot& snapshot) {
  const std::scoped_lock lock(mutex_);
  rebuilt_.push_back(snapshot);
}

WallNs SweepRecord::begun_ns(WallNs now_ns) const {
  WallNs begun = now_ns;
  for (const WallNs since_ns : reading_since_ns_)
    if (since_ns != 0) begun = std::min(begun, since_ns);
  return begun;
}

std::vector<Verified> SweepRecord::take(WallNs now_ns) {
  const std::scoped_lock lock(mutex_);
  std::vector<VerifiedArc> arcs;
  if (any_)
    arcs = arcs_of({.packs = packs_,
                    .proven = proven_,
                    .bounds = options_.bounds,
                    .listed_ns = listed_ns_,
                    .proven_ns = since_ns_,
                    .level = options_.level});
  std::vector<Verified> records;
  while (!arcs.empty() || !damaged_.empty() || !rebuilt_.empty()) {
    Verified record;
    record.ended_ns = now_ns;
    record.host = options_.host;
    record.tool = options_.tool;
    move_some(arcs, record.arcs, kVerifiedArcsMax);
    move_some(damaged_, record.damaged, kVerifiedDamagedMax);
    move_some(rebuilt_, record.rebuilt, kVerifiedRebuiltMax);
    records.push_back(std::move(record));
  }
  std::fill(proven_.begin(), proven_.end(), false);
  any_ = false;
  // What is being read now began before this.
  const WallNs begun = begun_ns(now_ns);
  since_ns_ = begun == now_ns ? 0 : begun;
  return records;
}

std::uint64_t SweepRecord::damaged() const {
  const std::scoped_lock lock(mutex_);
  return damaged_count_;
}

}  // namespace drs
