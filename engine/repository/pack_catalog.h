// Which packs exist, and which of them are condemned or marked as damaged: what may be deduplicated onto.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "engine/repository/repository.h"

namespace drs {

struct PackInfo {
  Digest name;
  std::uint64_t bytes = 0;
  bool condemned = false;
  bool damaged = false;
  [[nodiscard]] bool usable() const { return !condemned && !damaged; }
};

class PackCatalog {
 public:
  // A record of condemned packs that cannot be read may condemn anything: a push must stop there (kFail, the record's
  // kCorrupt), a check goes on without it (kPassOver).
  enum class UnreadableCondemned : std::uint8_t { kFail, kPassOver };
  // Lists condemned first, then packs and damage marks (DESIGN section 6). Errors: the store's.
  static Result<PackCatalog> load(Repository& repository, UnreadableCondemned unreadable = UnreadableCondemned::kFail);
  // The packs that some prune is about to delete. Errors: the store's.
  static Result<std::vector<Digest>> load_condemned(Repository& repository,
                                                    UnreadableCondemned unreadable = UnreadableCondemned::kFail);
  // nullptr: no such pack.
  [[nodiscard]] const PackInfo* find(const Digest& name) const;
  [[nodiscard]] const std::vector<PackInfo>& packs() const { return packs_; }  // sorted by name
  void add(const Digest& name, std::uint64_t bytes);                           // a pack this process has just stored
  [[nodiscard]] std::uint64_t total_bytes() const;

 private:
  std::vector<PackInfo> packs_;
  std::vector<PackInfo> added_;
};

}  // namespace drs
