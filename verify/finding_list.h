// The findings of one verify or scrub run, while it is under way: one for each object, whatever is wrong with it, and
// bounded however much is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/repository/snapshots.h"
#include "io/progress.h"
#include "verify/verify.h"

namespace drs {

// Any thread, several at once.
class FindingList {
 public:
  static constexpr std::size_t kFindingsMax = 10'000;    // further objects share one last finding
  static constexpr std::size_t kProblemsMax = 4;         // of one object that are spelled out
  static constexpr std::size_t kAffectedMax = 100;       // of one finding
  static constexpr std::size_t kAffectedInAll = 50'000;  // of all findings, so that memory stays bounded

  explicit FindingList(ProgressCounters& progress) : progress_(progress) {}

  // Adds a problem of `object`; its finding takes the graver severity. The same problem again changes nothing. Returns
  // the finding's number for `affects`.
  std::size_t report(Finding::Severity severity, const std::string& object, std::string_view problem);
  // True when an object whose name begins with `prefix` has a finding.
  [[nodiscard]] bool has_about(std::string_view prefix) const;
  // The finding keeps these bytes of a snapshot from being restored, which makes it damage whatever it was, but for
  // what is too new. A range that continues the one before is joined to it.
  void affects(std::size_t finding, const Snapshot& snapshot, std::uint64_t offset_bytes, std::uint64_t bytes);
  // Every snapshot that a finding affects, by its id.
  [[nodiscard]] std::unordered_map<std::string, DamagedSnapshot> damaged_snapshots() const;
  // All findings, gravest first, then by name. Leaves the list empty.
  std::vector<Finding> take();

 private:
  struct Entry {
    Finding finding;
    std::vector<std::string> problems;
    std::size_t problem_count = 0;
    // Where the last affected range ended, to join the next to it.
    std::string last_snapshot_id;
    std::uint64_t last_end_bytes = 0;
    bool last_is_kept = false;
  };
  ProgressCounters& progress_;
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
  std::unordered_map<std::string, std::size_t> by_object_;
  std::unordered_map<std::string, DamagedSnapshot> damaged_snapshots_;
  std::size_t affected_kept_ = 0;
  std::uint64_t overflowed_ = 0;  // objects without a finding of their own
};

}  // namespace drs
