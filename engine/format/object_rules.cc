#include "engine/format/object_rules.h"

#include <algorithm>
#include <array>

namespace drs {
namespace {

constexpr StoreRoles kNobody = {};  // `init` and `key` run with the owner's credentials
constexpr StoreRoles kWriters = {StoreRole::kWriter};
constexpr StoreRoles kPruners = {StoreRole::kPruner};
constexpr StoreRoles kWritersAndPruners = {StoreRole::kWriter, StoreRole::kPruner};
constexpr StoreRoles kAll = {StoreRole::kWriter, StoreRole::kSweeper, StoreRole::kPruner};

// - config/ and keys/ decide how everything is read, removed/ and condemned/ what is there no more: a writer creates
//   none of them, so that stolen credentials of a writer, with its key, cannot make snapshots disappear.
// - A pruner moves blocks, rewrites index objects, and puts fences in the place of manifests.
// - config/ is not cached: the next repository at this place has the same names. keys/ is not: a slot that was removed
//   must not live on elsewhere, and one without a passphrase holds the key itself.
using enum ObjectKind;
using enum WriteOrder;
using enum KeylessCheck;
constexpr bool kYes = true;
constexpr bool kNot = false;

// clang-format off
constexpr std::array<ObjectRule, 9> kRules = {{
    // kind      prefix        order         check           cached locked creators            lock_extenders
    {kConfig,    "config/",    kAtOnce,      kEndsInDigest,  kNot,  kYes,  kNobody,            kWriters},
    {kSlot,      "keys/",      kAtOnce,      kEndsInDigest,  kNot,  kYes,  kNobody,            kWriters},
    {kManifest,  "manifests/", kCommit,      kEndsInDigest,  kYes,  kYes,  kWritersAndPruners, kWritersAndPruners},
    {kPack,      "packs/",     kAnyOrder,    kNameIsDigest,  kNot,  kYes,  kWritersAndPruners, kWritersAndPruners},
    {kIndex,     "index/",     kAfterOthers, kNameIsDigest,  kYes,  kYes,  kWritersAndPruners, kWritersAndPruners},
    {kRemoved,   "removed/",   kAtOnce,      kEndsInDigest,  kYes,  kYes,  kPruners,           kPruners},
    {kSession,   "sessions/",  kAtOnce,      kEndsInDigest,  kNot,  kNot,  kWriters,           kNobody},
    {kCondemned, "condemned/", kAtOnce,      kEndsInDigest,  kNot,  kNot,  kPruners,           kNobody},
    {kDamaged,   "damaged/",   kAtOnce,      kEndsInDigest,  kNot,  kNot,  kAll,               kNobody},
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
