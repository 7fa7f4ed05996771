// A store around another one that calls a hook before each operation. The hook may fail the operation. Any thread may
// call the hook.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sinks/forwarding_store.h"

namespace drs::test {

// `operation`: "put", "get", "list", "stat", "remove", "secure". The hook returns the error of the operation, if any.
// It is also called for "name" and "run", whose errors are ignored; it may throw there.
using StoreHook = std::function<std::optional<Error>(std::string_view operation, std::string_view key)>;

class HookStore : public ForwardingStore {
 public:
  // `change` alters each object before a list shows it.
  HookStore(std::unique_ptr<ObjectStore> inner, std::shared_ptr<StoreHook> hook,
            std::function<void(ObjectInfo&)> change = {})
      : ForwardingStore(std::move(inner)), hook_(std::move(hook)), change_(std::move(change)) {}

  void put(PutOperation& operation) override {
    if (operation.key.empty()) return inner().put(operation);
    if (auto error = called("put", operation.key)) {
      operation.result = *std::move(error);
      puts_.push_back(&operation);
    } else {
      inner().put(operation);
    }
  }
  void name(PutOperation& operation, ObjectKey key) override {
    static_cast<void>(called("name", key));
    inner().name(operation, std::move(key));
  }
  void get(GetOperation& operation) override {
    if (auto error = called("get", operation.key)) {
      operation.result = *std::move(error);
      gets_.push_back(&operation);
    } else {
      inner().get(operation);
    }
  }
  Result<std::size_t> run(bool wait) override {
    static_cast<void>(called("run", ""));
    const auto puts = std::exchange(puts_, {});
    const auto gets = std::exchange(gets_, {});
    for (PutOperation* const put : puts) put->done(*put);
    for (GetOperation* const get : gets) get->done(*get);
    const std::size_t failed = puts.size() + gets.size();
    auto done = inner().run(wait && failed == 0);
    if (done.ok()) *done += failed;
    return done;
  }
  [[nodiscard]] std::size_t in_flight() const override { return puts_.size() + gets_.size() + inner().in_flight(); }
  Result<void> list_together(std::span<const std::string_view> prefixes, const Visit& visit) override {
    for (const std::string_view prefix : prefixes) {
      if (auto error = called("list", prefix)) return *std::move(error);
      DRS_RETURN_IF_ERROR(inner().list(prefix, [&](const ObjectInfo& info) {
        ObjectInfo shown = info;
        if (change_) change_(shown);
        return visit(shown);
      }));
    }
    return {};
  }
  Result<ObjectInfo> stat(const ObjectKey& key) override {
    if (auto error = called("stat", key)) return *std::move(error);
    return inner().stat(key);
  }
  Result<void> remove(const ObjectKey& key) override {
    if (auto error = called("remove", key)) return *std::move(error);
    return inner().remove(key);
  }
  Result<void> remove_all(std::span<const ObjectKey> keys) override { return remove_each(*this, keys); }
  Result<void> secure(const std::vector<ObjectKey>& keys) override {
    if (auto error = called("secure", "")) return *std::move(error);
    return inner().secure(keys);
  }

 private:
  Result<std::unique_ptr<ObjectStore>> around(std::unique_ptr<ObjectStore> inner) override {
    return std::unique_ptr<ObjectStore>(std::make_unique<HookStore>(std::move(inner), hook_, change_));
  }
  std::optional<Error> called(std::string_view operation, std::string_view key) {
    return *hook_ ? (*hook_)(operation, key) : std::nullopt;
  }
  std::shared_ptr<StoreHook> hook_;
  std::function<void(ObjectInfo&)> change_;
  std::vector<PutOperation*> puts_;
  std::vector<GetOperation*> gets_;
};

// A hook for a store that lists these objects, but reports each as missing.
inline std::shared_ptr<StoreHook> only_listed(std::vector<std::string> keys) {
  return std::make_shared<StoreHook>(
      [keys = std::move(keys)](std::string_view operation, std::string_view key) -> std::optional<Error> {
        if (operation == "list" || std::find(keys.begin(), keys.end(), key) == keys.end()) return std::nullopt;
        return Error(ErrorCode::kNotFound, "not there");
      });
}

}  // namespace drs::test
