#include "verify/topic_check.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <functional>
#include <string>

#include "engine/format/document.h"
#include "engine/format/names.h"
#include "tests/engine/topics/archive_fixture.h"
#include "verify/sweep.h"
#include "verify/verify.h"

namespace drs::test {
namespace {

using ::testing::HasSubstr;

class TopicCheckTest : public ArchiveTest {
 protected:
  void append(const std::string& topic, int count) {
    FakePartition& partition = kafka_.partition(topic, 0);
    for (int i = 0; i < count; ++i)
      partition.append(
          {.timestamp_ms = 1'600'000'000'000, .key = "key", .value = topic + std::to_string(partition.end)});
  }
  void archive_all() {
    const auto report = archive(options());
    ASSERT_TRUE(report.ok()) << report.error().message;
  }
  VerifyReport verified(bool read_data) {
    VerifyOptions options;
    options.read_data = read_data;
    options.memory_bytes = 32 * kMiB;
    ProgressCounters progress;
    auto report = verify(*repository_, *load_snapshots(*repository_), options, progress, cancel_);
    EXPECT_TRUE(report.ok()) << report.error().message;
    return report.ok() ? *std::move(report) : VerifyReport();
  }
  // What is found of the latest archive, and nothing else: all of it is affected.
  std::string problem(bool read_data) {
    const VerifyReport report = verified(read_data);
    if (report.findings.size() != 1) return std::to_string(report.findings.size()) + " findings";
    const Finding& finding = report.findings.front();
    const SnapshotCatalog catalog = *load_snapshots(*repository_, "prod");
    EXPECT_EQ(finding.severity, Finding::Severity::kDamage);
    EXPECT_EQ(finding.object, catalog.latest("prod")->name);
    EXPECT_EQ(finding.affected_count, 1U);
    EXPECT_EQ(report.damaged_snapshots.size(), 1U);
    return finding.problem;
  }
  Manifest latest() { return open()->view().manifest(); }
  void store(const Manifest& manifest) {
    const std::string name = manifest_name(repository_->keys().stream_tag(manifest.stream), manifest.session);
    Bytes object = encode_document(repository_->keys(), ObjectKind::kManifest, name, *encode_manifest(manifest));
    objects_->damage(name, std::move(object));
  }
  // Replaces a stream of the latest archive by one with other bytes, stored as a push stores them: every block is what
  // its name says.
  void change_stream(std::size_t number, const std::function<void(Bytes&)>& change) {
    Manifest manifest = latest();
    ManifestStream& stream = manifest.streams.at(number);
    Bytes bytes = *open()->view().directories().read(stream, 0, stream.bytes);
    change(bytes);
    BufferSource source(bytes);
    PushOptions options;
    options.stream = "other";
    const PushMemory memory = *plan_push({.memory_bytes = kMemoryBytesMin, .threads = 2}, options.compression);
    BufferArena arena = *BufferArena::map(memory.arena_bytes);
    ProgressCounters progress;
    const auto pushed = push(*repository_, source, options, {memory, arena}, {progress, cancel_});
    ASSERT_TRUE(pushed.ok()) << pushed.error().message;
    const std::string label = stream.label;
    stream = pushed->manifest.streams.front();
    stream.label = label;
    stream.sha256.reset();
    store(manifest);
  }
  static void replace(Bytes& bytes, std::string_view text, std::string_view by) {
    const auto found = std::ranges::search(bytes, as_bytes(text));
    ASSERT_FALSE(found.empty());
    std::ranges::copy(as_bytes(by), found.begin());
  }
};

TEST_F(TopicCheckTest, FindsNothingInArchivesThatContinueEachOther) {
  for (const char* topic : {"orders", "empty", "bills"}) kafka_.add_topic(topic, 1);
  for (int run = 0; run < 4; ++run) {
    append("orders", 300);
    append("bills", 50);
    archive_all();
  }
  for (const bool read_data : {false, true}) {
    const VerifyReport report = verified(read_data);
    EXPECT_TRUE(report.findings.empty()) << report.findings.front().problem;
    // Each record once, though all later archives name it again.
    EXPECT_EQ(report.records_checked, read_data ? 1400U : 0U);
  }
  kafka_.partition("orders", 0).delete_before(450);  // a window within an extent
  archive_all();
  EXPECT_TRUE(verified(true).findings.empty());
}

TEST_F(TopicCheckTest, FindsRecordsThatAreNotThoseOfTheirIndex) {
  kafka_.add_topic("orders", 1);
  append("orders", 100);
  archive_all();
  change_stream(1, [](Bytes& bytes) { replace(bytes, "orders42", "orders4x"); });
  EXPECT_EQ(problem(false), "0 findings") << "without the data, records are not read";
  EXPECT_THAT(problem(true), HasSubstr("topic orders: extent of partition 0"));
  EXPECT_THAT(problem(true), HasSubstr("are others than its index states"));
}

TEST_F(TopicCheckTest, IsPartOfASweepThatRebuildsSnapshots) {
  kafka_.add_topic("orders", 1);
  append("orders", 100);
  archive_all();
  const auto sweep_of_rebuilds = [&] {
    SweepOptions options;
    options.level = SweepLevel::kRebuild;
    options.memory_bytes = 32 * kMiB;
    ProgressCounters progress;
    auto report = sweep(*repository_, *load_snapshots(*repository_), options, progress, cancel_);
    EXPECT_TRUE(report.ok()) << report.error().message;
    return report.ok() ? *std::move(report) : SweepReport();
  };
  SweepReport report = sweep_of_rebuilds();
  EXPECT_TRUE(report.checked.findings.empty()) << report.checked.findings.front().problem;
  EXPECT_EQ(report.checked.snapshots_rebuilt, 1U);
  EXPECT_EQ(report.checked.records_checked, 100U);
  change_stream(1, [](Bytes& bytes) { replace(bytes, "orders42", "orders4x"); });
  report = sweep_of_rebuilds();
  ASSERT_FALSE(report.checked.findings.empty());
  EXPECT_THAT(report.checked.findings.front().problem, HasSubstr("are others than its index states"));
  EXPECT_EQ(report.due_snapshots, 2U) << "the archive that was changed, and what the change was stored with";
}

TEST_F(TopicCheckTest, FindsAnOffsetThatIsAGapOfItsIndex) {
  FakePartition& partition = kafka_.add_topic("orders", 1).partitions[0];
  append("orders", 50);
  partition.skip(3);
  append("orders", 30);
  partition.skip(5);
  append("orders", 20);
  archive_all();
  // The runs of offsets: the last record before the second gap moves behind it, which the digest does not show.
  const auto text = [](const Bytes& bytes) { return std::string(as_text(bytes)); };
  change_stream(1, [&](Bytes& bytes) { replace(bytes, text({0, 50, 3, 30, 5, 20}), text({0, 50, 3, 29, 5, 21})); });
  EXPECT_EQ(problem(false), "0 findings");
  EXPECT_THAT(problem(true), HasSubstr("are others than its index states"));
}

TEST_F(TopicCheckTest, FindsThemInEveryArchiveThatNamesThem) {
  kafka_.add_topic("orders", 1);
  append("orders", 100);
  archive_all();
  change_stream(1, [](Bytes& bytes) { replace(bytes, "orders42", "orders4x"); });
  append("orders", 10);
  archive_all();
  EXPECT_EQ(verified(true).damaged_snapshots.size(), 2U);
}

TEST_F(TopicCheckTest, FindsACatalogueThatIsNone) {
  kafka_.add_topic("orders", 1);
  append("orders", 100);
  archive_all();
  change_stream(0, [](Bytes& bytes) { bytes[bytes.size() - kCatalogueTrailerBytes - 1] ^= 1; });
  for (const bool read_data : {false, true}) EXPECT_THAT(problem(read_data), HasSubstr("catalogue"));
}

TEST_F(TopicCheckTest, FindsADirectoryThatIsNone) {
  kafka_.add_topic("orders", 1);
  append("orders", 100);
  archive_all();
  change_stream(1, [](Bytes& bytes) { bytes[bytes.size() - kSegmentTrailerBytes - 1] ^= 1; });
  EXPECT_THAT(problem(false), HasSubstr("directory of stream"));
}

TEST_F(TopicCheckTest, FindsTheRecordsOfAnotherTopic) {
  for (const char* topic : {"orders", "change"}) {
    kafka_.add_topic(topic, 1);
    append(topic, 100);
  }
  ArchiveOptions one = options("orders");
  ASSERT_TRUE(archive(one).ok());
  const Manifest orders = latest();
  one = options("change");
  one.stream = "changes";
  ASSERT_TRUE(archive(one).ok());
  const SnapshotCatalog catalog = *load_snapshots(*repository_, "changes");
  Manifest manifest = *read_manifest(*repository_, repository_->store(), *catalog.latest("changes"));
  const std::string label = manifest.streams.at(1).label;
  manifest.streams.at(1) = orders.streams.at(1);
  manifest.streams.at(1).label = label;
  store(manifest);
  const VerifyReport report = verified(false);
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_EQ(report.findings.front().object, catalog.latest("changes")->name);
}

}  // namespace
}  // namespace drs::test
