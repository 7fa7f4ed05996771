// A prune beside damaged manifests of removed snapshots.
#include <gtest/gtest.h>

#include "codecs/sha256.h"
#include "tests/engine/pipeline/keeping/keeping_fixture.h"

namespace drs {
namespace {

using test::random_stream;
using GivenUpTest = test::KeepingTest;

TEST_F(GivenUpTest, ADamagedManifestThatWasGivenUpNeedsNothing) {
  const Pushed lost = push_stream(random_stream(1, 400'000), "lost");
  const Pushed kept = push_stream(random_stream(2, 400'000), "kept");
  Bytes damaged = *objects_->find(lost.name)->bytes;
  damaged[damaged.size() / 2] ^= 1;
  objects_->damage(lost.name, damaged);
  RemovedMark mark;
  mark.manifest_name = lost.name;
  mark.manifest_digest = sha256(damaged);
  put(ObjectKind::kRemoved, removed_name(lost.name), encode_removed(mark));
  PruneOptions options = at_once();
  options.undo = std::chrono::hours(24);
  EXPECT_TRUE(prune_with(options).problems.empty());
  prune_with(options);
  EXPECT_EQ(names("packs/").size(), 1U);
  expect_restores(kept);
}

TEST_F(GivenUpTest, AManifestThatWasDamagedAfterItsRemovalProtectsEverything) {
  const Pushed removed = push_stream(random_stream(1, 400'000));
  push_stream(random_stream(2, 400'000));
  remove(removed);
  Bytes damaged = *objects_->find(removed.name)->bytes;
  damaged[damaged.size() / 2] ^= 1;
  objects_->damage(removed.name, damaged);
  PruneOptions options = at_once();
  options.undo = std::chrono::hours(24);
  EXPECT_EQ(prune_with(options).problems.size(), 1U) << "until the undo time has passed";
  EXPECT_TRUE(prune_with(at_once()).problems.empty());
}

}  // namespace
}  // namespace drs
