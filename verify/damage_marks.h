// Sets and takes back the damage marks of one verify or scrub run (engine/repository/damage.h).
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/format/names.h"
#include "engine/repository/damage.h"
#include "io/bytes.h"
#include "io/clock.h"
#include "io/error_class.h"
#include "sinks/object_store.h"
#include "verify/finding_list.h"

namespace drs {

// Any thread, each with a store of its own.
class DamageMarks {
 public:
  // `found_by`: "verify" or "scrub". `read_only`: both calls do nothing.
  DamageMarks(FindingList& findings, const Clock& clock, std::string found_by, bool read_only)
      : findings_(findings), clock_(clock), found_by_(std::move(found_by)), read_only_(read_only) {}

  // What is marked already. Before the first of the calls below, while no other thread has begun.
  void know(MarkedPacks marked) { known_ = std::move(marked); }
  // Marks blocks of a pack as damaged, or, with none, the pack; once, and not what is marked already. A mark that
  // cannot be set is a warning among the findings.
  void set(ObjectStore& store, const Digest& pack, const std::string& problem, std::vector<DamagedBlock> blocks = {});
  // Takes the marks of a pack that proved whole back; with `found_by` only those that such a check set. A mark that
  // cannot be removed is a warning.
  void clear(ObjectStore& store, const Digest& pack, std::string_view found_by = {});

  [[nodiscard]] std::uint64_t set_count() const;
  [[nodiscard]] std::uint64_t cleared_count() const;  // packs

 private:
  FindingList& findings_;
  const Clock& clock_;
  const std::string found_by_;
  const bool read_only_;
  mutable std::mutex mutex_;
  MarkedPacks known_;
  std::uint64_t set_count_ = 0;
  std::uint64_t cleared_count_ = 0;
};

// Notes that something stands where the folder of some kind of object was expected. Without marks nothing is lost.
inline void report_bad_folder(FindingList& findings, std::string_view prefix, const Error& error) {
  findings.report(
      prefix == name_prefix(ObjectKind::kDamaged) ? Finding::Severity::kWarning : Finding::Severity::kDamage,
      std::string(prefix), error.message);
}

// The same, where `name` was listed like an object: "packs/3f". False: a bucket may hold such an object, and no harm is
// done.
inline Result<bool> check_occupied_folder(FindingList& findings, ObjectStore& store, const std::string& name) {
  const std::string prefix = name + "/";
  const auto listed = store.list(prefix, [](const ObjectInfo&) { return Result<void>(); });
  if (listed.ok()) return false;
  if (!is_damage(listed.error())) return listed.error();
  report_bad_folder(findings, prefix, listed.error());
  return true;
}

// A mark that cannot be read: its whole pack counts as marked, and nothing else is lost by it.
inline void report_bad_mark(FindingList& findings, const std::string& name, const std::string& problem) {
  findings.report(Finding::Severity::kWarning, name,
                  "the damage mark cannot be read, and counts as one of the whole pack: " + problem);
}

}  // namespace drs
