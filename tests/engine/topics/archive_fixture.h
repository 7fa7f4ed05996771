// A repository in memory and a cluster in memory, and archives of the one in the other.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/topics/archive.h"
#include "engine/topics/open_topics.h"
#include "tests/engine/pipeline/push/push_fixture.h"
#include "tests/engine/topics/fake_kafka.h"

namespace drs::test {

class ArchiveTest : public MemoryRepositoryTest {
 protected:
  ArchiveOptions options(const std::string& topics = "*") {
    ArchiveOptions options;
    options.stream = "prod";
    options.topics.include = {topics};
    options.host = "test";
    return options;
  }
  Result<ArchiveReport> archive(const ArchiveOptions& options) {
    DRS_ASSIGN_OR_RETURN(const ArchiveMemory memory,
                         plan_archive({.memory_bytes = kMemoryBytesMin, .threads = 2}, options.compression));
    DRS_ASSIGN_OR_RETURN(BufferArena arena, BufferArena::map(memory.push.arena_bytes));
    ProgressCounters progress;
    return drs::archive(*repository_, kafka_, kafka_, options, {memory, arena}, {progress, cancel_});
  }
  // The latest archive.
  std::unique_ptr<OpenTopics> open() {
    const SnapshotCatalog catalog = *load_snapshots(*repository_, "prod");
    auto open = OpenTopics::open(*repository_, *catalog.latest("prod"), 16 * kMiB, {});
    EXPECT_TRUE(open.ok()) << open.error().message;
    return open.ok() ? *std::move(open) : nullptr;
  }
  std::vector<FakeRecord> archived(TopicView& view, const std::string& topic, std::size_t partition,
                                   const RecordWindow& window = {}) {
    std::vector<FakeRecord> records;
    const CatalogueTopic* const found = view.find(topic);
    if (found == nullptr) return records;
    const auto visited = view.visit(found->partitions[partition], window, [&](const Record& record) -> Result<bool> {
      records.push_back(copy_of(record));
      return true;
    });
    EXPECT_TRUE(visited.ok()) << visited.error().message;
    return records;
  }

  FakeKafka kafka_;
  CancelToken cancel_;
};

}  // namespace drs::test
