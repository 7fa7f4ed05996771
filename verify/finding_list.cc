#include "verify/finding_list.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace drs {

std::string unsteady_text(const std::string& first_problem) {
  return "was read wrongly at first, and then as it should be: it is intact in the store, and this machine's memory or "
         "its way to the store is at fault; test the memory, and do not trust backups that this machine makes until "
         "then (at first: " +
         first_problem + ")";
}
namespace {

constexpr std::string_view kOverflowObject = "(further objects)";

std::string joined(const std::vector<std::string>& problems, std::size_t problem_count) {
  std::string text;
  for (const std::string& problem : problems) text += (text.empty() ? "" : "; ") + problem;
  if (problem_count > problems.size()) {
    text += "; and " + std::to_string(problem_count - problems.size()) + " more";
  }
  return text;
}

}  // namespace

std::size_t FindingList::report(Finding::Severity severity, const std::string& object, std::string_view problem) {
  // The finding has the name already.
  if (problem.starts_with(object) && problem.substr(object.size()).starts_with(": "))
    problem.remove_prefix(object.size() + 2);
  const std::scoped_lock lock(mutex_);
  auto found = by_object_.find(object);
  if (found == by_object_.end() && entries_.size() >= kFindingsMax) {
    ++overflowed_;
    found = by_object_.find(std::string(kOverflowObject));
  }
  if (found == by_object_.end()) {
    const std::string name = entries_.size() >= kFindingsMax ? std::string(kOverflowObject) : object;
    found = by_object_.emplace(name, entries_.size()).first;
    entries_.emplace_back();
    entries_.back().finding.object = name;
    entries_.back().finding.severity = severity;
    progress_.problems.fetch_add(1, std::memory_order_relaxed);
  }
  Entry& entry = entries_[found->second];
  entry.finding.severity = std::min(entry.finding.severity, severity);  // declared gravest first
  if (found->first == kOverflowObject) return found->second;
  if (std::find(entry.problems.begin(), entry.problems.end(), problem) == entry.problems.end()) {
    ++entry.problem_count;
    if (entry.problems.size() < kProblemsMax) entry.problems.emplace_back(problem);
  }
  return found->second;
}

bool FindingList::has_about(std::string_view prefix) const {
  const std::scoped_lock lock(mutex_);
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const Entry& entry) { return entry.finding.object.starts_with(prefix); });
}

void FindingList::affects(std::size_t finding, const Snapshot& snapshot, std::uint64_t offset_bytes,
                          std::uint64_t bytes) {
  const std::scoped_lock lock(mutex_);
  Entry& entry = entries_[finding];
  const bool too_new = entry.finding.severity == Finding::Severity::kTooNew;
  if (!too_new) entry.finding.severity = Finding::Severity::kDamage;
  const std::string id = snapshot.id();
  const bool continues =
      entry.finding.affected_count > 0 && entry.last_snapshot_id == id && entry.last_end_bytes == offset_bytes;
  DamagedSnapshot& damaged = damaged_snapshots_[id];
  if (damaged.ranges == 0) {
    damaged.stream = snapshot.manifest.stream;
    damaged.snapshot_id = id;
    damaged.snapshot_ns = snapshot.manifest.snapshot_ns;
    damaged.sequence = snapshot.manifest.sequence;
    damaged.first_offset_bytes = offset_bytes;
    damaged.too_new = true;
  }
  damaged.too_new = damaged.too_new && too_new;
  damaged.bytes += bytes;
  damaged.ranges += continues ? 0 : 1;
  if (continues) {
    if (entry.last_is_kept) entry.finding.affected.back().bytes += bytes;
  } else {
    ++entry.finding.affected_count;
    entry.last_is_kept = entry.finding.affected.size() < kAffectedMax && affected_kept_ < kAffectedInAll;
    if (entry.last_is_kept) {
      ++affected_kept_;
      entry.finding.affected.push_back({snapshot.manifest.stream, id, offset_bytes, bytes});
    }
  }
  entry.last_snapshot_id = id;
  entry.last_end_bytes = offset_bytes + bytes;
}

void FindingList::excuse(const std::function<bool(const std::string& object)>& is_spare, std::string_view note) {
  const std::scoped_lock lock(mutex_);
  for (Entry& entry : entries_) {
    Finding& finding = entry.finding;
    if (finding.severity != Finding::Severity::kDamage || finding.affected_count > 0 || !is_spare(finding.object))
      continue;
    finding.severity = Finding::Severity::kWarning;
    ++entry.problem_count;
    if (entry.problems.size() == kProblemsMax) entry.problems.pop_back();
    entry.problems.emplace_back(note);
  }
}

std::unordered_map<std::string, DamagedSnapshot> FindingList::damaged_snapshots() const {
  const std::scoped_lock lock(mutex_);
  return damaged_snapshots_;
}

std::vector<Finding> FindingList::take() {
  const std::scoped_lock lock(mutex_);
  std::vector<Finding> findings;
  findings.reserve(entries_.size());
  for (Entry& entry : entries_) {
    entry.finding.problem = entry.finding.object == kOverflowObject
                                ? std::to_string(overflowed_) + " further problems are not listed"
                                : joined(entry.problems, entry.problem_count);
    findings.push_back(std::move(entry.finding));
  }
  entries_.clear();
  by_object_.clear();
  std::sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
    return std::tie(a.severity, a.object) < std::tie(b.severity, b.object);
  });
  return findings;
}

}  // namespace drs
