// Which packs exist, which of them are condemned, and which of their blocks are marked as damaged: what may be
// deduplicated onto.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "engine/repository/damage.h"
#include "engine/repository/repository.h"

namespace drs {

struct PackInfo {
  Digest name;
  std::uint64_t bytes = 0;
  bool condemned = false;
  bool marked = false;  // some of its blocks, or all, are marked as damaged
};

class PackCatalog {
 public:
  // A record of condemned packs that cannot be read may condemn anything: a push must stop there (kFail, the record's
  // kCorrupt), a check goes on without it (kPassOver).
  enum class UnreadableCondemned : std::uint8_t { kFail, kPassOver };
  // Reads the condemned records, and only then lists packs and damage marks: a prune that is done with a record has
  // deleted its packs before. For a writer, which also names what else it lists at the same time (`with`, for
  // Repository::list to give), nothing that was listed ahead counts. Errors: the store's.
  static Result<PackCatalog> load(Repository& repository, UnreadableCondemned unreadable = UnreadableCondemned::kFail,
                                  std::span<const ObjectKind> with = {});
  // The packs that some prune is about to delete, or has deleted. Lists again where a record that was listed is gone;
  // kUnavailable when that does not end.
  static Result<std::vector<Digest>> load_condemned(Repository& repository,
                                                    UnreadableCondemned unreadable = UnreadableCondemned::kFail);
  // nullptr: no such pack.
  [[nodiscard]] const PackInfo* find(const Digest& name) const;
  // nullptr: no mark.
  [[nodiscard]] const PackMarks* marks_of(const Digest& name) const;
  [[nodiscard]] const MarkedPacks& marks() const { return marks_; }  // also of packs that are gone
  // Whether a push may use these bytes of a pack: not condemned, and no mark names one of them.
  [[nodiscard]] bool usable(const PackInfo& pack, std::uint32_t offset_bytes, std::uint32_t bytes) const;
  [[nodiscard]] const std::vector<PackInfo>& packs() const { return packs_; }  // sorted by name
  void add(const Digest& name, std::uint64_t bytes);                           // a pack this process has just stored
  [[nodiscard]] std::uint64_t total_bytes() const;

 private:
  static Result<std::optional<std::vector<Digest>>> try_load_condemned(Repository& repository,
                                                                       UnreadableCondemned unreadable);
  std::vector<PackInfo> packs_;
  std::vector<PackInfo> added_;
  MarkedPacks marks_;
};

}  // namespace drs
