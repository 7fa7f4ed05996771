// The shared store as one actor sees it: each operation waits for the actor's turn. Objects are put and read when `run`
// is called. All clones of a store belong to the same actor. Threads: as any ObjectStore.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sinks/forwarding_store.h"
#include "tests/engine/pipeline/keeping/schedule_turns.h"

namespace drs::test {

class TurnStore final : public ForwardingStore {
 public:
  // `turns` must outlive the store and all clones.
  TurnStore(std::unique_ptr<ObjectStore> inner, Turns& turns, std::size_t actor)
      : ForwardingStore(std::move(inner)), turns_(turns), actor_(actor) {}

  void put(PutOperation& operation) override {
    if (operation.key.empty())
      inner().put(operation);
    else
      puts_.push_back({&operation, {}});
  }
  void name(PutOperation& operation, ObjectKey key) override { puts_.push_back({&operation, std::move(key)}); }
  void get(GetOperation& operation) override { gets_.push_back(&operation); }
  Result<std::size_t> run(bool wait) override;
  [[nodiscard]] std::size_t in_flight() const override;

  Result<void> list_together(std::span<const std::string_view> prefixes, const Visit& visit) override;
  Result<ObjectInfo> stat(const ObjectKey& key) override;
  Result<void> remove(const ObjectKey& key) override;
  Result<void> remove_all(std::span<const ObjectKey> keys) override { return remove_each(*this, keys); }

  // One thread for what an actor reads at once, so that a schedule can be repeated.
  [[nodiscard]] StoreTraits traits() const override {
    StoreTraits traits = inner().traits();
    traits.parallel_max = 1;
    return traits;
  }

 private:
  struct Put {
    PutOperation* operation;
    ObjectKey key;  // empty: the operation has it
  };
  Result<std::unique_ptr<ObjectStore>> around(std::unique_ptr<ObjectStore> inner) override {
    return std::unique_ptr<ObjectStore>(std::make_unique<TurnStore>(std::move(inner), turns_, actor_));
  }
  void finish(const Put& put);
  void finish(GetOperation& get);
  Fault take(std::string_view operation, const ObjectKey& key, const std::function<void()>& effect,
             const std::function<void()>& late = {}) {
    return turns_.take({.actor = actor_, .operation = std::string(operation), .key = key}, effect, late);
  }
  // The object as another thread would put it, later.
  std::function<void()> late_put(const ObjectKey& key, const PutOperation& operation);
  std::function<void()> late_remove(const ObjectKey& key);

  Turns& turns_;
  const std::size_t actor_;
  std::vector<Put> puts_;
  std::vector<GetOperation*> gets_;
};

}  // namespace drs::test
