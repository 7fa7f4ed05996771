#include "engine/format/object_rules.h"

#include <algorithm>
#include <array>

namespace drs {
namespace {

constexpr StoreRoles kNobody = {};  // none of the roles: `init` and `key` run with the owner's credentials
constexpr StoreRoles kWriters = {StoreRole::kWriter};
constexpr StoreRoles kPruners = {StoreRole::kPruner};
constexpr StoreRoles kBoth = {StoreRole::kWriter, StoreRole::kPruner};
constexpr StoreRoles kProvers = {StoreRole::kSweeper, StoreRole::kPruner};
constexpr StoreRoles kAll = {StoreRole::kWriter, StoreRole::kSweeper, StoreRole::kPruner};

// - config/ and keys/ determine how all objects are read; removed/, retired/ and condemned/ list removed objects, and
//   an object under kept/ may end a hold. A writer creates none of these, so that its stolen credentials, even with its
//   key, cannot make snapshots disappear. What it creates under holds/ counts for a year at most.
// - condemned/, kept/ and holds/ are never deleted: a pack whose record is gone would be used again, and a hold would
//   end without a trace.
// - What a writer stores under verified/ would let its host vouch for what nobody has read.
// - A pruner moves blocks, rewrites index objects, writes fences under the names of manifests, and commits removed
//   snapshots again, for which it needs a session.
// - config/ is not cached: a later repository at the same location has the same names. keys/ is not cached: a removed
//   slot must not survive elsewhere, and a clear slot contains the key itself.
using enum ObjectKind;
using enum WriteOrder;
using enum KeylessCheck;
constexpr bool kYes = true;
constexpr bool kNot = false;

// clang-format off
constexpr std::array<ObjectRule, 14> kRules = {{
    // kind      prefix        order         check           cached locked creators  removers  lock_extenders
    {kConfig,    "config/",    kAtOnce,      kEndsInDigest,  kNot,  kYes,  kNobody,  kNobody,  kWriters},
    {kSlot,      "keys/",      kAtOnce,      kEndsInDigest,  kNot,  kYes,  kNobody,  kNobody,  kWriters},
    {kManifest,  "manifests/", kCommit,      kEndsInDigest,  kYes,  kYes,  kBoth,    kPruners, kBoth},
    {kPack,      "packs/",     kAnyOrder,    kNameIsDigest,  kNot,  kYes,  kBoth,    kPruners, kBoth},
    {kIndex,     "index/",     kAfterOthers, kNameIsDigest,  kYes,  kYes,  kBoth,    kPruners, kBoth},
    {kRemoved,   "removed/",   kAtOnce,      kEndsInDigest,  kYes,  kYes,  kPruners, kPruners, kPruners},
    {kRetired,   "retired/",   kAtOnce,      kEndsInDigest,  kYes,  kYes,  kPruners, kPruners, kPruners},
    {kKept,      "kept/",      kAtOnce,      kEndsInDigest,  kYes,  kYes,  kPruners, kNobody,  kPruners},
    {kHold,      "holds/",     kAtOnce,      kEndsInDigest,  kYes,  kYes,  kBoth,    kNobody,  kBoth},
    {kSession,   "sessions/",  kAtOnce,      kEndsInDigest,  kNot,  kNot,  kBoth,    kPruners, kNobody},
    {kCondemned, "condemned/", kAtOnce,      kEndsInDigest,  kYes,  kNot,  kPruners, kNobody,  kNobody},
    {kWaits,     "waits/",     kAtOnce,      kEndsInDigest,  kNot,  kNot,  kPruners, kPruners, kNobody},
    {kVerified,  "verified/",  kAtOnce,      kEndsInDigest,  kYes,  kNot,  kProvers, kPruners, kNobody},
    {kDamaged,   "damaged/",   kAtOnce,      kEndsInDigest,  kNot,  kNot,  kAll,     kPruners, kNobody},
}};
// clang-format on

}  // namespace

std::span<const ObjectRule> object_rules() {
  return kRules;
}

const ObjectRule& object_rule(ObjectKind kind) {
  if (kind == ObjectKind::kFence) kind = ObjectKind::kManifest;
  const auto found = std::ranges::find(kRules, kind, &ObjectRule::kind);
  DRS_ASSERT(found != kRules.end(), "an object kind without a rule");
  return *found;
}

const ObjectRule* find_object_rule(std::string_view prefix) {
  const auto found = std::ranges::find(kRules, prefix, &ObjectRule::prefix);
  return found == kRules.end() ? nullptr : &*found;
}

std::vector<std::string> object_prefixes(bool (*chosen)(const ObjectRule& rule)) {
  std::vector<std::string> prefixes;
  for (const ObjectRule& rule : kRules)
    if (chosen(rule)) prefixes.emplace_back(rule.prefix);
  return prefixes;
}

}  // namespace drs
