// A repository in memory whose store has a clock that the test sets; real pushes into it, removals, and prunes.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/format/marks.h"
#include "engine/format/retention.h"
#include "engine/pipeline/keeping/prune.h"
#include "engine/repository/block_mover.h"
#include "engine/repository/pack_table.h"
#include "engine/repository/snapshots.h"
#include "tests/engine/pipeline/push/push_fixture.h"

namespace drs::test {

// The time of the store's objects, in every thread.
class SetClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t wall_ns() const override { return now_ns_; }
  [[nodiscard]] std::chrono::steady_clock::time_point steady() const override {
    return std::chrono::steady_clock::now();
  }
  void advance(std::chrono::nanoseconds duration) { now_ns_ += duration.count(); }

 private:
  std::atomic<std::int64_t> now_ns_{1'790'000'000LL * 1'000'000'000LL};
};

class KeepingTest : public PushTest {
 protected:
  void SetUp() override {
    PushTest::SetUp();
    repository_->replace_store(make_memory_store(objects_, &store_clock_));
  }

  struct Pushed {
    Manifest manifest;
    std::string name;
    Bytes stream;
  };
  Pushed push_stream(Bytes stream, const std::string& name = "s") {
    PushOptions options;
    options.stream = name;
    const auto report = push_bytes(stream, 2, options);
    EXPECT_TRUE(report.ok()) << report.error().message;
    const std::string manifest = manifest_name(repository_->keys().stream_tag(name), report->manifest.session);
    return {report->manifest, manifest, std::move(stream)};
  }
  // As forget does.
  void remove(const Pushed& pushed) {
    const auto object = objects_->find(pushed.name);
    const RemovedMark mark{.manifest_name = pushed.name,
                           .manifest_digest = document_identity(*object->bytes),
                           .stream = pushed.manifest.stream,
                           .sequence = pushed.manifest.sequence,
                           .removed_ns = store_clock_.wall_ns(),
                           .reason = "test"};
    put(ObjectKind::kRemoved, removed_name(pushed.name), encode_removed(mark));
  }
  void put(ObjectKind kind, const std::string& name, const Bytes& body) {
    ASSERT_TRUE(objects_->insert(name, encode_document(repository_->keys(), kind, name, body), store_clock_.wall_ns()));
  }

  // Everything at once: no least age, grace or undo time.
  static PruneOptions at_once() {
    PruneOptions options;
    options.age_min = options.grace = options.undo = {};
    return options;
  }
  Result<PruneReport> try_prune(const PruneOptions& options) {
    ProgressCounters progress;
    CancelToken cancel;
    return prune(*repository_, options, {progress, cancel});
  }
  PruneReport prune_with(const PruneOptions& options) {
    store_clock_.advance(std::chrono::seconds(1));
    auto report = try_prune(options);
    EXPECT_TRUE(report.ok()) << report.error().message;
    return report.ok() ? *std::move(report) : PruneReport{};
  }
  void expect_restores(const Pushed& pushed) {
    const auto back = read_back(pushed.manifest);
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_TRUE(*back == pushed.stream);
  }
  SnapshotCatalog load() {
    auto catalog = load_snapshots(*repository_);
    EXPECT_TRUE(catalog.ok()) << catalog.error().message;
    return *std::move(catalog);
  }
  // Stores copies of the blocks of these packs, or of those of one kind, in a new pack with an index object; several if
  // one is full. Returns the name of the first.
  std::string copy_blocks(const std::set<std::string>& packs, std::optional<BlockKind> only = {}) {
    const auto before = names("packs/");
    auto mover = BlockMover::make(*repository_, repository_->store(), {});
    EXPECT_TRUE(mover.ok());
    for (const std::string& name : packs) {
      const Digest pack = parse_name(name)->digest;
      const auto bytes = objects_->find(name)->bytes->size();
      const auto table = read_pack_table(*repository_, repository_->store(), pack, bytes);
      EXPECT_TRUE(table.ok());
      for (const TableBlock& block : table->blocks)
        if (!only || block.record.kind == *only) {
          EXPECT_TRUE(mover->move({pack, *table, block}).ok());
        }
    }
    EXPECT_TRUE(mover->flush().ok());
    for (const std::string& name : names("packs/"))
      if (!before.contains(name)) return name;
    ADD_FAILURE() << "no new pack";
    return "";
  }
  std::set<std::string> names(std::string_view prefix) const {
    std::set<std::string> found;
    for (const ObjectInfo& info : objects_->list(prefix)) found.insert(info.key);
    return found;
  }
  std::uint64_t bytes_of(std::string_view prefix) const {
    std::uint64_t bytes = 0;
    for (const ObjectInfo& info : objects_->list(prefix)) bytes += info.size_bytes;
    return bytes;
  }
  // A session of a push that is running, or that died.
  Uuid put_session(const std::string& stream, Byte seed) {
    SessionRecord record;
    record.session.data.fill(seed);
    record.stream = stream;
    record.host = "db1";
    put(ObjectKind::kSession, session_name(repository_->keys().stream_tag(stream), record.session, 7),
        encode_session(record));
    return record.session;
  }

  SetClock store_clock_;
};

}  // namespace drs::test
