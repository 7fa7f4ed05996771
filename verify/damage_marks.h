// Writes and removes the damage marks of one verify or scrub run (engine/repository/damage.h).
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/format/names.h"
#include "engine/repository/damage.h"
#include "io/base/bytes.h"
#include "io/base/clock.h"
#include "io/base/error_class.h"
#include "sinks/object_store.h"
#include "verify/finding_list.h"

namespace drs {

enum class Marking : std::uint8_t { kWritten, kReadOnly };

// Any thread, each with a store of its own.
class DamageMarks {
 public:
  // `found_by`: "verify" or "scrub". With kReadOnly, `set` and `clear` do nothing.
  DamageMarks(FindingList& findings, const Clock& clock, std::string found_by, Marking marking)
      : findings_(findings), clock_(clock), found_by_(std::move(found_by)), marking_(marking) {}

  // States which marks exist. Call before `set` and `clear`, while one thread runs.
  void know(MarkedPacks marked) { known_ = std::move(marked); }
  // Marks blocks of a pack as damaged; without blocks, the whole pack. Skips what is marked already. A mark that cannot
  // be written becomes a warning in the findings.
  void set(ObjectStore& store, const Digest& pack, const std::string& problem, std::vector<DamagedBlock> blocks = {});
  // Removes the marks of a pack that proved intact; with `found_by`, only the marks that this command wrote. A mark
  // that cannot be removed becomes a warning.
  void clear(ObjectStore& store, const Digest& pack, std::string_view found_by = {});

  [[nodiscard]] std::uint64_t set_count() const;
  [[nodiscard]] std::uint64_t cleared_count() const;  // packs

 private:
  FindingList& findings_;
  const Clock& clock_;
  const std::string found_by_;
  const Marking marking_;
  mutable std::mutex mutex_;
  MarkedPacks known_;
  std::uint64_t set_count_ = 0;
  std::uint64_t cleared_count_ = 0;
};

// Reports that a folder of objects cannot be listed, because something else has its name. For the folders of damage
// marks and of records of sweeps this is a warning: without them no data is lost.
inline void report_bad_folder(FindingList& findings, std::string_view prefix, const Error& error) {
  findings.report(prefix == name_prefix(ObjectKind::kDamaged) || prefix == name_prefix(ObjectKind::kVerified)
                      ? Finding::Severity::kWarning
                      : Finding::Severity::kDamage,
                  std::string(prefix), error.message);
}

// Checks a folder whose name was listed as an object: "packs/3f". Returns true if it reported a finding. Returns false
// if the folder can still be listed: a bucket may hold such an object, which does no harm.
inline Result<bool> check_occupied_folder(FindingList& findings, ObjectStore& store, const std::string& name) {
  const std::string prefix = name + "/";
  const auto listed = store.list(prefix, [](const ObjectInfo&) { return Result<void>(); });
  if (listed.ok()) return false;
  if (!is_damage(listed.error())) return listed.error();
  report_bad_folder(findings, prefix, listed.error());
  return true;
}

// Reports an unreadable record of a sweep. What it proved counts as unproven; no data is lost.
inline void report_bad_record(FindingList& findings, const std::string& name, const std::string& problem) {
  findings.report(
      Finding::Severity::kWarning, name,
      "the record of a sweep cannot be read, so that what it proved counts as unproven; a prune removes it if it is "
      "damaged: " +
          problem);
}

// Reports an unreadable mark. Its whole pack counts as marked; no data is lost.
inline void report_bad_mark(FindingList& findings, const std::string& name, const std::string& problem) {
  findings.report(Finding::Severity::kWarning, name,
                  "the damage mark cannot be read; its whole pack counts as marked: " + problem);
}

}  // namespace drs
