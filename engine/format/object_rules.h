// The rules for each kind of stored object, in one table: its prefix, when a push writes it, whether it is cached and
// locked, and which roles create and delete it (docs/FORMAT.md "Objects").
// The spool, the cache, `--lock-days`, `policy` and `doctor` use it; a new kind of object is a new row.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codecs/keyless_check.h"
#include "engine/format/kinds.h"

namespace drs {

// The roles of store credentials. Each role may do only what its commands need, which limits the harm of stolen
// credentials.
enum class StoreRole : std::uint8_t {
  kWriter,   // push, pull, list, verify, scrub: creates and reads objects
  kSweeper,  // sweep, verify, scrub, list, pull: reads objects, creates damage marks and evidence
  kPruner,   // reads and removes objects, and writes those that replace or record removed ones
};

// When a push writes an object: after all objects that it refers to (docs/DESIGN.md "Write order").
enum class WriteOrder : std::uint8_t {
  kAtOnce,       // not part of a snapshot: written immediately, without waiting for other objects
  kAnyOrder,     // refers to no other object
  kAfterOthers,  // refers to objects written before it
  kCommit,       // commits the snapshot: written after all other objects
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
  std::string_view prefix;  // of its names: "packs/"
  WriteOrder order;
  KeylessCheck check;
  // Whether the cache may keep it: for objects that are read repeatedly.
  bool cached;
  // Whether --lock-days locks it. Temporary objects are not locked.
  bool locked;
  StoreRoles creators;
  // Who deletes it, apart from the owner, and from processes that remove their own session objects where they may.
  StoreRoles removers;
  StoreRoles lock_extenders;
};

// One row per prefix; the kinds needed to read all others come first. A fence has a manifest's name and no row.
std::span<const ObjectRule> object_rules();
const ObjectRule& object_rule(ObjectKind kind);
// The rule for a prefix such as "packs/"; null for a prefix that drstream does not use.
const ObjectRule* find_object_rule(std::string_view prefix);

// The prefixes of the rows for which `chosen` returns true.
std::vector<std::string> object_prefixes(bool (*chosen)(const ObjectRule& rule));

}  // namespace drs
