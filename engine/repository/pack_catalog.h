// Which packs exist, which of them are condemned, and which of their blocks are marked as damaged. Decides which blocks
// a push may reuse. Threads: one thread at a time.
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
  std::int64_t stored_ns = 0;     // the store's time; 0 if unknown
  std::int64_t changed_ns = 0;    // ObjectInfo::changed_ns
  std::uint16_t billed_days = 0;  // ObjectInfo::billed_days
  bool condemned = false;
  bool may_be_condemned = false;  // by an unreadable record: every listed pack with UnreadableCondemned::kDistrust
  bool marked = false;            // some or all of its blocks are marked as damaged
};

// The records under condemned/.
struct CondemnedList {
  struct Unreadable {
    std::string name;
    Error error;  // damage, or kDenied for this object alone
    // For a writer's user: names the record, its error, the consequence and the remedy.
    [[nodiscard]] std::string warning() const;
  };
  std::vector<Digest> packs;  // packs that a prune will delete or has deleted
  // Each may name every pack that is listed. The age of a pack proves nothing: a delayed PUT or the upload of a spool
  // puts an old pack again, and the pack is then younger than the record that names it.
  std::vector<Unreadable> unreadable;
};

class PackCatalog {
 public:
  // How to treat packs while a record is unreadable: a writer uses no listed pack (kDistrust), only those that it
  // stores itself (`add`); a check or a restore ignores the record (kPassOver).
  enum class UnreadableCondemned : std::uint8_t { kDistrust, kPassOver };
  // Reads the condemned records before it lists packs and damage marks. Errors: as load_condemned.
  static Result<PackCatalog> load(Repository& repository,
                                  UnreadableCondemned unreadable = UnreadableCondemned::kDistrust);
  // The same, but takes the lists of records, packs and marks from `listing`, if it has them. For a reader, which a
  // concurrent prune does not endanger.
  static Result<PackCatalog> load_from(Repository& repository, UnreadableCondemned unreadable, Listing& listing);
  // For a writer: reads the records of `listing`, then lists packs, marks and the kinds of `with` anew into `listing`.
  static Result<PackCatalog> load_with(Repository& repository, Listing& listing, std::span<const ObjectKind> with);
  // Lists again if a listed record has vanished. A record that is listed twice but never found counts as unreadable; so
  // does one to which access is denied while others can be read. Errors: kUnavailable (records vanish in every list);
  // with kDistrust kFormatTooNew (a record) and kDenied (all records); the store's.
  static Result<CondemnedList> load_condemned(Repository& repository,
                                              UnreadableCondemned unreadable = UnreadableCondemned::kDistrust);
  // Returns nullptr if the pack does not exist.
  [[nodiscard]] const PackInfo* find(const Digest& name) const;
  // Returns nullptr if the pack has no mark.
  [[nodiscard]] const PackMarks* marks_of(const Digest& name) const;
  [[nodiscard]] const MarkedPacks& marks() const { return marks_; }  // includes marks of missing packs
  // For a writer: the warning if damaged/ cannot be listed or read, so that no mark is known. Marks are advice, so this
  // is not an error.
  [[nodiscard]] std::optional<std::string> marks_warning() const;
  // The records that could not be read. A writer must warn about them.
  [[nodiscard]] const std::vector<CondemnedList::Unreadable>& unreadable_condemned() const { return unreadable_; }
  // Whether a push may use these bytes of a pack: the pack cannot be condemned, and no mark names any of the bytes.
  [[nodiscard]] bool usable(const PackInfo& pack, std::uint32_t offset_bytes, std::uint32_t bytes) const;
  [[nodiscard]] const std::vector<PackInfo>& packs() const { return packs_; }  // sorted by name
  [[nodiscard]] bool lists_the_packs_of(const PackCatalog& other) const;       // compares the names
  void add(const Digest& name, std::uint64_t bytes);                           // a pack that this process has stored
  // Listing::occupied_folders.
  [[nodiscard]] const std::vector<std::string>& occupied_folders() const { return occupied_folders_; }
  [[nodiscard]] std::uint64_t total_bytes() const;  // counts each pack with at most kPackBytesMax

 private:
  static Result<CondemnedList> load_condemned_from(Repository& repository, UnreadableCondemned unreadable,
                                                   Listing& listing);
  static Result<CondemnedList> read_listed_condemned(Repository& repository, UnreadableCondemned unreadable,
                                                     Listing& listing, ListingRounds& rounds);
  static Result<PackCatalog> make(Repository& repository, UnreadableCondemned unreadable, CondemnedList condemned,
                                  Listing& listing);
  Result<void> load_marks_of(Repository& repository, Listing& listing);
  std::vector<PackInfo> packs_;
  std::vector<PackInfo> added_;
  MarkedPacks marks_;
  std::optional<Error> marks_problem_;
  std::vector<CondemnedList::Unreadable> unreadable_;
  std::vector<std::string> occupied_folders_;
};

}  // namespace drs
