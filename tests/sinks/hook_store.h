// A store around another one that tells a test of each operation before it happens, and fails those that the test wants
// to fail. Any thread may be in a hook.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sinks/object_store.h"

namespace drs::test {

// `operation`: "put", "get", "list", "stat", "remove", "secure". What it returns is the operation's error. Also told of
// "name" and "run", which have none; a hook may throw there.
using StoreHook = std::function<std::optional<Error>(std::string_view operation, std::string_view key)>;

class HookStore : public ObjectStore {
 public:
  // `change`: of each object, before a list shows it.
  HookStore(std::unique_ptr<ObjectStore> inner, std::shared_ptr<StoreHook> hook,
            std::function<void(ObjectInfo&)> change = {})
      : inner_(std::move(inner)), hook_(std::move(hook)), change_(std::move(change)) {}

  void put(PutOperation& operation) override {
    if (operation.key.empty()) return inner_->put(operation);
    if (auto error = called("put", operation.key)) {
      operation.result = *std::move(error);
      puts_.push_back(&operation);
    } else {
      inner_->put(operation);
    }
  }
  void name(PutOperation& operation, ObjectKey key) override {
    static_cast<void>(called("name", key));
    inner_->name(operation, std::move(key));
  }
  void drop(PutOperation& operation) override { inner_->drop(operation); }
  void get(GetOperation& operation) override {
    if (auto error = called("get", operation.key)) {
      operation.result = *std::move(error);
      gets_.push_back(&operation);
    } else {
      inner_->get(operation);
    }
  }
  Result<std::size_t> run(bool wait) override {
    static_cast<void>(called("run", ""));
    const auto puts = std::exchange(puts_, {});
    const auto gets = std::exchange(gets_, {});
    for (PutOperation* const put : puts) put->done(*put);
    for (GetOperation* const get : gets) get->done(*get);
    const std::size_t failed = puts.size() + gets.size();
    auto done = inner_->run(wait && failed == 0);
    if (done.ok()) *done += failed;
    return done;
  }
  void wake() override { inner_->wake(); }
  [[nodiscard]] std::size_t in_flight() const override { return puts_.size() + gets_.size() + inner_->in_flight(); }
  [[nodiscard]] std::size_t parallel_max() const override { return inner_->parallel_max(); }
  [[nodiscard]] std::size_t operation_bytes() const override { return inner_->operation_bytes(); }
  Result<void> list(std::string_view prefix, const Visit& visit) override {
    if (auto error = called("list", prefix)) return *std::move(error);
    return inner_->list(prefix, [&](const ObjectInfo& info) {
      ObjectInfo shown = info;
      if (change_) change_(shown);
      return visit(shown);
    });
  }
  Result<ObjectInfo> stat(const ObjectKey& key) override {
    if (auto error = called("stat", key)) return *std::move(error);
    return inner_->stat(key);
  }
  Result<void> remove(const ObjectKey& key) override {
    if (auto error = called("remove", key)) return *std::move(error);
    return inner_->remove(key);
  }
  [[nodiscard]] bool locks() const override { return inner_->locks(); }
  Result<void> retain(const std::vector<ObjectKey>& keys) override { return inner_->retain(keys); }
  [[nodiscard]] bool secures() const override { return inner_->secures(); }
  Result<void> secure(const std::vector<ObjectKey>& keys) override {
    if (auto error = called("secure", "")) return *std::move(error);
    return inner_->secure(keys);
  }
  Result<std::unique_ptr<ObjectStore>> another() override {
    DRS_ASSIGN_OR_RETURN(auto inner, inner_->another());
    return std::unique_ptr<ObjectStore>(std::make_unique<HookStore>(std::move(inner), hook_, change_));
  }
  void register_memory(MutableByteView memory) override { inner_->register_memory(memory); }
  [[nodiscard]] std::string name_for_messages() const override { return inner_->name_for_messages(); }
  [[nodiscard]] std::string io_description() const override { return inner_->io_description(); }

 private:
  std::optional<Error> called(std::string_view operation, std::string_view key) {
    return *hook_ ? (*hook_)(operation, key) : std::nullopt;
  }
  std::unique_ptr<ObjectStore> inner_;
  std::shared_ptr<StoreHook> hook_;
  std::function<void(ObjectInfo&)> change_;
  std::vector<PutOperation*> puts_;
  std::vector<GetOperation*> gets_;
};

// For a store that lists these objects, and says of each that it is not there.
inline std::shared_ptr<StoreHook> only_listed(std::vector<std::string> keys) {
  return std::make_shared<StoreHook>(
      [keys = std::move(keys)](std::string_view operation, std::string_view key) -> std::optional<Error> {
        if (operation == "list" || std::find(keys.begin(), keys.end(), key) == keys.end()) return std::nullopt;
        return Error(ErrorCode::kNotFound, "not there");
      });
}

}  // namespace drs::test
