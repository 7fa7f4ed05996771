#include "engine/format/object_rules.h"

#include <gtest/gtest.h>

#include <set>

#include "engine/format/names.h"

namespace drs {
namespace {

TEST(ObjectRules, EveryKindHasOne) {
  std::set<std::string_view> prefixes;
  for (int kind = 0; kind <= 255; ++kind) {
    if (!is_known_kind(static_cast<std::uint8_t>(kind))) continue;
    const ObjectRule& rule = object_rule(static_cast<ObjectKind>(kind));
    prefixes.insert(rule.prefix);
    EXPECT_EQ(find_object_rule(rule.prefix), &rule);
    EXPECT_EQ(name_prefix(static_cast<ObjectKind>(kind)), rule.prefix);
  }
  EXPECT_EQ(prefixes.size(), object_rules().size());
  EXPECT_EQ(find_object_rule("doctor/"), nullptr);
  EXPECT_EQ(find_object_rule("packs"), nullptr);
  EXPECT_EQ(find_object_rule(""), nullptr);
}

TEST(ObjectRules, ASnapshotIsWrittenFromItsPacksToItsManifest) {
  for (const ObjectRule& rule : object_rules()) {
    const WriteOrder expected = rule.kind == ObjectKind::kPack       ? WriteOrder::kAnyOrder
                                : rule.kind == ObjectKind::kIndex    ? WriteOrder::kAfterOthers
                                : rule.kind == ObjectKind::kManifest ? WriteOrder::kCommit
                                                                     : WriteOrder::kAtOnce;
    EXPECT_EQ(rule.order, expected) << rule.prefix;
  }
}

// With a writer's credentials and key, an attacker can add objects, but cannot make any disappear.
TEST(ObjectRules, AWriterCreatesNothingThatHidesOrReplacesWhatIsThere) {
  for (const std::string_view prefix :
       {"config/", "keys/", "removed/", "retired/", "kept/", "condemned/", "waits/", "verified/"})
    EXPECT_FALSE(find_object_rule(prefix)->creators.contains(StoreRole::kWriter)) << prefix;
  for (const ObjectRule& rule : object_rules())
    EXPECT_EQ(rule.creators.contains(StoreRole::kSweeper),
              rule.kind == ObjectKind::kDamaged || rule.kind == ObjectKind::kVerified)
        << rule.prefix;
}

TEST(ObjectRules, NoRoleDeletesWhatDeterminesHowToReadWhatIsCondemnedForEverAndWhatIsHeld) {
  EXPECT_EQ(object_prefixes([](const ObjectRule& rule) { return !rule.removers.contains(StoreRole::kPruner); }),
            (std::vector<std::string>{"config/", "keys/", "kept/", "holds/", "condemned/"}));
  for (const ObjectRule& rule : object_rules())
    for (const StoreRole role : {StoreRole::kWriter, StoreRole::kSweeper})
      EXPECT_FALSE(rule.removers.contains(role)) << rule.prefix;
}

TEST(ObjectRules, WhatMakesASnapshotReadableIsLockedAndWhatIsRemovedAgainIsNot) {
  EXPECT_EQ(object_prefixes([](const ObjectRule& rule) { return rule.locked; }),
            (std::vector<std::string>{"config/", "keys/", "manifests/", "packs/", "index/", "removed/", "retired/",
                                      "kept/", "holds/"}));
  for (const ObjectRule& rule : object_rules())
    EXPECT_EQ(rule.locked,
              rule.lock_extenders.contains(StoreRole::kWriter) || rule.lock_extenders.contains(StoreRole::kPruner))
        << rule.prefix;
}

TEST(ObjectRules, TheCacheKeepsNeitherConfigsNorKeysNorData) {
  EXPECT_EQ(object_prefixes([](const ObjectRule& rule) { return rule.cached; }),
            (std::vector<std::string>{"manifests/", "index/", "removed/", "retired/", "kept/", "holds/", "condemned/",
                                      "verified/"}));
}

}  // namespace
}  // namespace drs
