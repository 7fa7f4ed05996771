// Collects the findings of a verify or scrub run: one for each object, however many problems it has. The memory is
// bounded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/repository/snapshots.h"
#include "io/base/progress.h"
#include "verify/verify.h"

namespace drs {

// The problem of an object that was read wrongly and then rightly. `first_problem`: what was wrong.
std::string unsteady_text(const std::string& first_problem);

// Any thread, several at once.
class FindingList {
 public:
  static constexpr std::size_t kFindingsMax = 10'000;    // further objects share one last finding
  static constexpr std::size_t kProblemsMax = 4;         // of one object that are kept as text
  static constexpr std::size_t kAffectedMax = 100;       // of one finding
  static constexpr std::size_t kAffectedInAll = 50'000;  // of all findings, so that memory stays bounded

  explicit FindingList(ProgressCounters& progress) : progress_(progress) {}

  // Adds a problem of `object`. Its finding takes the graver severity. A problem that was reported before changes
  // nothing. Returns the finding's number for `affects`.
  std::size_t report(Finding::Severity severity, const std::string& object, std::string_view problem);
  // Whether an object whose name begins with `prefix` has a finding.
  [[nodiscard]] bool has_about(std::string_view prefix) const;
  // Notes that these bytes of a snapshot cannot be restored because of the finding. Its severity becomes kDamage unless
  // it is kTooNew. A range that continues the previous one is joined to it.
  void affects(std::size_t finding, const Snapshot& snapshot, std::uint64_t offset_bytes, std::uint64_t bytes);
  // Damage of an object that affects no snapshot, and of which `is_spare` is true, becomes a warning; `note` is added
  // to its problem. To be called after all recipes were checked.
  void excuse(const std::function<bool(const std::string& object)>& is_spare, std::string_view note);
  // Every snapshot that a finding affects, by its id.
  [[nodiscard]] std::unordered_map<std::string, DamagedSnapshot> damaged_snapshots() const;
  // Returns all findings, gravest first, then by name, and empties the list.
  std::vector<Finding> take();

 private:
  struct Entry {
    Finding finding;
    std::vector<std::string> problems;
    std::size_t problem_count = 0;
    // The last affected range, to join the next one to it.
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
