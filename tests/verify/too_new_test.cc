#include "verify/too_new.h"

#include <gtest/gtest.h>

#include <atomic>

#include "codecs/sha256.h"
#include "engine/format/names.h"
#include "tests/sinks/hook_store.h"
#include "tests/verify/check_runs.h"

namespace drs::test {
namespace {

constexpr std::size_t kVersionAt = 7;  // in an envelope

class TooNewTest : public ::testing::Test {
 protected:
  // The object's bytes, with the version of a later drstream.
  Bytes newer(const std::string& name) {
    Bytes bytes = stored_.object(name);
    bytes[kVersionAt] = 9;
    return bytes;
  }
  StoredRepository stored_;
};

TEST_F(TooNewTest, AFlippedBitOfAVersionIsDamage) {
  for (const std::string& name : {stored_.pack_first, stored_.index_first}) {
    stored_.objects->damage(name, newer(name));
    for (const bool read_data : {false, true}) {
      VerifySettings settings;
      settings.read_data = read_data;
      const CheckRun run = run_verify(stored_, settings);
      ASSERT_FALSE(run.error) << run.error->message;
      EXPECT_FALSE(run.has(Finding::Severity::kTooNew)) << described(run.report.findings);
      const Finding* const finding = run.about(name);
      if (!read_data && name == stored_.pack_first) continue;  // the pack is not read
      ASSERT_NE(finding, nullptr) << described(run.report.findings);
      EXPECT_EQ(finding->severity, Finding::Severity::kDamage);
    }
  }
}

TEST_F(TooNewTest, ABitOfAnIndexVersionThatFlipsWhileItIsNeededIsDamage) {
  stored_.objects->erase(stored_.pack_first);
  const auto hook = std::make_shared<StoreHook>();
  std::atomic<bool> index_was_read = false;
  *hook = [&](std::string_view operation, std::string_view key) -> std::optional<Error> {
    if (operation != "get") return std::nullopt;
    if (key == stored_.index_first) index_was_read = true;
    if (index_was_read && key.starts_with("manifests/"))  // only its directory is read after this
      stored_.objects->damage(stored_.index_first, newer(stored_.index_first));
    return std::nullopt;
  };
  const CheckRun run = run_verify(stored_, {.read_data = false}, [&](Repository& repository) {
    repository.replace_store(std::make_unique<HookStore>(stored_.store(), hook));
  });
  ASSERT_FALSE(run.error) << run.error->message;
  const Finding* const finding = run.about(stored_.index_first);
  ASSERT_NE(finding, nullptr) << described(run.report.findings);
  EXPECT_EQ(finding->severity, Finding::Severity::kDamage) << described(run.report.findings);
}

// The check of copies does not read all index objects first, as verify does.
TEST_F(TooNewTest, AFlippedBitOfAnIndexVersionIsDamageToTheCheckOfCopies) {
  stored_.objects->damage(stored_.index_first, newer(stored_.index_first));
  auto repository = stored_.open();
  ASSERT_TRUE(repository.ok());
  const auto catalog = load_snapshots(**repository);
  ASSERT_TRUE(catalog.ok());
  VerifyOptions options;
  options.memory_bytes = 32 * kMiB;
  options.threads = 1;
  ProgressCounters progress;
  CancelToken cancel;
  const auto report = verify_snapshots(**repository, *catalog, options, progress, cancel);
  ASSERT_TRUE(report.ok()) << report.error().message;
  ASSERT_FALSE(report->findings.empty());
  EXPECT_EQ(report->findings[0].object, stored_.index_first);
  EXPECT_EQ(report->findings[0].severity, Finding::Severity::kDamage) << described(report->findings);
}

TEST_F(TooNewTest, APackOfANewerDrstreamIsNoDamageAndGetsNoMark) {
  const Bytes pack = newer(stored_.pack_first);
  const std::string name = pack_name(sha256(pack));
  stored_.objects->insert(name, pack, 0);
  for (const bool read_data : {false, true}) {
    VerifySettings settings;
    settings.read_data = read_data;
    settings.read_only = false;
    const CheckRun run = run_verify(stored_, settings);
    const Finding* const finding = run.about(name);
    ASSERT_NE(finding, nullptr) << described(run.report.findings);
    EXPECT_EQ(finding->severity, Finding::Severity::kTooNew);
    EXPECT_FALSE(run.has(Finding::Severity::kDamage)) << described(run.report.findings);
    EXPECT_EQ(run.report.marked, 0U);
  }
  const auto scrubbed = run_scrub(stored_, {.read_only = false});
  ASSERT_TRUE(scrubbed.ok());
  ASSERT_EQ(scrubbed->findings.size(), 1U) << described(scrubbed->findings);
  EXPECT_EQ(scrubbed->findings[0].severity, Finding::Severity::kTooNew);
  EXPECT_EQ(scrubbed->marked, 0U);
}

}  // namespace
}  // namespace drs::test
