// Copies between repositories in memory, and the findings of verify in them.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/pipeline/copy/copy.h"
#include "sinks/fault_store.h"
#include "sinks/memory_store.h"
#include "tests/verify/stored_repository.h"
#include "verify/verify.h"

namespace drs::test {

inline Secret raw_key(Byte fill) {
  Secret secret{SlotKind::kRawKey, SecretBytes(32)};
  for (Byte& byte : secret.bytes.mutable_view()) byte = fill++;
  return secret;
}

inline Bytes noise(std::uint32_t seed, std::size_t bytes) {
  std::mt19937_64 random(seed);
  Bytes out(bytes);
  for (Byte& byte : out) byte = static_cast<Byte>(random());
  return out;
}

// An empty target in memory.
struct Target {
  std::unique_ptr<ObjectStore> store(std::shared_ptr<FaultPlan> plan = nullptr) const {
    auto memory = make_memory_store(objects, &clock);
    return plan ? make_fault_store(std::move(memory), std::move(plan)) : std::move(memory);
  }
  Result<std::unique_ptr<Repository>> open(std::shared_ptr<FaultPlan> plan = nullptr) const {
    return Repository::open(store(std::move(plan)), clock, raw_key(90), best_crypto_backend());
  }
  void init() const {
    InitOptions options;
    options.secret = raw_key(90);
    ASSERT_TRUE(Repository::init(*store(), clock, options).ok());
  }
  void init_replica(Repository& source) const {
    const auto made = Repository::init_replica(*store(), source, {raw_key(90), "replica"});
    ASSERT_TRUE(made.ok()) << made.error().message;
  }
  std::set<std::string> names(std::string_view prefix = "") const {
    std::set<std::string> out;
    for (const ObjectInfo& info : objects->list(prefix)) out.insert(info.key);
    return out;
  }
  SystemClock clock;
  std::shared_ptr<MemoryObjects> objects = std::make_shared<MemoryObjects>();
};

// The stored repository, opened, and an empty replica of it.
class ReplicaFixture : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = stored_.open();
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    source_ = *std::move(opened);
    target_.init_replica(*source_);
  }

  StoredRepository stored_;
  std::unique_ptr<Repository> source_;
  Target target_;
};

// Drops the report's pointers into the catalog, which the callers below do not keep.
inline Result<CopyReport> copy_chosen(const CopySource& source, const std::vector<const Snapshot*>& chosen,
                                      Repository& target, CopyOptions options) {
  options.memory_bytes = kMemoryBytesMin;
  ProgressCounters progress;
  CancelToken cancel;
  DRS_ASSIGN_OR_RETURN(CopyReport report, copy_snapshots(source, chosen, target, options, {progress, cancel}));
  for (SnapshotCopy& copy : report.snapshots) copy.source = nullptr;
  return report;
}

// Those of the source with this place in the catalog, in any order.
inline Result<CopyReport> copy_some(Repository& source, Repository& target, const std::vector<std::size_t>& places,
                                    bool in_any_order = false) {
  DRS_ASSIGN_OR_RETURN(const SnapshotCatalog catalog, load_snapshots(source));
  std::vector<const Snapshot*> chosen;
  for (const std::size_t place : places) chosen.push_back(&catalog.live.at(place));
  CopyOptions options;
  if (in_any_order) options.in_any_order = {chosen.begin(), chosen.end()};
  return copy_chosen({source, catalog}, chosen, target, options);
}

inline Result<CopyReport> copy_all(Repository& source, Repository& target, bool mirror = false,
                                   bool look_through_present = false) {
  DRS_ASSIGN_OR_RETURN(const SnapshotCatalog catalog, load_snapshots(source));
  std::vector<const Snapshot*> chosen;
  for (const Snapshot& snapshot : catalog.live) chosen.push_back(&snapshot);
  CopyOptions options;
  options.threads = 2;
  options.mirror = mirror;
  options.look_through_present = look_through_present;
  return copy_chosen({source, catalog}, chosen, target, options);
}

inline std::vector<Finding> findings_of(const Target& target) {
  const auto repository = target.open();
  EXPECT_TRUE(repository.ok()) << repository.error().message;
  const auto catalog = load_snapshots(**repository);
  EXPECT_TRUE(catalog.ok());
  ProgressCounters progress;
  CancelToken cancel;
  VerifyOptions options;
  options.read_data = true;
  options.read_only = true;
  for (const Snapshot& snapshot : catalog->live) options.rebuild.push_back(&snapshot);
  auto report = verify(**repository, *catalog, options, progress, cancel);
  EXPECT_TRUE(report.ok()) << report.error().message;
  std::erase_if(report->findings, [](const Finding& f) { return f.severity == Finding::Severity::kWarning; });
  return std::move(report->findings);
}

}  // namespace drs::test
