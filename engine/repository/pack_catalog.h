// Which packs exist, which of them are condemned, and which of their blocks are marked as damaged: what may be
// deduplicated onto.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/repository/damage.h"
#include "engine/repository/listed_again.h"
#include "engine/repository/repository.h"

namespace drs {

struct PackInfo {
  Digest name;
  std::uint64_t bytes = 0;
  bool condemned = false;
  bool may_be_condemned = false;  // by a record that cannot be read; only with UnreadableCondemned::kDistrust
  bool marked = false;            // some of its blocks, or all, are marked as damaged
};

// What the records under condemned/ say.
struct CondemnedList {
  struct Unreadable {
    std::string name;
    std::int64_t modified_ns = 0;  // the store's time; 0 where unknown
    Error error;                   // damage, or kDenied of this object alone
    // For whoever writes: the record, what is wrong with it, and what brings things back in order.
    [[nodiscard]] std::string warning() const;
  };
  std::vector<Digest> packs;  // that some prune is about to delete, or has deleted
  std::vector<Unreadable> unreadable;

  // An unreadable record that may name a pack of this time (the store's; 0: unknown); nullptr: none. It names packs
  // that were there before it. So one that is younger by more than an hour is none of them: an hour covers coarse times
  // of files and servers of one store whose clocks differ.
  [[nodiscard]] const Unreadable* that_may_name(std::int64_t pack_modified_ns) const;
};

class PackCatalog {
 public:
  // What becomes of packs that a record which cannot be read may condemn: a writer uses none of them (kDistrust), a
  // check or a restore takes no notice (kPassOver).
  enum class UnreadableCondemned : std::uint8_t { kDistrust, kPassOver };
  // Reads the condemned records, and only then lists packs and damage marks: a prune that is done with a record has
  // deleted its packs before. For a writer, which also names what else it lists at the same time (`with`, for
  // Repository::list to give), nothing that was listed ahead counts. Errors: the store's; kFormatTooNew (a record).
  static Result<PackCatalog> load(Repository& repository,
                                  UnreadableCondemned unreadable = UnreadableCondemned::kDistrust,
                                  std::span<const ObjectKind> with = {});
  // Lists again where a record that was listed is gone; kUnavailable when that does not end. One that is listed twice
  // and never there counts as unreadable, and so does one that may not be read where others may. Where the unreadable
  // ones matter: kFormatTooNew (of a record), kDenied (of all records).
  static Result<CondemnedList> load_condemned(Repository& repository,
                                              UnreadableCondemned unreadable = UnreadableCondemned::kDistrust);
  // nullptr: no such pack.
  [[nodiscard]] const PackInfo* find(const Digest& name) const;
  // nullptr: no mark.
  [[nodiscard]] const PackMarks* marks_of(const Digest& name) const;
  [[nodiscard]] const MarkedPacks& marks() const { return marks_; }  // also of packs that are gone
  // For whoever writes: why no mark is known, where damaged/ cannot be listed or read. A mark is advice, so that ends
  // nothing.
  [[nodiscard]] std::optional<std::string> marks_warning() const;
  // The records that could not be read. Whoever uses this catalog for writing tells of them.
  [[nodiscard]] const std::vector<CondemnedList::Unreadable>& unreadable_condemned() const { return unreadable_; }
  // Whether a push may use these bytes of a pack: not condemned for all that is known, and no mark names one of them.
  [[nodiscard]] bool usable(const PackInfo& pack, std::uint32_t offset_bytes, std::uint32_t bytes) const;
  [[nodiscard]] const std::vector<PackInfo>& packs() const { return packs_; }  // sorted by name
  [[nodiscard]] bool lists_the_packs_of(const PackCatalog& other) const;       // the same names
  void add(const Digest& name, std::uint64_t bytes);                           // a pack this process has just stored
  [[nodiscard]] std::uint64_t total_bytes() const;  // one that is listed as longer than a pack can be: as the longest

 private:
  static Result<CondemnedList> read_listed_condemned(Repository& repository, UnreadableCondemned unreadable,
                                                     ListingRounds& rounds);
  Result<void> load_marks_of(Repository& repository);
  std::vector<PackInfo> packs_;
  std::vector<PackInfo> added_;
  MarkedPacks marks_;
  std::optional<Error> marks_problem_;
  std::vector<CondemnedList::Unreadable> unreadable_;
};

}  // namespace drs
