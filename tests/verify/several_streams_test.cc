// Snapshots of several streams, as archives of topics will have, and fences: verify and scrub check them like others.
#include <gtest/gtest.h>

#include "engine/format/document.h"
#include "engine/format/names.h"
#include "tests/verify/check_runs.h"

namespace drs::test {
namespace {

class SeveralStreamsTest : public ::testing::Test {
 protected:
  CheckRun rebuild() {
    VerifySettings settings;
    settings.rebuild = true;
    return run_verify(stored_, settings);
  }
  // Segments of topics alone: there is no catalogue to check.
  std::string add_segments(const std::function<void(Manifest&)>& change = {}) {
    return stored_.add_archive([&](Manifest& manifest) {
      manifest.content = ManifestContent::kTopicSegments;
      if (change) change(manifest);
    });
  }
  StoredRepository stored_;
};

TEST_F(SeveralStreamsTest, AreCheckedAndRebuiltOneAfterTheOther) {
  add_segments();
  const CheckRun run = rebuild();
  ASSERT_FALSE(run.error) << run.error->message;
  EXPECT_FALSE(run.detected()) << described(run.report.findings);
  EXPECT_EQ(run.report.snapshots, 4U);
  EXPECT_EQ(run.report.snapshots_rebuilt, 4U);
  EXPECT_EQ(run.report.recipe_parts, 5U);
}

TEST_F(SeveralStreamsTest, DamageToTheLastOneIsFound) {
  const std::string name =
      add_segments([](Manifest& manifest) { manifest.streams.back().parts.back().block.counter += 1000; });
  for (const bool read_data : {false, true}) {
    VerifySettings settings;
    settings.read_data = read_data;
    const CheckRun run = run_verify(stored_, settings);
    ASSERT_NE(run.about(name), nullptr) << described(run.report.findings);
    EXPECT_EQ(run.about(name)->affected_count, 1U);
  }
}

TEST_F(SeveralStreamsTest, ADigestOfTheLastOneThatIsNotItsBytesIsFoundByRebuildingIt) {
  const std::string name = add_segments([](Manifest& manifest) { manifest.streams.back().xxh3.data[0] ^= 1; });
  EXPECT_FALSE(run_verify(stored_).detected());
  const CheckRun run = rebuild();
  ASSERT_NE(run.about(name), nullptr) << described(run.report.findings);
  EXPECT_EQ(run.report.snapshots_rebuilt, 3U);
}

TEST_F(SeveralStreamsTest, AFenceIsNoDamageToVerifyOrScrub) {
  const auto repository = stored_.open();
  const RepositoryKeys& keys = (*repository)->keys();
  Uuid session;
  session.data.fill(55);
  const std::string name = manifest_name(keys.stream_tag("db"), session);
  const Bytes fence = encode_document(keys, ObjectKind::kFence, name, encode_fence({session, "db", 1, "prune"}));
  stored_.objects->insert(name, fence, 0);
  const CheckRun run = rebuild();
  EXPECT_FALSE(run.detected()) << described(run.report.findings);
  EXPECT_EQ(run.report.snapshots, 3U);
  const auto scrubbed = run_scrub(stored_);
  ASSERT_TRUE(scrubbed.ok());
  EXPECT_TRUE(scrubbed->findings.empty()) << described(scrubbed->findings);
  // A damaged fence is.
  Bytes rotten = fence;
  rotten[rotten.size() / 2] ^= 1;
  stored_.objects->damage(name, rotten);
  EXPECT_NE(rebuild().about(name), nullptr);
  EXPECT_EQ(run_scrub(stored_)->findings.size(), 1U);
}

}  // namespace
}  // namespace drs::test
