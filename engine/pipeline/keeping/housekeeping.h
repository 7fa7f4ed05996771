// What a prune removes besides packs and index objects: manifests that were removed longer ago than the undo time,
// damage marks of deleted packs, waits of finished records; and old removal marks and fences, which it takes up into
// one object under retired/ for each stream, and records of sweeps, which it joins, so that no command becomes slower
// with the age of a repository.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/pipeline/keeping/deletion_record.h"
#include "engine/pipeline/keeping/live_data.h"
#include "engine/repository/repository.h"

namespace drs {

// A stream's marks and fences are taken up once there are this many: each costs a read at every opening.
inline constexpr std::size_t kRetiredTogetherMin = 256;

// Records of sweeps are joined once there are this many.
inline constexpr std::size_t kSweepRecordsTogetherMin = 64;

struct HousekeepingReport {
  std::uint64_t manifests = 0;       // deleted
  std::uint64_t damage_marks = 0;    // deleted
  std::uint64_t waits = 0;           // deleted
  std::uint64_t marks_retired = 0;   // removal marks taken up
  std::uint64_t fences_retired = 0;  // fences taken up
  std::uint64_t sweep_records = 0;   // records of sweeps joined
  std::string unjoined;              // why they could not be joined; empty: they were, or were too few
};

struct HousekeepingOptions {
  WallNs now_ns = 0;  // the store's time
  std::chrono::nanoseconds undo{};
  std::size_t retired_together_min = kRetiredTogetherMin;
  std::size_t sweep_records_together_min = kSweepRecordsTogetherMin;
};

class Housekeeping {
 public:
  Housekeeping(Repository& repository, const HousekeepingOptions& options)
      : repository_(repository), options_(options) {}

  // Deletes the manifests of `live` that are removed for longer than the undo time and not held. Errors: the store's.
  Result<void> drop_manifests(const LiveData& live);
  // Deletes damage marks of packs that a record names and that are gone, and the waits of records all of whose objects
  // are gone. `is_there`: whether an object of this digest is still there. Errors: the store's.
  Result<void> clear_marks(const LiveData& live, const std::vector<DeletionRecord>& records,
                           const std::function<bool(const Digest&)>& is_there);
  // Takes up old marks and fences, and rewrites retired objects. Errors: the store's.
  Result<void> retire(const LiveData& live);

  // Joins records of sweeps: what they prove of the packs and snapshots of `live` stays proven. Deletes those that are
  // damaged. Errors: kUnavailable, kCancelled; other failures are in the report.
  Result<void> join_sweep_records(const LiveData& live);

  [[nodiscard]] const HousekeepingReport& report() const { return report_; }

 private:
  Result<void> unjoined(const Error& error);

  Repository& repository_;
  const HousekeepingOptions options_;
  HousekeepingReport report_;
};

}  // namespace drs
