// Sets and takes back the damage marks of one verify or scrub run (engine/repository/damage.h).
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_set>

#include "io/bytes.h"
#include "io/clock.h"
#include "sinks/object_store.h"
#include "verify/finding_list.h"

namespace drs {

// Any thread, each with a store of its own.
class DamageMarks {
 public:
  // `found_by`: "verify" or "scrub". `read_only`: both calls do nothing.
  DamageMarks(FindingList& findings, const Clock& clock, std::string found_by, bool read_only)
      : findings_(findings), clock_(clock), found_by_(std::move(found_by)), read_only_(read_only) {}

  // Marks a pack as damaged, once. A mark that cannot be set is a warning among the findings.
  void set(ObjectStore& store, const Digest& pack, const std::string& problem);
  // Takes the mark of a pack back. A mark that cannot be removed is a warning.
  void clear(ObjectStore& store, const Digest& pack);

  [[nodiscard]] std::uint64_t set_count() const;
  [[nodiscard]] std::uint64_t cleared_count() const;

 private:
  FindingList& findings_;
  const Clock& clock_;
  const std::string found_by_;
  const bool read_only_;
  mutable std::mutex mutex_;
  std::unordered_set<Digest, FixedBytesHash> seen_;
  std::uint64_t set_count_ = 0;
  std::uint64_t cleared_count_ = 0;
};

}  // namespace drs
