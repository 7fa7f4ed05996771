// Sweeps of a StoredRepository, on a machine whose clock a test moves; the store has the same clock.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/format/names.h"
#include "engine/repository/pack_catalog.h"
#include "tests/sinks/hook_store.h"
#include "tests/verify/check_runs.h"
#include "verify/sweep.h"

namespace drs::test {

class MovedClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t wall_ns() const override { return clock_.wall_ns() + ahead_ns_; }
  [[nodiscard]] std::chrono::steady_clock::time_point steady() const override {
    return clock_.steady() + std::chrono::nanoseconds(ahead_ns_);
  }
  void move(std::chrono::nanoseconds time) { ahead_ns_ += time.count(); }

 private:
  SystemClock clock_;
  std::atomic<std::int64_t> ahead_ns_ = 0;
};

// Its `report` is what the sweep found and read.
struct SweepOutcome : CheckRun {
  SweepReport sweep;
};

class SweepTest : public StoredRepositoryTest {
 protected:
  SweepTest() {
    options_.level = SweepLevel::kDecode;
    options_.memory_bytes = 16 * kMiB;  // of one worker, with a key: packs are read one after the other
    options_.threads = 1;
    options_.host = "host";
    options_.tool = "tool";
    clock_.move(std::chrono::days(1));
  }

  [[nodiscard]] std::unique_ptr<ObjectStore> store(const StoreHook& hook = {}) const {
    auto memory = make_memory_store(stored_.objects, &clock_);
    if (!hook) return memory;
    const auto one_at_a_time = std::make_shared<std::mutex>();
    return std::make_unique<HookStore>(
        std::move(memory),
        std::make_shared<StoreHook>([hook, one_at_a_time](std::string_view operation, std::string_view key) {
          const std::scoped_lock lock(*one_at_a_time);
          return hook(operation, key);
        }));
  }
  // `hook` is called once the snapshots are loaded; in tests of several workers by one at a time.
  SweepOutcome sweep(const StoreHook& hook = {}) {
    SweepOutcome out;
    const auto repository = stored_.open(store(), clock_);
    EXPECT_TRUE(repository.ok()) << repository.error().message;
    const auto catalog = load_snapshots(**repository);
    EXPECT_TRUE(catalog.ok()) << catalog.error().message;
    (*repository)->replace_store(store(hook));
    ProgressCounters progress;
    auto report = drs::sweep(**repository, *catalog, options_, progress, cancel_);
    if (report.ok())
      out.sweep = *std::move(report);
    else
      out.error = report.error();
    if (out.sweep.ended) out.error = out.sweep.ended;
    out.report = out.sweep.checked;
    return out;
  }
  // What all records say now.
  [[nodiscard]] Evidence evidence() const {
    const auto repository = stored_.open(store(), clock_);
    auto loaded = Evidence::load(**repository);
    EXPECT_TRUE(loaded.ok()) << loaded.error().message;
    return *std::move(loaded);
  }
  [[nodiscard]] PackProof proof_of(const Digest& pack) const {
    const auto repository = stored_.open(store(), clock_);
    const auto catalog = PackCatalog::load(**repository);
    const auto proofs = evidence().of(catalog->packs());
    return proofs.at(static_cast<std::size_t>(catalog->find(pack) - catalog->packs().data()));
  }
  [[nodiscard]] Digest digest_of(const std::string& pack) const { return parse_name(pack)->digest; }
  // Those of sweeps of this test.
  [[nodiscard]] std::vector<std::string> records() const {
    std::vector<std::string> names = stored_.names();
    std::erase_if(names,
                  [&](const std::string& name) { return !name.starts_with("verified/") || name == stored_.verified; });
    return names;
  }
  // The packs that `sweep` reads, in order, each once.
  std::vector<std::string> packs_read(SweepOutcome* outcome = nullptr) {
    std::vector<std::string> read;
    SweepOutcome run = sweep([&](std::string_view operation, std::string_view key) -> std::optional<Error> {
      const bool is_new = std::find(read.begin(), read.end(), key) == read.end();
      if (operation == "get" && key.starts_with("packs/") && is_new) read.emplace_back(key);
      return std::nullopt;
    });
    EXPECT_FALSE(run.error) << run.error->message;
    if (outcome != nullptr) *outcome = std::move(run);
    return read;
  }
  // No check of the structure, which reads the packs with recipes.
  void leave_out_structure() { options_.structure_every.reset(); }

  MovedClock clock_;
  SweepOptions options_;
  CancelToken cancel_;
};

}  // namespace drs::test
