// What holds for each kind of stored object, in one table: where it lies, when a push writes it, what may be kept of it
// on other machines, what is locked, and which role creates it (docs/FORMAT.md "Objects").
// The spool, the cache, `--lock-days`, `policy` and `doctor` read it; a new kind of object is a new row.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/format/kinds.h"

namespace drs {

// Whom a store's credentials are for: each role does a part of the work, and can do no more harm than that part needs.
enum class StoreRole : std::uint8_t {
  kWriter,   // push, pull, list, verify, scrub: creates objects and reads them
  kSweeper,  // verify, scrub, list, pull: reads, and marks what is damaged
  kPruner,   // reads, removes, and writes what removal leaves
};

// When a push writes an object: nothing is written before what it names (docs/DESIGN.md "Write order").
enum class WriteOrder : std::uint8_t {
  kAtOnce,       // not part of a snapshot: straight to the store, whatever else waits
  kAnyOrder,     // names nothing
  kAfterOthers,  // names what was written before it
  kCommit,       // makes the snapshot: after everything else
};

// How the bytes of an object are checked without a key.
enum class KeylessCheck : std::uint8_t {
  kNameIsDigest,  // the name is the SHA-256 of the whole object
  kEndsInDigest,  // a document: its last 32 bytes are the SHA-256 of those before
};

class StoreRoles {
 public:
  constexpr StoreRoles(std::initializer_list<StoreRole> roles) {
    for (const StoreRole role : roles) bits_ = static_cast<std::uint8_t>(bits_ | bit(role));
  }
  [[nodiscard]] constexpr bool contains(StoreRole role) const { return (bits_ & bit(role)) != 0; }

 private:
  static constexpr std::uint8_t bit(StoreRole role) {
    return static_cast<std::uint8_t>(1U << static_cast<std::uint8_t>(role));
  }
  std::uint8_t bits_ = 0;
};

struct ObjectRule {
  ObjectKind kind;
  std::string_view prefix;  // what its names begin with: "packs/"
  WriteOrder order;
  KeylessCheck check;
  // Whether the cache may keep it: what is read again and again.
  bool cached;
  // Whether --lock-days locks it. What is made to be removed again is not locked.
  bool locked;
  StoreRoles creators;
  StoreRoles lock_extenders;
};

// One row for each prefix, those without which nothing can be read first. A fence lies under a manifest's name.
std::span<const ObjectRule> object_rules();
const ObjectRule& object_rule(ObjectKind kind);
// The rule for objects below "packs/"; none for a prefix that is not ours.
const ObjectRule* find_object_rule(std::string_view prefix);

// The prefixes of the rows for which `chosen` holds.
std::vector<std::string> object_prefixes(bool (*chosen)(const ObjectRule& rule));

}  // namespace drs
