// A repository in memory with one snapshot, whose holds a test puts; the store's clock and this machine's are set.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/format/document.h"
#include "engine/format/names.h"
#include "engine/repository/holds.h"
#include "sinks/memory_store.h"
#include "tests/sinks/hook_store.h"

namespace drs::test {

inline constexpr WallNs kSecond = 1'000'000'000;
inline constexpr WallNs kDay = 86'400 * kSecond;
inline constexpr WallNs kNow = 1'000 * kDay;

class SetClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t wall_ns() const override { return now_ns; }
  [[nodiscard]] std::chrono::steady_clock::time_point steady() const override { return {}; }
  std::int64_t now_ns = kNow;
};

class HoldsFixture : public ::testing::Test {
 protected:
  void SetUp() override {
    InitOptions options;
    options.secret.kind = SlotKind::kRawKey;
    options.secret.bytes = SecretBytes(32);
    options.tool_version = "test";
    ASSERT_TRUE(Repository::init(*make_memory_store(objects_, &clock_), clock_, options).ok());
    auto opened = Repository::open(std::make_unique<HookStore>(make_memory_store(objects_, &clock_), hook_),
                                   local_clock_, options.secret, best_crypto_backend());
    ASSERT_TRUE(opened.ok());
    repository_ = *std::move(opened);
    tag_ = repository_->keys().stream_tag("s");
    manifest_ = manifest_name(tag_, Uuid{});
    objects_->insert(manifest_, Bytes(10), kNow);
  }

  struct Times {
    WallNs held_ns = kNow;
    WallNs until_ns = 0;
    WallNs stored_ns = kNow;
  };
  void put(ObjectKind kind, std::uint32_t number, const Times& times, std::vector<std::uint32_t> overrides = {}) {
    const std::string name =
        kind == ObjectKind::kKept ? kept_name(tag_, Uuid{}, number) : hold_name(tag_, Uuid{}, number);
    const Hold hold{.manifest_name = manifest_,
                    .manifest_digest = {},
                    .held_ns = times.held_ns,
                    .until_ns = times.until_ns,
                    .reason = std::to_string(number),
                    .overrides = std::move(overrides)};
    ASSERT_TRUE(
        objects_->insert(name, encode_document(repository_->keys(), kind, name, encode_hold(hold)), times.stored_ns));
  }
  std::optional<HeldSnapshot> held() {
    const auto holds = load_holds(*repository_, clock_.now_ns);
    EXPECT_TRUE(holds.ok()) << holds.error().message;
    const auto found = holds->find(manifest_);
    return found == holds->end() ? std::nullopt : std::optional(found->second);
  }

  SetClock clock_;        // the store's
  SetClock local_clock_;  // this machine's
  std::shared_ptr<MemoryObjects> objects_ = std::make_shared<MemoryObjects>();
  std::shared_ptr<StoreHook> hook_ = std::make_shared<StoreHook>();
  std::unique_ptr<Repository> repository_;
  StreamTag tag_;
  std::string manifest_;
};

}  // namespace drs::test
